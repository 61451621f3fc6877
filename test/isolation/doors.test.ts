import type pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { newId } from '#domain/ids.ts';
import type { Unit } from '#tenancy/scopes.ts';
import { aDatabase, type TestDatabase } from '../support/a-database.ts';
import { classification } from './classification.ts';
import { insertRow, insertTenants, rowsOfTenant } from './tenant-rows.ts';

/** What is seen of tenants through the doors that look over more than one: reports, the directory, the sweeper. */

const organization = newId();
const inOrganization = [newId(), newId()] as const;
const elsewhere = newId();
const mark = 'canary';
let database: TestDatabase;
let columns: { table: string; column: string }[];
const atEnd: (() => Promise<void>)[] = [];

beforeAll(async () => {
  database = await aDatabase((end) => void atEnd.push(end));
  await database.asOwner(async (client) => {
    columns = await tenantColumns(client);
    const tables = new Set(columns.map(({ table }) => table));
    await insertTenants(client, organization, inOrganization);
    await insertTenants(client, newId(), [elsewhere]);
    for (const tenantId of [...inOrganization, elsewhere]) {
      for (const [table, row] of Object.entries(rowsOfTenant(tenantId, mark)))
        if (tables.has(table)) await insertRow(client, table, row);
      await insertRow(client, 'directory.external_keys', {
        platform: 'webchat',
        kind: 'channel_key',
        app: '',
        key: `wk_${tenantId}`,
        tenant_id: tenantId,
        channel_id: newId(),
        cell: 'local',
      });
    }
  });
});
afterAll(async () => {
  for (const end of atEnd) await end();
});

async function tenantColumns(client: pg.ClientBase) {
  const { rows } = await client.query<{ table: string; column: string }>(
    `SELECT c.oid::regclass::text AS table, a.attname::text AS column
       FROM pg_catalog.pg_class c JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
       WHERE c.relkind = 'r' AND c.relnamespace = 'swarmgate'::regnamespace AND EXISTS (
         SELECT 1 FROM pg_catalog.pg_attribute t WHERE t.attrelid = c.oid AND t.attname = 'tenant_id') ORDER BY 1, 2`,
  );
  return rows;
}

/** Columns as `table.column` of which `read` answers rows; the others must be refused, not merely empty. */
async function readableColumns(read: (sql: string) => Promise<{ value: unknown }[]>): Promise<string[]> {
  const readable: string[] = [];
  for (const { table, column } of columns) {
    try {
      const rows = await read(`SELECT ${column}::text AS value FROM ${table}`);
      expect(rows.length).toBeGreaterThan(0);
      expect(JSON.stringify(rows)).not.toContain(mark);
      readable.push(`${table}.${column}`);
    } catch (error) {
      expect(error).toMatchObject({ code: 'scope_violation' });
    }
  }
  return readable.sort();
}

/** Of the system's own columns only the version of a row is on a list, and none is among {@link columns}. */
function listedColumns(which: 'report' | 'sweeper'): string[] {
  return Object.entries(classification)
    .flatMap(([name, table]) =>
      table.kind === 'tenant' ? (table[which] ?? []).map((column) => `${name}.${column}`) : [],
    )
    .filter((name) => !name.endsWith('.xmin'))
    .sort();
}

/** What one statement comes to in a unit of its own. */
const refusal = (run: (work: (unit: Unit) => Promise<unknown>) => Promise<unknown>, sql: string) =>
  run((unit) => unit.sql(sql)).then(
    () => 'went through',
    (error: { code: string }) => error.code,
  );

describe('inOrganization', () => {
  test('reads the columns of reports and no other', async () => {
    const read = (sql: string) =>
      database.scopes.inOrganization(organization, (unit) => unit.sql<{ value: unknown }>(sql));
    expect(await readableColumns(read)).toEqual(listedColumns('report'));
  });

  test('sees its own tenants and nobody else', async () => {
    const tables = Object.entries(classification).filter(
      ([, table]) => table.kind === 'tenant' && table.report,
    );
    for (const [table] of tables) {
      const rows = await database.scopes.inOrganization(organization, (unit) =>
        unit.sql<{ tenant_id: string }>(`SELECT DISTINCT tenant_id FROM ${table}`),
      );
      expect(rows.map((row) => row.tenant_id).sort(), table).toEqual([...inOrganization].sort());
    }
    const directory = await database.scopes.inOrganization(organization, async (unit) => [
      ...(await unit.sql<{ id: string }>('SELECT id FROM directory.organizations')),
      ...(await unit.sql<{ id: string }>('SELECT id FROM directory.tenants')),
    ]);
    expect(directory.map(({ id }) => id).sort()).toEqual([organization, ...inOrganization].sort());
  });

  test('changes nothing', async () => {
    for (const { table } of columns) {
      const run = (work: (unit: Unit) => Promise<unknown>) =>
        database.scopes.inOrganization(organization, work);
      expect(await refusal(run, `DELETE FROM ${table}`), table).toBe('scope_violation');
      expect(await refusal(run, `UPDATE ${table} SET tenant_id = tenant_id`), table).toBe('scope_violation');
    }
  });
});

