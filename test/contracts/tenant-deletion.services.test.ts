import type pg from 'pg';
import { describe, expect, test } from 'vitest';
import { createAuditTrail } from '#audit/create-audit-trail.ts';
import { newId, type Uuid } from '#domain/ids.ts';
import { createLogger } from '#kernel/logger.ts';
import { readOrganizationTables } from '#tenancy/organization-deletion.ts';
import type { Scopes } from '#tenancy/scopes.ts';
import { type DeletionParts, deleteDue, outlivesTenant, readTenantTables } from '#tenancy/tenant-deletion.ts';
import { reopenOrganization } from '#tenancy/tenant-life.ts';
import { insertMembers, insertRow, insertTenants, rowsOfTenant } from '../isolation/tenant-rows.ts';
import { aDatabase, type TestDatabase } from '../support/a-database.ts';

const never = new AbortController().signal;

/** Everything in the database that names a tenant, by table: whatever its columns are called. */
async function whatIsLeftOf(client: pg.ClientBase, tenantId: Uuid): Promise<Record<string, number>> {
  const { rows: tables } = await client.query<{ name: string }>(
    `SELECT format('%I.%I', n.nspname, c.relname) AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
       WHERE c.relkind IN ('r', 'p') AND n.nspname IN ('swarmgate', 'identity', 'directory') ORDER BY 1`,
  );
  const left: Record<string, number> = {};
  for (const { name } of tables) {
    const { rows } = await client.query<{ count: string }>(
      `SELECT count(*) FROM ${name} t WHERE to_jsonb(t)::text LIKE '%' || $1 || '%'`,
      [tenantId],
    );
    if (Number(rows[0]?.count) > 0) left[name] = Number(rows[0]?.count);
  }
  return left;
}

/** Two tenants with rows in every table, the first of which is closing since a while. */
async function aClosingTenant(rounds = 1) {
  const database = await aDatabase();
  const [organization, closing, bystander] = [newId(), newId(), newId()];
  await database.asOwner(async (client) => {
    await insertTenants(client, organization, [closing, bystander]);
    for (const tenantId of [closing, bystander]) {
      for (let round = 0; round < rounds; round++) {
        const rows = rowsOfTenant(tenantId, `mark-${tenantId}`);
        await insertMembers(client, rows);
        for (const [table, row] of Object.entries(rows))
          if (table !== 'swarmgate.knowledge_vectors' || (await hasTable(client, table)))
            await insertRow(client, table, row, 'ON CONFLICT DO NOTHING');
        await insertClaims(client, tenantId);
      }
      await client.query(
        `UPDATE swarmgate.messages m SET in_reply_to_id = (SELECT o.id FROM swarmgate.messages o
           WHERE o.tenant_id = m.tenant_id AND o.id < m.id ORDER BY o.id LIMIT 1) WHERE tenant_id = $1`,
        [tenantId],
      );
    }
    await close(client, closing);
  });
  return { database, organization, closing, bystander };
}

async function hasTable(client: pg.ClientBase, name: string): Promise<boolean> {
  return (await client.query('SELECT to_regclass($1) AS found', [name])).rows[0].found !== null;
}

async function insertClaims(client: pg.ClientBase, tenantId: Uuid): Promise<void> {
  const [guild, channel, person] = [newId(), newId(), newId()];
  await client.query(
    `INSERT INTO directory.external_keys (platform, kind, app, key, tenant_id, channel_id, cell)
       VALUES ('discord', 'guild', '', $1, $2, $3, 'local'), ('discord', 'socket', '', $4, $2, $3, 'local')`,
    [guild, tenantId, channel, `app-${tenantId}-${guild}`],
  );
  await client.query(
    `INSERT INTO directory.direct_choices (platform, app, person, account, direct) VALUES ('discord', '', $1, $2, 'd')`,
    [person, guild],
  );
  await client.query(
    `INSERT INTO directory.account_names (platform, app, account, name) VALUES ('discord', '', $1, $2)`,
    [guild, `name of ${tenantId}`],
  );
  await client.query(`INSERT INTO directory.socket_sessions (platform, app) VALUES ('discord', $1)`, [
    `app-${tenantId}-${guild}`,
  ]);
  await client.query(
    `INSERT INTO directory.fair_finishes (queue, tenant_id, finish) VALUES ('turn-v1', $1, 1) ON CONFLICT DO NOTHING`,
    [tenantId],
  );
}

