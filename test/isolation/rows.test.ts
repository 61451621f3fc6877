import type pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { newId } from '#domain/ids.ts';
import { aDatabase, type TestDatabase } from '../support/a-database.ts';
import { classification } from './classification.ts';
import { insertMembers, insertRow, insertTenants, type Row, rowsOfTenant } from './tenant-rows.ts';

/** `theirs` is the tenant whose rows are reached for; `ours` the one that reaches when it should not. */
const ours = newId();
const theirs = newId();
let database: TestDatabase;
let tables: string[];
let ourRows: Readonly<Record<string, Row>>;
let theirRows: Readonly<Record<string, Row>>;
const atEnd: (() => Promise<void>)[] = [];

beforeAll(async () => {
  database = await aDatabase((end) => void atEnd.push(end));
  await database.asOwner(async (client) => {
    tables = await tenantTables(client);
    await insertTenants(client, newId(), [ours]);
    await insertTenants(client, newId(), [theirs]);
    ourRows = rowsOfTenant(ours);
    theirRows = rowsOfTenant(theirs);
    for (const rows of [ourRows, theirRows]) {
      await insertMembers(client, rows);
      for (const table of tables) await insertRow(client, table, rowOf(rows, table));
    }
  });
});
afterAll(async () => {
  for (const end of atEnd) await end();
});

// In the order of the example rows, parents first. A tenant table without an example is an error here, not a gap.
async function tenantTables(client: pg.ClientBase): Promise<string[]> {
  const { rows } = await client.query<{ name: string }>(
    `SELECT format('%I.%I', table_schema, table_name) AS name FROM information_schema.columns
       WHERE column_name = 'tenant_id' AND table_schema IN ('swarmgate', 'identity')`,
  );
  const order = Object.keys(rowsOfTenant(newId()));
  const names = rows.map(({ name }) => name);
  expect(names.filter((name) => !order.includes(name))).toEqual([]);
  return names.sort((a, b) => order.indexOf(a) - order.indexOf(b));
}

function rowOf(rows: Readonly<Record<string, Row>>, table: string): Row {
  const row = rows[table];
  if (!row) throw new Error(`There is no example row for ${table}.`);
  return row;
}

/** Each tries one thing on the rows of `theirs` and answers how many of them it reached. */
const operations: Readonly<
  Record<string, (client: pg.ClientBase, table: string, actingAs: string) => Promise<number>>
> = {
  async select(client, table) {
    const { rows } = await client.query<{ tenant_id: string }>(`SELECT * FROM ${table}`);
    return rows.filter((row) => row.tenant_id === theirs).length;
  },
  async insert(client, table, actingAs) {
    const fresh = rowsOfTenant(theirs);
    // What it refers to comes first, where that can be written. Policies are asked before foreign keys.
    const before = actingAs === theirs ? tables.slice(0, tables.indexOf(table)) : [];
    const parents = before.filter((name) => rightsOn(name).includes('INSERT'));
    for (const parent of parents) await insertRow(client, parent, rowOf(fresh, parent));
    return insertRow(client, table, rowOf(fresh, table));
  },
  async update(client, table) {
    const { rowCount } = await client.query(
      `UPDATE ${table} SET tenant_id = tenant_id WHERE tenant_id = $1`,
      [theirs],
    );
    return rowCount ?? 0;
  },
  async delete(client, table) {
    let reached = 0;
    // What refers to it goes first.
    for (const child of tables.slice(tables.indexOf(table)).reverse()) {
      const { rowCount } = await client.query(`DELETE FROM ${child} WHERE tenant_id = $1`, [theirs]);
      reached = rowCount ?? 0;
    }
    return reached;
  },
  async upsert(client, table) {
    const { rows } = await client.query<{ columns: string }>(
      `SELECT string_agg(a.attname, ', ') AS columns FROM pg_catalog.pg_index i
         JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey)
         WHERE i.indrelid = $1::regclass AND i.indisprimary`,
      [table],
    );
    return insertRow(
      client,
      table,
      rowOf(theirRows, table),
      `ON CONFLICT (${rows[0]?.columns}) DO UPDATE SET tenant_id = excluded.tenant_id`,
    );
  },
  async returning(client, table) {
    const { rows } = await client.query<{ tenant_id: string }>(
      `UPDATE ${table} SET tenant_id = tenant_id RETURNING *`,
    );
    return rows.filter((row) => row.tenant_id === theirs).length;
  },
};

/** Runs one attempt as a role with a tenant entered, undoes it, and says what came of it. */
async function attempt(
  role: string,
  tenantId: string,
  work: (client: pg.ClientBase) => Promise<number>,
): Promise<string> {
  return database.asService(async (client) => {
    await client.query('BEGIN');
    try {
      await client.query(`SELECT set_config('role', $1, true), set_config('swarmgate.tenant_id', $2, true)`, [
        role,
        tenantId,
      ]);
      return `${await work(client)} rows`;
    } catch (error) {
      return `refused (${(error as { code?: string }).code})`;
    } finally {
      await client.query('ROLLBACK');
    }
  });
}

async function outcomes(role: string, tenantId: string, operation: string): Promise<Record<string, string>> {
  const run = operations[operation];
  if (!run) throw new Error(`There is no operation "${operation}".`);
  const found: Record<string, string> = {};
  for (const table of tables)
    found[table] = await attempt(role, tenantId, (client) => run(client, table, tenantId));
  return found;
}

