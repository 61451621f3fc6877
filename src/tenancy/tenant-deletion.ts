import { setTimeout as pause } from 'node:timers/promises';
import { type AuditEvent, type AuditTrail, installationTrail } from '#audit/audit-trail.ts';
import { toWire, type Uuid } from '#domain/ids.ts';
import type { FileStore } from '#files/file-store.ts';
import type { Logger } from '#kernel/logger.ts';
import type { WakeQueue } from '#queue/job.ts';
import { childrenFirst } from './children-first.ts';
import { deleteOrganizations } from './organization-deletion.ts';
import { isBrokenReference } from './scope-errors.ts';
import type { Scopes, Unit } from './scopes.ts';

export type DeletionParts = {
  scopes: Scopes;
  trail: AuditTrail;
  files: Pick<FileStore, 'deleteBytes' | 'forgetTenant'>;
  queue: Pick<WakeQueue, 'forget'>;
  logger: Logger;
  /** How many rows one transaction takes. */
  batch?: number;
};

const batchDefault = 500;
/** Between two batches others come first. */
const pauseMs = 10;
/** Tenants that one look takes up. */
const lookMax = 20;

/**
 * What outlives a tenant: its trail, because it is the record of what was done, with what is personal in it unreadable. Every
 * other table with its rows is emptied, whatever a later release adds.
 */
export const outlivesTenant: ReadonlySet<string> = new Set([
  'swarmgate.audit_events',
  'swarmgate.audit_seals',
  'swarmgate.audit_drops',
]);

/**
 * Deletes what is due: tenants whose time is over, then organizations that have none left. Batch by batch, each a transaction
 * of its own; whenever it is interrupted, the next look goes on. Answers how many there were.
 */
export async function deleteDue(parts: DeletionParts, stop: AbortSignal): Promise<number> {
  const { scopes, logger } = parts;
  const due = await scopes.inPlatform((unit) =>
    unit.sql<{ id: Uuid }>(
      `SELECT t.id FROM directory.tenants t LEFT JOIN swarmgate.this_cell here ON here.cell = t.cell
         WHERE t.status = 'deleting' OR (t.status = 'closing' AND t.delete_after <= clock_timestamp() AND here.cell IS NOT NULL)
         ORDER BY t.delete_after LIMIT $1`,
      [lookMax],
    ),
  );
  for (const { id } of due) {
    if (stop.aborted) return 0;
    try {
      await deleteTenant(parts, id, stop);
    } catch (error) {
      // One that does not go does not keep the others.
      logger.warn({ err: error, tenantId: id }, 'a tenant was not deleted to its end; the next look goes on');
    }
  }
  return due.length + (await deleteOrganizations(parts));
}

/** Deletes one tenant, or goes on with it. `false`: it was reopened, or somebody else has just ended it. */
async function deleteTenant(parts: DeletionParts, tenantId: Uuid, stop: AbortSignal): Promise<boolean> {
  const { scopes, files, queue, logger, batch = batchDefault } = parts;
  if (!(await begin(parts, tenantId))) return false;
  await deleteBytes(parts, tenantId, stop);
  await queue.forget(tenantId);

  const call = async (name: Parameters<Scopes['call']>[0], ...parameters: unknown[]): Promise<boolean> => {
    for (;;) {
      if (stop.aborted) return false;
      const [row] = await scopes.call<Record<string, number>>(name, parameters);
      if (Object.values(row ?? {}).every((count) => count === 0)) return true;
      await pause(pauseMs);
    }
  };
  const tables = await scopes.inPlatform(readTenantTables);
  // What the outside world finds the tenant by is free when nothing else is left, and not before.
  const [inside, outside] = [tables.filter((name) => !isDirectory(name)), tables.filter(isDirectory)];
  for (const table of inside)
    if (!(await call('swarmgate.delete_tenant_rows_v1', tenantId, table, batch))) return false;
  if (!(await call('directory.forget_accounts_v1', tenantId, batch))) return false;
  for (const table of outside)
    if (!(await call('swarmgate.delete_tenant_rows_v1', tenantId, table, batch))) return false;
  await scopes.call('identity.forget_tenant_v1', [tenantId]);
  await files.forgetTenant(tenantId);
  const ended = await end(parts, tenantId);
  if (ended) logger.info({ tenantId }, 'a tenant was deleted');
  return ended;
}

