import { type AuditEvent, type AuditTrail, installationTrail } from '#audit/audit-trail.ts';
import { toWire, type Uuid } from '#domain/ids.ts';
import type { Logger } from '#kernel/logger.ts';
import { childrenFirst } from './children-first.ts';
import { isBrokenReference } from './scope-errors.ts';
import type { Scopes, Unit } from './scopes.ts';

export type OrganizationDeletionParts = { scopes: Scopes; trail: AuditTrail; logger: Logger };

/** Organizations that one look takes up. */
const lookMax = 20;

/**
 * Deletes organizations whose time is over and that have no tenants left, or goes on with them. Whenever it is interrupted,
 * the next look goes on. Answers how many there were.
 */
export async function deleteOrganizations(parts: OrganizationDeletionParts): Promise<number> {
  const { scopes, logger } = parts;
  const due = await scopes.inPlatform((unit) =>
    unit.sql<{ id: Uuid }>(
      `SELECT o.id FROM directory.organizations o WHERE ${isOver} ORDER BY o.delete_after LIMIT $1`,
      [lookMax],
    ),
  );
  for (const { id } of due)
    try {
      await deleteOrganization(parts, id);
    } catch (error) {
      logger.warn({ err: error }, 'an organization was not deleted to its end; the next look goes on');
    }
  return due.length;
}

const isOver = `(o.status = 'deleting' OR (o.status = 'closing' AND o.delete_after <= clock_timestamp()))
  AND NOT EXISTS (SELECT 1 FROM directory.tenants t WHERE t.organization_id = o.id)`;

async function deleteOrganization(parts: OrganizationDeletionParts, id: Uuid): Promise<void> {
  const { scopes, trail, logger } = parts;
  // From here on there is no way back. Whoever reopens it at the same moment waits for the row, or is waited for; no tenant
  // is made in one that is not active.
  const tables = await scopes.inPlatform(async (unit) => {
    const marked = await unit.sql(
      `UPDATE directory.organizations o SET status = 'deleting', version = version + 1, updated_at = now()
         WHERE o.id = $1 AND ${isOver} RETURNING o.id`,
      [id],
    );
    return marked.length === 0 ? undefined : await readOrganizationTables(unit);
  });
  if (!tables) return;
  for (const table of tables) {
    const forget = async (unit: Unit) => {
      await unit.sql(`DELETE FROM ${table} WHERE organization_id = $1`, [id]);
    };
    await (table.startsWith('identity.') ? scopes.inIdentity(forget) : scopes.inPlatform(forget));
  }
  const event = await trail.prepare(installationTrail, eventOf(id));
  try {
    await scopes.inPlatform(async (unit) => {
      const [gone] = await unit.sql<{ slug: string; closing_since: Date }>(
        `DELETE FROM directory.organizations WHERE id = $1 AND status = 'deleting' RETURNING slug, closing_since`,
        [id],
      );
      if (!gone) return;
      await unit.sql(
        `INSERT INTO directory.tombstones (id, kind, slug, closed_at) VALUES ($1, 'organization', $2, $3)`,
        [id, gone.slug, gone.closing_since],
      );
      await trail.append(unit, installationTrail, { ...event, detail: { slug: gone.slug } });
    });
  } catch (error) {
    if (!isBrokenReference(error)) throw error;
    // Somebody has written something of it since.
    logger.info({}, 'something of an organization is left; the next look goes on');
    return;
  }
  logger.info({}, 'an organization was deleted');
}

/**
 * Every table that hangs on organizations but that of the tenants, which go before it; those first that refer to others. From
 * the catalogue, so that none can be forgotten.
 */
export async function readOrganizationTables(unit: Unit): Promise<string[]> {
  return childrenFirst(
    await unit.sql<{ name: string; parents: string[] }>(
      `SELECT format('%I.%I', n.nspname, c.relname) AS name,
           ARRAY(SELECT DISTINCT format('%I.%I', pn.nspname, p.relname) FROM pg_catalog.pg_constraint k
             JOIN pg_catalog.pg_class p ON p.oid = k.confrelid JOIN pg_catalog.pg_namespace pn ON pn.oid = p.relnamespace
             WHERE k.conrelid = c.oid AND k.contype = 'f' AND k.confrelid <> k.conrelid) AS parents
         FROM pg_catalog.pg_class c
         JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
         WHERE c.oid IN (SELECT k.conrelid FROM pg_catalog.pg_constraint k WHERE k.contype = 'f'
             AND k.confrelid = 'directory.organizations'::regclass AND k.conrelid <> 'directory.tenants'::regclass)
         ORDER BY 1`,
    ),
  );
}

function eventOf(id: Uuid): AuditEvent {
  return {
    actor: { kind: 'system' },
    action: 'organization.deleted',
    resource: { kind: 'organizations', id: toWire('organization', id) },
    outcome: 'allowed',
    reason: 'The time in which it could be reopened is over.',
  };
}