/** What a tenant may do with its own rows. */
function rightsOn(table: string): string[] {
  const found = classification[table];
  return ((found?.kind === 'tenant' && found.rights) || 'DELETE INSERT SELECT UPDATE').split(' ');
}

/** What each operation needs, in every table that it touches. */
const rightsNeeded: Readonly<Record<string, readonly string[]>> = {
  select: ['SELECT'],
  insert: ['INSERT'],
  update: ['UPDATE'],
  delete: ['DELETE'],
  upsert: ['INSERT', 'UPDATE'],
  returning: ['UPDATE'],
};

const everyTable = (outcome: string) => Object.fromEntries(tables.map((table) => [table, outcome]));

/** The same, except where a tenant has not the right to do that to its own rows either. */
function whereItMay(operation: string, outcome: string): Record<string, string> {
  const mayAll = (table: string) =>
    rightsNeeded[operation]?.every((right) => rightsOn(table).includes(right)) ?? false;
  return Object.fromEntries(tables.map((table) => [table, mayAll(table) ? outcome : 'refused (42501)']));
}

const names = Object.keys(operations);
const writesFirst = ['insert', 'upsert'];

describe('as swarmgate_tenant', () => {
  test.each(names)('%s without a tenant reaches nothing', async (operation) => {
    const nothing = writesFirst.includes(operation) ? 'refused (42501)' : '0 rows';
    expect(await outcomes('swarmgate_tenant', '', operation)).toEqual(whereItMay(operation, nothing));
  });

  test.each(names)('%s as another tenant reaches nothing', async (operation) => {
    const nothing = writesFirst.includes(operation) ? 'refused (42501)' : '0 rows';
    expect(await outcomes('swarmgate_tenant', ours, operation)).toEqual(whereItMay(operation, nothing));
  });

  test.each(names)('%s as the tenant itself reaches its own row', async (operation) => {
    expect(await outcomes('swarmgate_tenant', theirs, operation)).toEqual(whereItMay(operation, '1 rows'));
  });
});

describe('as swarmgate_service', () => {
  test.each(names)('%s is refused, whichever tenant is named', async (operation) => {
    for (const tenantId of ['', ours, theirs])
      expect(await outcomes('swarmgate_service', tenantId, operation)).toEqual(everyTable('refused (42501)'));
  });
});

describe('between tenants', () => {
  test('no row moves to another tenant', async () => {
    const moved: Record<string, string> = {};
    for (const table of tables) {
      moved[table] = await attempt('swarmgate_tenant', ours, async (client) => {
        const { rowCount } = await client.query(`UPDATE ${table} SET tenant_id = $1`, [theirs]);
        return rowCount ?? 0;
      });
    }
    expect(moved).toEqual(everyTable('refused (42501)'));
  });

  test('no row refers to a row of another tenant', async () => {
    const keys = await database.asOwner(foreignKeys);
    expect(keys.length).toBeGreaterThan(15);
    const made: Record<string, string> = {};
    for (const { name, table, parent, columns, parentColumns } of keys) {
      const foreign = rowOf(theirRows, parent);
      const values = parentColumns.map((column) => foreign[column]);
      made[name] = await attempt('swarmgate_tenant', ours, async (client) => {
        // Rows that hang on this one would hold it back before it is looked at where it goes.
        for (const child of tables.slice(tables.indexOf(table) + 1).reverse())
          await client.query(`DELETE FROM ${child}`);
        const { rowCount } = await client.query(
          `UPDATE ${table} SET ${columns.map((column, index) => `${column} = $${index + 1}`).join(', ')}`,
          values,
        );
        return rowCount ?? 0;
      });
    }
    expect(made).toEqual(Object.fromEntries(keys.map(({ name }) => [name, 'refused (23503)'])));
  });
});

type ForeignKey = {
  name: string;
  table: string;
  parent: string;
  columns: string[];
  parentColumns: string[];
};

// Without the pair of tenant columns, which a row cannot change anyway.
async function foreignKeys(client: pg.ClientBase): Promise<ForeignKey[]> {
  const { rows } = await client.query<ForeignKey>(
    `SELECT k.conname AS name, k.conrelid::regclass::text AS table, k.confrelid::regclass::text AS parent,
         array_agg(here.attname::text ORDER BY pair.ordinal) AS columns,
         array_agg(there.attname::text ORDER BY pair.ordinal) AS "parentColumns"
       FROM pg_catalog.pg_constraint k
       CROSS JOIN unnest(k.conkey, k.confkey) WITH ORDINALITY AS pair (here, there, ordinal)
       JOIN pg_catalog.pg_attribute here ON here.attrelid = k.conrelid AND here.attnum = pair.here
       JOIN pg_catalog.pg_attribute there ON there.attrelid = k.confrelid AND there.attnum = pair.there
       WHERE k.contype = 'f' AND k.conrelid::regclass::text ~ '^(swarmgate|identity)[.]' AND k.confrelid::regclass::text LIKE 'swarmgate.%'
         AND here.attname <> 'tenant_id'
       GROUP BY k.oid, k.conname, k.conrelid, k.confrelid ORDER BY 1`,
  );
  return rows;
}