async function close(client: pg.ClientBase, tenantId: Uuid): Promise<void> {
  await client.query(
    `UPDATE directory.tenants SET status = 'closing', status_before = 'active', closed_by = 'tenant',
       closing_since = now() - interval '1 day', delete_after = now() - interval '1 minute' WHERE id = $1`,
    [tenantId],
  );
}

function partsOf({ scopes, keyRing }: TestDatabase, changes: Partial<DeletionParts> = {}) {
  const forgotten: string[] = [];
  const parts: DeletionParts = {
    ...{ scopes, trail: createAuditTrail({ scopes, keyRing }), logger: createLogger('silent') },
    files: {
      deleteBytes: async (tenantId, ids) => void forgotten.push(`${ids.length} files of ${tenantId}`),
      forgetTenant: async (tenantId) => void forgotten.push(`files of ${tenantId}`),
    },
    queue: { forget: async (tenantId) => void forgotten.push(`jobs of ${tenantId}`) },
    ...changes,
  };
  return { parts, forgotten };
}

const kept = [...outlivesTenant].sort();

test('of a tenant that was deleted nothing is left but its trail and its tombstone, and of another one everything', async () => {
  const { database, closing, bystander, organization } = await aClosingTenant(2);
  const before = await database.asOwner((client) => whatIsLeftOf(client, bystander));
  const { parts, forgotten } = partsOf(database);

  expect(await deleteDue(parts, never)).toBe(1);

  const left = await database.asOwner((client) => whatIsLeftOf(client, closing));
  expect(Object.keys(left)).toEqual(['directory.tombstones', ...kept]);
  expect(await database.asOwner((client) => whatIsLeftOf(client, bystander))).toEqual(before);
  expect(forgotten).toEqual([`2 files of ${closing}`, `jobs of ${closing}`, `files of ${closing}`]);
  const { rows } = await database.asOwner((client) => client.query('SELECT * FROM directory.tombstones'));
  expect(rows).toEqual([
    {
      ...{ id: closing, kind: 'tenant', slug: `tenant-${closing}`, organization_id: organization },
      ...{ closed_at: expect.any(Date), deleted_at: expect.any(Date) },
    },
  ]);
  expect(await deleteDue(parts, never)).toBe(0);
});

test('the trail of it tells, and what is personal in it cannot be read any more', async () => {
  const { database, closing } = await aClosingTenant();
  const { scopes, keyRing } = database;
  const trail = createAuditTrail({ scopes, keyRing });
  const by = newId();
  await trail.note(closing, {
    ...{ actor: { kind: 'user', id: by }, action: 'closeTenant', resource: { kind: 'tenant' } },
    ...{ outcome: 'allowed', personal: { address: '203.0.113.9' } },
  });
  await deleteDue(partsOf(database).parts, never);

  const { rows } = await database.asOwner((client) =>
    client.query('SELECT tenant_id, action, personal FROM swarmgate.audit_events ORDER BY id'),
  );
  const toldIn = (trailId: string) =>
    rows.filter(({ tenant_id }) => tenant_id === trailId).map(({ action }) => action);
  expect(toldIn(closing)).toEqual(['test', 'closeTenant', 'tenant.deletion_began', 'tenant.deleted']);
  expect(toldIn('00000000-0000-0000-0000-000000000000')).toEqual(['tenant.deletion_began', 'tenant.deleted']);
  const { rows: subjects } = await database.asOwner((client) =>
    client.query('SELECT 1 FROM swarmgate.audit_subjects WHERE tenant_id = $1', [closing]),
  );
  expect(subjects).toEqual([]);
});

