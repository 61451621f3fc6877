import type { Uuid } from '#domain/ids.ts';
import type { Scopes } from '#tenancy/scopes.ts';
import { FileNotFoundError } from './file-store.ts';

export type FileState = 'remote' | 'stored' | 'failed' | 'deleted';

export type FileRow = {
  id: Uuid;
  channelId: Uuid | null;
  name: string;
  contentType: string;
  sizeBytes: number | null;
  sha256: string | null;
  state: FileState;
  source: Readonly<Record<string, unknown>>;
};

/** What is known of a file once its bytes are kept. */
export type Kept = { contentType: string; sizeBytes: number; sha256: string };

export type FileRows = ReturnType<typeof createFileRows>;

/** The table of files, one short transaction a call. */
export function createFileRows(scopes: Scopes) {
  return {
    /** The row, also of a deleted file. @throws {FileNotFoundError} */
    async find(tenantId: Uuid, id: Uuid): Promise<FileRow> {
      const [row] = await scopes.inTenant(tenantId, (unit) => unit.sql<FileRow>(findSql, [id]));
      if (!row) throw new FileNotFoundError();
      return row;
    },

    /** A row for bytes that are about to come. Until they have, the file is one that failed. */
    async announce(tenantId: Uuid, id: Uuid, file: { name: string; contentType: string }): Promise<void> {
      await scopes.inTenant(tenantId, (unit) =>
        unit.sql(announceSql, [tenantId, id, file.name, file.contentType]),
      );
    },

    /** Records that the bytes are kept; `false` when the file was deleted meanwhile, or is not there. */
    async keep(tenantId: Uuid, id: Uuid, kept: Kept): Promise<boolean> {
      const rows = await scopes.inTenant(tenantId, (unit) =>
        unit.sql(keepSql, [id, kept.contentType, kept.sizeBytes, kept.sha256]),
      );
      return rows.length > 0;
    },

    async fail(tenantId: Uuid, id: Uuid, failure: string): Promise<void> {
      await scopes.inTenant(tenantId, (unit) => unit.sql(failSql, [id, failure]));
    },

    /** From now on nobody can open it. @throws {FileNotFoundError} */
    async beginDeletion(tenantId: Uuid, id: Uuid): Promise<void> {
      const rows = await scopes.inTenant(tenantId, (unit) => unit.sql(beginDeletionSql, [id]));
      if (rows.length === 0) throw new FileNotFoundError();
    },

    /** No bytes are left. */
    async finishDeletion(tenantId: Uuid, id: Uuid): Promise<void> {
      await scopes.inTenant(tenantId, (unit) => unit.sql(finishDeletionSql, [id]));
    },

    /** As if there had never been such a file. */
    async forget(tenantId: Uuid, id: Uuid): Promise<void> {
      await scopes.inTenant(tenantId, (unit) => unit.sql('DELETE FROM swarmgate.files WHERE id = $1', [id]));
    },
  };
}

const findSql = `
  SELECT id, channel_id AS "channelId", name, content_type AS "contentType", size_bytes::float8 AS "sizeBytes", sha256,
    state, source
  FROM swarmgate.files WHERE id = $1`;

const announceSql = `
  INSERT INTO swarmgate.files (tenant_id, id, name, content_type, state, failure)
  VALUES ($1, $2, $3, $4, 'failed', 'unfinished')`;

// Also over a stored one: when two processes have fetched it, the row tells of the bytes that were written last.
const keepSql = `
  UPDATE swarmgate.files
  SET state = 'stored', content_type = $2, size_bytes = $3, sha256 = $4, failure = NULL, stored_at = now()
  WHERE id = $1 AND state <> 'deleted' RETURNING id`;

const failSql = `
  UPDATE swarmgate.files SET state = 'failed', failure = $2 WHERE id = $1 AND state IN ('remote', 'failed')`;

const beginDeletionSql = `UPDATE swarmgate.files SET state = 'deleted' WHERE id = $1 RETURNING id`;

const finishDeletionSql = `
  UPDATE swarmgate.files SET deleted_at = now() WHERE id = $1 AND state = 'deleted' AND deleted_at IS NULL`;