describe('inPlatform', () => {
  test('sees who exists, and nothing of what they have', async () => {
    expect(
      await readableColumns((sql) => database.scopes.inPlatform((unit) => unit.sql<{ value: unknown }>(sql))),
    ).toEqual([]);
    const rows = await database.scopes.inPlatform((unit) =>
      unit.sql<{ id: string }>('SELECT id FROM directory.tenants'),
    );
    expect(rows.map(({ id }) => id).sort()).toEqual([...inOrganization, elsewhere].sort());
  });

  test('deletes nobody, and takes no tenant’s key', async () => {
    for (const sql of [
      'DELETE FROM directory.external_keys',
      'UPDATE directory.external_keys SET channel_id = channel_id',
      'UPDATE swarmgate.master_keys SET check_value = id',
    ])
      expect(await refusal(database.scopes.inPlatform, sql), sql).toBe('scope_violation');
    const ended = await database.scopes.inPlatform(async (unit) => [
      ...(await unit.sql('DELETE FROM directory.tenants RETURNING id')),
      ...(await unit.sql('DELETE FROM directory.organizations RETURNING id')),
    ]);
    expect(ended).toEqual([]);
  });
});

describe('inTenant', () => {
  test('sees itself and its organization in the directory, and its own keys', async () => {
    const [tenantId] = inOrganization;
    const seen = await database.scopes.inTenant(tenantId, async (unit) => ({
      organizations: (await unit.sql<{ id: string }>('SELECT id FROM directory.organizations')).map(
        ({ id }) => id,
      ),
      tenants: (await unit.sql<{ id: string }>('SELECT id FROM directory.tenants')).map(({ id }) => id),
      keys: (await unit.sql<{ key: string }>('SELECT key FROM directory.external_keys')).map(
        ({ key }) => key,
      ),
    }));
    expect(seen).toEqual({ organizations: [organization], tenants: [tenantId], keys: [`wk_${tenantId}`] });
  });

  test('claims no key for another tenant, takes none away, and moves none', async () => {
    const [tenantId] = inOrganization;
    const run = (work: (unit: Unit) => Promise<unknown>) => database.scopes.inTenant(tenantId, work);
    const claim = `INSERT INTO directory.external_keys (platform, kind, key, tenant_id, channel_id, cell)
      VALUES ('webchat', 'channel_key', 'wk_new', '${elsewhere}', gen_random_uuid(), 'local')`;
    expect(await refusal(run, claim)).toBe('scope_violation');
    expect(await refusal(run, `UPDATE directory.external_keys SET tenant_id = '${tenantId}'`)).toBe(
      'scope_violation',
    );
    const taken = await run((unit) =>
      unit.sql(`DELETE FROM directory.external_keys WHERE tenant_id <> '${tenantId}' RETURNING key`),
    );
    expect(taken).toEqual([]);
  });

  test.each(['directory.tenants', 'directory.organizations', 'swarmgate.this_cell'])(
    'does not write %s',
    async (table) => {
      const run = (work: (unit: Unit) => Promise<unknown>) => database.scopes.inTenant(elsewhere, work);
      expect(await refusal(run, `DELETE FROM ${table}`)).toBe('scope_violation');
    },
  );

  test.each(['swarmgate.master_keys', 'directory.cells', 'schema_history.migrations'])(
    'does not read %s',
    async (table) => {
      const run = (work: (unit: Unit) => Promise<unknown>) => database.scopes.inTenant(elsewhere, work);
      expect(await refusal(run, `SELECT 1 FROM ${table}`)).toBe('scope_violation');
    },
  );
});