test('it can be interrupted behind every one of its transactions, and goes on', async () => {
  const { database, closing, bystander } = await aClosingTenant(2);
  const before = await database.asOwner((client) => whatIsLeftOf(client, bystander));
  let interruptions = 0;
  for (let isDone = false; !isDone; ) {
    // Batches of one row; the process is gone one transaction later each time.
    const fallen = fallBehind(database.scopes, interruptions);
    const { parts } = partsOf(database, { scopes: fallen, batch: 1 });
    await deleteDue(parts, never).catch(() => {});
    const { rows } = await database.asOwner((client) =>
      client.query<{ status: string }>('SELECT status FROM directory.tenants WHERE id = $1', [closing]),
    );
    isDone = rows.length === 0;
    if (isDone) continue;
    interruptions += 1;
    expect(['closing', 'deleting']).toContain(rows[0]?.status);
    // As long as anything is left, nobody else gets what it is found by.
    const { rows: claims } = await database.asOwner((client) =>
      client.query('SELECT 1 FROM directory.external_keys WHERE tenant_id = $1', [closing]),
    );
    const left = await database.asOwner((client) => whatIsLeftOf(client, closing));
    const own = Object.keys(left).filter((name) => name.startsWith('swarmgate.') && !kept.includes(name));
    if (claims.length === 0) expect(own).toEqual([]);
  }
  expect(interruptions).toBeGreaterThan(25);
  expect(Object.keys(await database.asOwner((client) => whatIsLeftOf(client, closing)))).toEqual([
    'directory.tombstones',
    ...kept,
  ]);
  expect(await database.asOwner((client) => whatIsLeftOf(client, bystander))).toEqual(before);
}, 120_000);

/** Lets so many transactions through and commits one more, and then the process that it is for is gone. */
function fallBehind(scopes: Scopes, count: number): Scopes {
  let done = 0;
  const counted = async <T>(work: () => Promise<T>): Promise<T> => {
    if (done > count) throw new Error('The process is gone.');
    const result = await work();
    done += 1;
    if (done > count) throw new Error('The process is gone.');
    return result;
  };
  return {
    ...scopes,
    inPlatform: (work) => counted(() => scopes.inPlatform(work)),
    inIdentity: (work) => counted(() => scopes.inIdentity(work)),
    call: (name, parameters) => counted(() => scopes.call(name, parameters)),
  };
}

describe('while it is deleted', () => {
  test('nothing enters it, nothing is received for it, and it cannot be reopened', async () => {
    const { database, closing } = await aClosingTenant();
    const { parts } = partsOf(database, { scopes: fallBehind(database.scopes, 2) });
    await deleteDue(parts, never).catch(() => {});
    const { rows } = await database.asOwner((client) =>
      client.query('SELECT status, cell FROM directory.tenants WHERE id = $1', [closing]),
    );
    expect(rows).toEqual([{ status: 'deleting', cell: null }]);
    await expect(database.scopes.inTenant(closing, async () => {})).rejects.toMatchObject({
      code: 'tenant_not_found',
    });
    await expect(
      database.scopes.inPlatform((unit) =>
        unit.sql(`UPDATE directory.tenants SET status = 'active' WHERE id = $1`, [closing]),
      ),
    ).rejects.toThrow(/tenants_deleting_in_no_cell/);
  });

  test('a function of deletion does nothing to a tenant that is not being deleted', async () => {
    const { database, bystander } = await aClosingTenant();
    await expect(
      database.scopes.call('swarmgate.delete_tenant_rows_v1', [bystander, 'swarmgate.messages', 10]),
    ).rejects.toMatchObject({ code: 'tenant_not_found' });
  });

  test('what somebody writes in between keeps its row, until that has gone too', async () => {
    const { database, closing } = await aClosingTenant();
    const { parts } = partsOf(database);
    const late = { ...parts.files, forgetTenant: () => lateWrite(database, closing) };
    expect(await deleteDue({ ...parts, files: late }, never)).toBe(1);
    const statuses = () =>
      database.asOwner(async (client) => {
        const { rows } = await client.query('SELECT status FROM directory.tenants WHERE id = $1', [closing]);
        return rows;
      });
    expect(await statuses()).toEqual([{ status: 'deleting' }]);
    await deleteDue(parts, never);
    expect(await statuses()).toEqual([]);
    // And then the database takes nothing of it any more.
    await expect(lateWrite(database, closing)).rejects.toMatchObject({ code: '23503' });
  });
});

// As what was under way in another process would.
async function lateWrite(database: TestDatabase, tenantId: Uuid): Promise<void> {
  await database.asOwner(async (client) => {
    await client.query(
      `INSERT INTO swarmgate.agents (tenant_id, id, slug, name, model) VALUES ($1, $2, 'late', 'Late', 'builtin/echo')`,
      [tenantId, newId()],
    );
  });
}

