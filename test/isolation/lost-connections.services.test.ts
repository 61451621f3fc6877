import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { newId } from '#domain/ids.ts';
import type { Unit } from '#tenancy/scopes.ts';
import { aDatabase, type TestDatabase } from '../support/a-database.ts';
import { insertTenants } from './tenant-rows.ts';

/** What becomes of a unit whose connection is taken away, and of whoever gets a connection after it. */

const tenants = [newId(), newId()] as const;
const [ours] = tenants;
let database: TestDatabase;
const atEnd: (() => Promise<void>)[] = [];

beforeAll(async () => {
  database = await aDatabase((end) => void atEnd.push(end));
  await database.asOwner((client) => insertTenants(client, newId(), tenants));
});
afterAll(async () => {
  for (const end of atEnd) await end();
});

const processId = async (unit: Unit) => {
  const [row] = await unit.sql<{ pid: number }>('SELECT pg_backend_pid() AS pid');
  return row?.pid;
};

const signal = (name: 'pg_terminate_backend' | 'pg_cancel_backend', pid: number | undefined) =>
  database.asOwner(async (client) => {
    await client.query(`SELECT ${name}($1)`, [pid]);
    if (name === 'pg_terminate_backend') await gone(client.query.bind(client), pid);
  });

async function gone(
  query: (sql: string, values: unknown[]) => Promise<{ rowCount: number | null }>,
  pid: number | undefined,
): Promise<void> {
  while ((await query('SELECT 1 FROM pg_stat_activity WHERE pid = $1', [pid])).rowCount !== 0)
    await new Promise(setImmediate);
}

/** A unit that works as if nothing had happened. */
async function expectWorkingPool(): Promise<void> {
  const seen = await Promise.all(
    Array.from({ length: 30 }, (_, index) => {
      const tenantId = tenants[index % 2] ?? ours;
      return database.scopes.inTenant(tenantId, async (unit) => {
        const [row] = await unit.sql<{ right: boolean }>(
          `SELECT current_user = 'swarmgate_tenant' AND current_setting('swarmgate.tenant_id') = $1 AS right`,
          [tenantId],
        );
        return row?.right;
      });
    }),
  );
  expect(seen).toEqual(Array.from({ length: 30 }, () => true));
}

const unavailable = { code: 'storage_unavailable', retry: 'later' };

describe('a connection that is lost', () => {
  test('between two statements fails the unit, and not the process', async () => {
    const work = database.scopes.inTenant(ours, async (unit) => {
      await signal('pg_terminate_backend', await processId(unit));
      // Time for the socket's end to be seen while nobody waits for an answer.
      await new Promise((resolve) => setTimeout(resolve, 50));
      await unit.sql('SELECT 1');
    });
    await expect(work).rejects.toMatchObject(unavailable);
    await expectWorkingPool();
  });

  test('during a statement fails the unit', async () => {
    const work = database.scopes.inTenant(ours, async (unit) => {
      const pid = await processId(unit);
      await Promise.all([unit.sql('SELECT pg_sleep(30)'), signal('pg_terminate_backend', pid)]);
    });
    await expect(work).rejects.toMatchObject(unavailable);
    await expectWorkingPool();
  });

  test('before the commit does not pass for committed', async () => {
    const work = database.scopes.inTenant(ours, async (unit) => {
      await unit.sql(
        `INSERT INTO swarmgate.events (tenant_id, id, kind, subject) VALUES ($1, $2, 'lost', '{}')`,
        [ours, newId()],
      );
      await signal('pg_terminate_backend', await processId(unit));
    });
    await expect(work).rejects.toMatchObject(unavailable);
    const rows = await database.scopes.inTenant(ours, (unit) =>
      unit.sql(`SELECT 1 FROM swarmgate.events WHERE kind = 'lost'`),
    );
    expect(rows).toEqual([]);
  });

  test('while it is idle is replaced', async () => {
    await expectWorkingPool();
    await database.asOwner(async (client) => {
      const { rows } = await client.query<{ pid: number }>(
        `SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'swarmgate'`,
      );
      expect(rows.length).toBeGreaterThan(0);
      for (const { pid } of rows) {
        await client.query('SELECT pg_terminate_backend($1)', [pid]);
        await gone(client.query.bind(client), pid);
      }
    });
    await new Promise((resolve) => setTimeout(resolve, 50));
    await expectWorkingPool();
  });
});

describe('a statement that is stopped', () => {
  test('by an operator fails the unit and leaves a clean connection', async () => {
    const work = database.scopes.inTenant(ours, async (unit) => {
      const pid = await processId(unit);
      await Promise.all([unit.sql('SELECT pg_sleep(30)'), signal('pg_cancel_backend', pid)]);
    });
    await expect(work).rejects.toMatchObject(unavailable);
    await expectWorkingPool();
  });

  test('by its time limit fails the unit and leaves a clean connection', async () => {
    const work = database.scopes.inTenant(ours, async (unit) => {
      await unit.sql("SET LOCAL statement_timeout = '50ms'");
      await unit.sql('SELECT pg_sleep(30)');
    });
    await expect(work).rejects.toMatchObject(unavailable);
    await expectWorkingPool();
  });

  test('has such a limit, and so has a unit that stands still', async () => {
    const limits = await database.asService(async (client) => {
      const { rows } = await client.query<{ name: string; setting: string }>(
        `SELECT name, setting FROM pg_catalog.pg_settings
           WHERE name IN ('statement_timeout', 'idle_in_transaction_session_timeout') ORDER BY name`,
      );
      return rows;
    });
    expect(limits).toEqual([
      { name: 'idle_in_transaction_session_timeout', setting: '60000' },
      { name: 'statement_timeout', setting: '30000' },
    ]);
  });
});

test('200 units while connections are being killed never see each other’s rows', async () => {
  const killed = { count: 0 };
  const work = Array.from({ length: 200 }, (_, index) => {
    const tenantId = tenants[index % 2] ?? ours;
    return database.scopes
      .inTenant(tenantId, async (unit) => {
        await unit.sql(
          `INSERT INTO swarmgate.events (tenant_id, id, kind, subject) VALUES ($1, $2, 'soak', '{}')`,
          [tenantId, newId()],
        );
        if (index % 20 === 0) await signal('pg_terminate_backend', await processId(unit));
        const rows = await unit.sql<{ tenant_id: string }>('SELECT DISTINCT tenant_id FROM swarmgate.events');
        expect(rows).toEqual([{ tenant_id: tenantId }]);
      })
      .catch((error: { code?: string }) => {
        if (error.code !== 'storage_unavailable') throw error;
        killed.count += 1;
      });
  });
  await Promise.all(work);
  expect(killed.count).toBe(10);
  await expectWorkingPool();
});
