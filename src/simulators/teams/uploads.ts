import { randomUUID } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import type { Judge } from './judge.ts';

/** What becomes of an upload. `silent`: nobody answers, whether the file is there or not. */
export type UploadFault = { kind: 'status'; status: number } | { kind: 'silent'; isStored: boolean };

/** As Teams tells a bot of the room that it has made, once somebody has taken a file. */
export type UploadInfo = {
  uploadUrl: string;
  contentUrl: string;
  name: string;
  uniqueId: string;
  fileType: string;
};

/**
 * Upload sessions of OneDrive's: each takes one file, whole, without any token, and is gone then.
 *
 * @see https://learn.microsoft.com/graph/api/driveitem-createuploadsession
 */
export function createUploads({ judge, url }: { judge: Judge; url: () => string }) {
  const open = new Map<string, string>();
  const files = new Map<string, Buffer>();
  const faults: UploadFault[] = [];
  let asked = 0;

  return {
    /** What people have, by the name of the file. */
    files,
    /** How often a file was brought, whatever became of it. */
    asked: () => asked,
    fail: (...planned: UploadFault[]) => void faults.push(...planned),
    begin(name: string): UploadInfo {
      const uniqueId = randomUUID();
      open.set(`/upload/${uniqueId}`, name);
      return {
        uploadUrl: `${url()}/upload/${uniqueId}`,
        contentUrl: `${url()}/drive/${encodeURIComponent(name)}`,
        ...{ name, uniqueId, fileType: name.split('.').at(-1) ?? '' },
      };
    },
    /** The status of the answer; `undefined`: there is none. */
    put(pathname: string, headers: IncomingHttpHeaders, body: Buffer): number | undefined {
      asked += 1;
      if (headers.authorization !== undefined) judge.accuse('a token was sent to where files are put');
      const range = `bytes 0-${body.length - 1}/${body.length}`;
      if (headers['content-range'] !== range) {
        judge.accuse('a file was not put whole', { range: headers['content-range'] });
        return 400;
      }
      const fault = faults.shift();
      if (fault?.kind === 'status') return fault.status;
      if (fault?.kind === 'silent' && !fault.isStored) return undefined;
      const name = open.get(pathname);
      if (name === undefined) return 404;
      open.delete(pathname);
      files.set(name, body);
      return fault ? undefined : 201;
    },
  };
}