test('every table of tenants is emptied, children first, and every one hangs on its tenant', async () => {
  const database = await aDatabase();
  const tables = await database.scopes.inPlatform(readTenantTables);
  const known = Object.keys(rowsOfTenant(newId())).filter((name) => !outlivesTenant.has(name));
  expect(known.filter((name) => !tables.includes(name) && name !== 'swarmgate.knowledge_vectors')).toEqual(
    [],
  );
  // What does not could be written again after the tenant has gone; keys of subjects open nothing but its trail.
  const { rows } = await database.asOwner((client) =>
    client.query<{ name: string }>(
      `WITH RECURSIVE hanging AS (
         SELECT 'directory.tenants'::regclass::oid AS rel
         UNION SELECT k.conrelid FROM pg_constraint k JOIN hanging h ON k.confrelid = h.rel WHERE k.contype = 'f')
       SELECT name FROM unnest($1::text[]) name WHERE name::regclass::oid NOT IN (SELECT rel FROM hanging)`,
      [tables],
    ),
  );
  expect(rows).toEqual([{ name: 'swarmgate.audit_subjects' }]);
});

describe('an organization', () => {
  async function anEmptyOne(status: 'active' | 'closing') {
    const database = await aDatabase();
    const id = newId();
    await database.asOwner(async (client) => {
      await insertTenants(client, id, []);
      const person = newId();
      await client.query('INSERT INTO identity.users (id, email, name) VALUES ($1, $2, $3)', [
        person,
        `${person}@acme.example`,
        'Ann',
      ]);
      await client.query(
        `INSERT INTO identity.organization_members (organization_id, user_id, role) VALUES ($1, $2, 'owner')`,
        [id, person],
      );
      if (status === 'closing')
        await client.query(
          `UPDATE directory.organizations SET status = 'closing', closing_since = now(), delete_after = now() WHERE id = $1`,
          [id],
        );
    });
    const statuses = () =>
      database.asOwner(async (client) => {
        const { rows } = await client.query<{ status: string }>(
          'SELECT status FROM directory.organizations WHERE id = $1',
          [id],
        );
        return rows.map(({ status }) => status);
      });
    return { database, id, statuses };
  }

  test('goes with everything that hangs on it, and comes back no more once that has begun', async () => {
    const { database, id, statuses } = await anEmptyOne('closing');
    const { parts } = partsOf(database);
    const { scopes } = database;
    // A fall behind the first of its transactions.
    const inIdentity: Scopes['inIdentity'] = () => Promise.reject(new Error('fallen'));
    await deleteDue({ ...parts, scopes: { ...scopes, inIdentity } }, never);
    expect(await statuses()).toEqual(['deleting']);
    expect(await scopes.inPlatform((unit) => reopenOrganization(unit, id))).toBeUndefined();
    await deleteDue(parts, never);
    expect(await statuses()).toEqual([]);
    expect(Object.keys(await database.asOwner((client) => whatIsLeftOf(client, id)))).toEqual([
      'directory.tombstones',
      // The installation's trail tells of it.
      'swarmgate.audit_events',
    ]);
  });

  test('that is open is not deleted, by whoever tries', async () => {
    const { database, id, statuses } = await anEmptyOne('active');
    await deleteDue(partsOf(database).parts, never);
    const gone = await database.scopes.inPlatform((unit) =>
      unit.sql('DELETE FROM directory.organizations WHERE id = $1 RETURNING id', [id]),
    );
    expect(gone).toEqual([]);
    expect(await statuses()).toEqual(['active']);
  });

  test('leaves no table behind: whoever has its schema may delete there', async () => {
    const database = await aDatabase();
    const tables = await database.scopes.inPlatform(readOrganizationTables);
    expect(tables).toContain('identity.organization_members');
    const { rows } = await database.asOwner((client) =>
      client.query<{ name: string }>(
        `SELECT name FROM unnest($1::text[]) name WHERE name !~ '^(identity|directory)[.]' OR NOT has_table_privilege(
           CASE WHEN name LIKE 'identity.%' THEN 'swarmgate_identity' ELSE 'swarmgate_platform' END, name, 'DELETE')`,
        [tables],
      ),
    );
    expect(rows).toEqual([]);
  });
});
