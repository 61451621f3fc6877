import { newId, type Uuid } from '#domain/ids.ts';
import type { Scopes } from '#tenancy/scopes.ts';
import type { BlobStore } from './blob-store.ts';
import { type FetchRemote, fetchFile } from './fetch-file.ts';
import type { FileLinks } from './file-links.ts';
import { cleanFileName } from './file-name.ts';
import { createFileRows } from './file-rows.ts';
import {
  type DescribedFile,
  FileNotFoundError,
  type FileStore,
  FileUnavailableError,
  type NewFile,
  type StoredFile,
} from './file-store.ts';
import { measure } from './measure.ts';
import { announcedType, checkedType } from './sniff-type.ts';

export type FileStoreParts = {
  scopes: Scopes;
  blobs: BlobStore;
  fetchRemote: FetchRemote;
  links: FileLinks;
  /** No file is longer, whoever brings it. */
  sizeBytesMax?: number;
  fetchTimeoutMs?: number;
};

const defaultSizeBytesMax = 10 * 1024 * 1024;
const defaultFetchTimeoutMs = 60_000;

/** Files as rows of their tenant and bytes in a blob store. No transaction is open while bytes move. */
export function createFileStore(parts: FileStoreParts): FileStore {
  const { blobs, links, fetchRemote } = parts;
  const sizeBytesMax = parts.sizeBytesMax ?? defaultSizeBytesMax;
  const fetchTimeoutMs = parts.fetchTimeoutMs ?? defaultFetchTimeoutMs;
  const rows = createFileRows(parts.scopes);
  const findings = new Map<string, Promise<StoredFile>>();

  async function put(tenantId: Uuid, file: NewFile): Promise<StoredFile> {
    const id = newId();
    const name = cleanFileName(file.name);
    const measuring = measure(file.bytes, { sizeBytesMax: Math.min(file.sizeBytesMax, sizeBytesMax) });
    try {
      await rows.announce(tenantId, id, { name, contentType: announcedType(file.contentType) });
      await blobs.put({ tenantId, fileId: id }, measuring.pieces);
      const { sizeBytes, sha256, head } = measuring.result();
      const kept = { sizeBytes, sha256, contentType: checkedType(file.contentType, head) };
      if (!(await rows.keep(tenantId, id, kept))) throw new FileNotFoundError();
      return { id, name, ...kept };
    } catch (error) {
      measuring.cancel();
      // Where this fails too, the row stays and says "unfinished".
      await blobs
        .delete({ tenantId, fileId: id })
        .then(() => rows.forget(tenantId, id))
        .catch(() => {});
      throw error;
    }
  }

  async function findExisting(tenantId: Uuid, id: Uuid) {
    const row = await rows.find(tenantId, id);
    if (row.state === 'deleted') throw new FileNotFoundError();
    return { ...row, state: row.state };
  }

  async function findStored(tenantId: Uuid, id: Uuid): Promise<StoredFile> {
    const row = await findExisting(tenantId, id);
    const { sizeBytes, sha256 } = row;
    const kept =
      row.state === 'stored' && sizeBytes !== null && sha256 !== null
        ? { sizeBytes, sha256, contentType: row.contentType }
        : await fetchFile({ rows, blobs, fetchRemote, sizeBytesMax, fetchTimeoutMs }, tenantId, row);
    return { id, name: cleanFileName(row.name), ...kept };
  }

  // Looking and fetching are one thing, so that who comes during a fetch waits for it, and who comes behind it sees it.
  function findStoredTogether(tenantId: Uuid, id: Uuid): Promise<StoredFile> {
    const key = `${tenantId}/${id}`;
    const underWay = findings.get(key);
    if (underWay !== undefined) return underWay;
    const finding = findStored(tenantId, id).finally(() => findings.delete(key));
    findings.set(key, finding);
    return finding;
  }

  return {
    put,

    async describe(tenantId, id): Promise<DescribedFile> {
      const { name, contentType, state, sizeBytes, sha256 } = await findExisting(tenantId, id);
      return {
        id,
        name: cleanFileName(name),
        contentType: state === 'stored' ? contentType : announcedType(contentType),
        state,
        sizeBytes: sizeBytes ?? undefined,
        sha256: sha256 ?? undefined,
      };
    },

    async open(tenantId, id) {
      const file = await findStoredTogether(tenantId, id);
      const bytes = await blobs.open({ tenantId, fileId: id });
      if (bytes) return { ...file, bytes };
      await findExisting(tenantId, id); // deleted just now is not lost
      throw new FileUnavailableError('lost', { retry: 'never' });
    },

    sign: (tenantId, id, ttlMs) => links.sign({ tenantId, fileId: id, ttlMs }),

    async delete(tenantId, id) {
      await rows.beginDeletion(tenantId, id);
      // A fetch of this process that is under way would bring bytes afterwards; one of another process sees the row.
      await findings.get(`${tenantId}/${id}`)?.catch(() => {});
      await blobs.delete({ tenantId, fileId: id });
      await rows.finishDeletion(tenantId, id);
    },

    async deleteBytes(tenantId, ids) {
      for (const fileId of ids) await blobs.delete({ tenantId, fileId });
    },

    forgetTenant: (tenantId) => blobs.forgetTenant(tenantId),
  };
}
