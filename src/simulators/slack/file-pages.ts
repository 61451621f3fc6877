import type { Fault } from './faults.ts';
import type { Stage } from './stage.ts';

/** The addresses of files: downloads with a bot's token, uploads with a ticket. */

export type FileAnswer =
  | { status: number; headers: Record<string, string>; body: string | Buffer }
  | undefined;

/** The name under which faults of downloads are ordered and calls are kept. */
const downloadMethod = 'file_download';

const signInPage =
  '<!DOCTYPE html><html><head><title>Sign in | Slack</title></head><body>Sign in</body></html>';

/** `GET /files-pri/T…-F…/download/name`. Whoever is not let in gets a page to sign in with, and no error. */
export function download(stage: Stage, path: string, bearer: string | undefined): FileAnswer {
  const [, teamId = '', fileId = ''] = /^\/files-pri\/([A-Z0-9]+)-([A-Z0-9]+)\//.exec(path) ?? [];
  const token = bearer === undefined ? undefined : stage.installations.token(bearer);
  const given = { file: fileId };
  const fault = stage.faults.next(downloadMethod, { teamId: token?.installation.teamId, arguments: given });
  const answer = fault ? failed(fault) : find(stage, teamId, fileId, path, bearer);
  stage.judge.calls.push({
    method: downloadMethod,
    appId: token?.installation.appId,
    teamId: token?.installation.teamId,
    enterpriseId: token?.installation.enterpriseId,
    arguments: given,
    status: answer?.status ?? 0,
    answer: {},
    fault: fault?.kind,
    atMs: stage.now(),
  });
  return answer;
}

function find(
  stage: Stage,
  teamId: string,
  fileId: string,
  path: string,
  bearer: string | undefined,
): FileAnswer {
  if (bearer === undefined)
    return { status: 302, headers: { location: `/signin?redir=${encodeURIComponent(path)}` }, body: '' };
  const token = stage.installations.token(bearer);
  if (token?.state !== 'active') return signIn();
  const { installation } = token;
  const file = stage.files.get(fileId);
  const isReached = stage.installations.teamsOf(installation).includes(teamId);
  if (file && !isReached)
    stage.judge.violations.push({
      method: downloadMethod,
      appId: installation.appId,
      teamId: installation.teamId,
      description: `downloads the file ${fileId} of ${teamId}`,
    });
  const isGranted = installation.scopes?.includes('files:read') ?? true;
  if (!isReached || !isGranted || file?.teamId !== teamId || !file.bytes) return signIn();
  return { status: 200, headers: { 'content-type': file.contentType }, body: file.bytes };
}

/** What a browser is shown; with HTTP 200, so that only its kind tells that it is no file. */
export function signIn(): FileAnswer {
  return { status: 200, headers: { 'content-type': 'text/html; charset=utf-8' }, body: signInPage };
}

function failed(fault: Fault): FileAnswer {
  if (fault.kind === 'rate_limit')
    return { status: 429, headers: { 'retry-after': String(fault.retryAfterSeconds ?? 1) }, body: '' };
  if (fault.kind === 'http_500') return { status: 500, headers: {}, body: '' };
  return fault.kind === 'ok_false' ? signIn() : undefined;
}

/** `POST /upload/v1/F…`: the file itself, or a form that holds it. */
export async function upload(
  stage: Stage,
  fileId: string,
  request: { contentType: string; body: Buffer },
): Promise<FileAnswer> {
  const file = stage.files.get(fileId);
  if (!file || file.bytes) return { status: 404, headers: {}, body: 'not found' };
  const { bytes, contentType } = await unpack(request);
  if (bytes.length !== file.sizeBytes)
    return { status: 400, headers: {}, body: `announced ${file.sizeBytes} bytes, got ${bytes.length}` };
  file.bytes = bytes;
  if (contentType !== undefined) file.contentType = contentType;
  return { status: 200, headers: { 'content-type': 'text/plain' }, body: `OK - ${bytes.length}` };
}

async function unpack(request: { contentType: string; body: Buffer }) {
  if (!request.contentType.startsWith('multipart/form-data'))
    return { bytes: request.body, contentType: request.contentType || undefined };
  const form = await new Response(new Uint8Array(request.body), {
    headers: { 'content-type': request.contentType },
  }).formData();
  for (const [, value] of form) {
    if (typeof value !== 'string')
      return { bytes: Buffer.from(await value.arrayBuffer()), contentType: value.type || undefined };
  }
  return { bytes: Buffer.alloc(0), contentType: undefined };
}