// Every file has a row before it has bytes. One that comes in later finds none any more, and goes again by itself.
async function deleteBytes(
  { scopes, files, batch = batchDefault }: DeletionParts,
  tenantId: Uuid,
  stop: AbortSignal,
): Promise<void> {
  for (let behind: Uuid | null = null; !stop.aborted; ) {
    const rows: { id: Uuid }[] = await scopes.call('swarmgate.tenant_files_v1', [tenantId, behind, batch]);
    const last = rows.at(-1);
    if (!last) return;
    await files.deleteBytes(
      tenantId,
      rows.map(({ id }) => id),
    );
    behind = last.id;
  }
}

const isDirectory = (table: string) => table.startsWith('directory.');

// From here on there is no way back. Whoever reopens it at the same moment waits for the row, or is waited for.
async function begin({ scopes, trail }: DeletionParts, tenantId: Uuid): Promise<boolean> {
  const event = await trail.prepare(installationTrail, eventOf('tenant.deletion_began', tenantId));
  const began = await scopes.inPlatform(async (unit) => {
    const [row] = await unit.sql<{ status: string }>(
      'SELECT status FROM directory.tenants WHERE id = $1 FOR UPDATE',
      [tenantId],
    );
    if (row?.status === 'deleting') return 'before';
    const changed = await unit.sql(
      `UPDATE directory.tenants SET status = 'deleting', cell = NULL, version = version + 1, updated_at = now()
         WHERE id = $1 AND status = 'closing' AND delete_after <= clock_timestamp() RETURNING id`,
      [tenantId],
    );
    if (changed.length === 0) return undefined;
    await trail.append(unit, installationTrail, event);
    return 'now';
  });
  if (began === 'now') await trail.note(tenantId, eventOf('tenant.deletion_began', tenantId));
  return began !== undefined;
}

// The tenant's row goes last, and only when nothing refers to it: that is what the foreign keys of its tables see to. From
// then on they let nothing of it be written either.
async function end({ scopes, trail, logger }: DeletionParts, tenantId: Uuid): Promise<boolean> {
  const event = await trail.prepare(installationTrail, eventOf('tenant.deleted', tenantId));
  try {
    const ended = await scopes.inPlatform(async (unit) => {
      const [gone] = await unit.sql<{ slug: string; organization_id: Uuid; closing_since: Date }>(
        `DELETE FROM directory.tenants WHERE id = $1 AND status = 'deleting' RETURNING slug, organization_id, closing_since`,
        [tenantId],
      );
      if (!gone) return undefined;
      await unit.sql(
        `INSERT INTO directory.tombstones (id, kind, slug, organization_id, closed_at) VALUES ($1, 'tenant', $2, $3, $4)`,
        [tenantId, gone.slug, gone.organization_id, gone.closing_since],
      );
      await trail.append(unit, installationTrail, { ...event, detail: { slug: gone.slug } });
      return gone.slug;
    });
    if (ended === undefined) return false;
  } catch (error) {
    if (!isBrokenReference(error)) throw error;
    // What was under way when it began has written something since.
    logger.info({ tenantId }, 'something of a tenant is left; the next look goes on');
    return false;
  }
  await trail.note(tenantId, eventOf('tenant.deleted', tenantId));
  return true;
}

/**
 * Every table with rows of tenants that a tenant may delete, those first that refer to others. From the catalogue, so that
 * none can be forgotten.
 */
export async function readTenantTables(unit: Unit): Promise<string[]> {
  const tables = await unit.sql<{ name: string; parents: string[] }>(
    `SELECT format('%I.%I', n.nspname, c.relname) AS name,
         ARRAY(SELECT DISTINCT format('%I.%I', pn.nspname, p.relname) FROM pg_catalog.pg_constraint k
           JOIN pg_catalog.pg_class p ON p.oid = k.confrelid JOIN pg_catalog.pg_namespace pn ON pn.oid = p.relnamespace
           WHERE k.conrelid = c.oid AND k.contype = 'f' AND k.confrelid <> k.conrelid) AS parents
       FROM pg_catalog.pg_class c
       JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace AND n.nspname IN ('swarmgate', 'identity', 'directory')
       JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attname = 'tenant_id' AND NOT a.attisdropped
       WHERE c.relkind IN ('r', 'p')
         AND (n.nspname <> 'directory' OR has_table_privilege('swarmgate_tenant', c.oid, 'DELETE')) ORDER BY 1`,
  );
  return childrenFirst(tables.filter(({ name }) => !outlivesTenant.has(name)));
}

function eventOf(action: string, tenantId: Uuid): AuditEvent {
  return {
    actor: { kind: 'system' },
    action,
    resource: { kind: 'tenant', id: toWire('tenant', tenantId) },
    outcome: 'allowed',
    reason: 'The time in which it could be reopened is over.',
  };
}