describe('the auditor', () => {
  test('reads what was recorded of every tenant and its seals, and nothing else', async () => {
    const readable = new Set<string>();
    for (const { table, column } of columns) {
      await database.scopes
        .inAudit(async (unit) => {
          const rows = await unit.sql<{ count: string }>(`SELECT count(${column}) FROM ${table}`);
          expect(Number(rows[0]?.count)).toBeGreaterThanOrEqual(0);
          readable.add(table);
        })
        .catch((error: unknown) => expect(error).toMatchObject({ code: 'scope_violation' }));
    }
    expect([...readable].sort()).toEqual([
      'swarmgate.audit_drops',
      'swarmgate.audit_events',
      'swarmgate.audit_seals',
    ]);
    const [seen] = await database.scopes.inAudit((unit) =>
      unit.sql<{ tenants: string }>(
        'SELECT count(DISTINCT tenant_id) AS tenants FROM swarmgate.audit_events',
      ),
    );
    expect(seen?.tenants).toBe('3');
  });

  test.each(['directory.tenants', 'directory.organizations', 'identity.users', 'swarmgate.master_keys'])(
    'has no door to %s',
    async (table) => {
      expect(await refusal(database.scopes.inAudit, `SELECT 1 FROM ${table}`)).toBe('scope_violation');
    },
  );

  test.each([
    `UPDATE swarmgate.audit_events SET reason = ''`,
    'DELETE FROM swarmgate.audit_drops',
    'UPDATE swarmgate.audit_seals SET number = 7',
    'DELETE FROM swarmgate.audit_seals',
    `INSERT INTO swarmgate.audit_events (tenant_id, id, actor_kind, action, resource_kind, outcome)
       VALUES (gen_random_uuid(), gen_random_uuid(), 'nobody', 'a', 'b', 'allowed')`,
    'SELECT swarmgate.enter_tenant(gen_random_uuid())',
  ])('cannot %s', async (sql) => {
    expect(await refusal(database.scopes.inAudit, sql)).toBe('scope_violation');
  });
});

test('the auditor takes away no event that no statement says was old', async () => {
  const gone = await database.scopes.inAudit((unit) =>
    unit.sql('DELETE FROM swarmgate.audit_events RETURNING id'),
  );
  expect(gone).toEqual([]);
});

describe('the sweeper', () => {
  test('reads ids and times of what is due, whether it was tried before, and no other column', async () => {
    const read = (sql: string) =>
      database.asService(async (client) => {
        await client.query("BEGIN; SELECT set_config('role', 'swarmgate_sweeper', true)");
        try {
          return (await client.query<{ value: unknown }>(sql)).rows;
        } catch (error) {
          throw Object.assign(new Error('refused'), {
            code: (error as { code: string }).code === '42501' ? 'scope_violation' : 'unexpected',
          });
        } finally {
          await client.query('ROLLBACK');
        }
      });
    expect(await readableColumns(read)).toEqual(listedColumns('sweeper'));
  });

  test('finds due work of every tenant, ids only', async () => {
    const rows = await database.scopes.call<{ tenant_id: string }>('swarmgate.due_work_v2', [0, 100]);
    expect(rows).toHaveLength(6);
    expect(new Set(rows.map((row) => row.tenant_id))).toEqual(new Set([...inOrganization, elsewhere]));
    expect(Object.keys(rows[0] ?? {}).sort()).toEqual(['conversation_id', 'kind', 'tenant_id']);
  });

  test('tells of a channel only whether it is still as it was', async () => {
    const [tenantId] = inOrganization;
    const [channel] = await database.scopes.inTenant(tenantId, (unit) =>
      unit.sql<{ id: string }>('SELECT id FROM swarmgate.channels'),
    );
    const [described] = await database.scopes.call<{ stamp: string }>('swarmgate.describe_channels_v3', [
      [tenantId],
      [channel?.id],
    ]);
    const unchanged = (tenant: string, stamp: unknown) =>
      database.scopes.call('swarmgate.unchanged_channels_v1', [[tenant], [channel?.id], [stamp]]);
    expect(await unchanged(tenantId, described?.stamp)).toEqual([{ ordinal: 1 }]);
    expect(await unchanged(tenantId, 'another')).toEqual([]);
    expect(await unchanged(elsewhere, described?.stamp)).toEqual([]);
  });
});
