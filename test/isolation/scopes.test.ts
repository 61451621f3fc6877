import type pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { newId, type Uuid } from '#domain/ids.ts';
import type { PlatformUnit, Unit } from '#tenancy/scopes.ts';
import { aDatabase, type TestDatabase } from '../support/a-database.ts';
import { insertTenants } from './tenant-rows.ts';

const organization = newId();
const ours = newId();
const theirs = newId();
let database: TestDatabase;
const atEnd: (() => Promise<void>)[] = [];

beforeAll(async () => {
  database = await aDatabase((end) => void atEnd.push(end));
  await database.asOwner((client) => insertTenants(client, organization, [ours, theirs]));
});
afterAll(async () => {
  for (const end of atEnd) await end();
});

type Standing = { role: string; tenant: string | null; organization: string | null };

const standingSql = `SELECT current_user AS role, nullif(current_setting('swarmgate.tenant_id', true), '') AS tenant,
  nullif(current_setting('swarmgate.organization_id', true), '') AS organization`;

const standing = async (unit: Unit) => (await unit.sql<Standing>(standingSql))[0];

/** Writes an event of the tenant, the cheapest row there is. */
const addEvent = (unit: Unit, tenantId: Uuid, kind = 'test') =>
  unit.sql('INSERT INTO swarmgate.events (tenant_id, id, kind, subject) VALUES ($1, $2, $3, $4)', [
    tenantId,
    newId(),
    kind,
    {},
  ]);

const countEvents = async (tenantId: Uuid, kind: string) => {
  const [row] = await database.scopes.inTenant(tenantId, (unit) =>
    unit.sql<{ n: number }>('SELECT count(*)::integer AS n FROM swarmgate.events WHERE kind = $1', [kind]),
  );
  return row?.n;
};

/** Every connection of the pool, as the next one to use it would find it. */
async function expectCleanConnections(): Promise<void> {
  const { pool } = database.database;
  const clients: pg.PoolClient[] = [];
  try {
    for (const total = pool.totalCount; clients.length < total; ) clients.push(await pool.connect());
    for (const client of clients) {
      const { rows } = await client.query<Standing>(standingSql);
      expect(rows).toEqual([{ role: 'swarmgate_service', tenant: null, organization: null }]);
    }
  } finally {
    for (const client of clients) client.release();
  }
}

/** The statements that go over the wire while `work` runs, one round trip each. */
async function roundTrips(work: () => Promise<unknown>): Promise<string[]> {
  const client = await database.database.pool.connect();
  const connection = Object.getPrototypeOf(client) as { query: (...parameters: unknown[]) => unknown };
  client.release();
  const { query } = connection;
  const sent: string[] = [];
  connection.query = function (this: unknown, ...parameters: unknown[]) {
    const [statement] = parameters as [string | { text: string }];
    sent.push(typeof statement === 'string' ? statement : statement.text);
    return query.apply(this, parameters);
  };
  try {
    await work();
  } finally {
    connection.query = query;
  }
  return sent;
}

describe('a unit', () => {
  test('is one tenant’s, by role and setting', async () => {
    expect(await database.scopes.inTenant(ours, standing)).toEqual({
      role: 'swarmgate_tenant',
      tenant: ours,
      organization: null,
    });
    expect(await database.scopes.inOrganization(organization, standing)).toEqual({
      role: 'swarmgate_organization',
      tenant: null,
      organization,
    });
    expect(await database.scopes.inPlatform(standing)).toEqual({
      role: 'swarmgate_platform',
      tenant: null,
      organization: null,
    });
    await expectCleanConnections();
  });

  test('enters its scope in the round trip of BEGIN', async () => {
    const sent = await roundTrips(() => database.scopes.inTenant(ours, (unit) => unit.sql('SELECT 1')));
    expect(sent).toEqual([`BEGIN; SELECT swarmgate.enter_tenant('${ours}')`, 'SELECT 1', 'COMMIT']);
  });

  test('is not opened for a tenant or an organization that does not exist', async () => {
    const work = () => Promise.reject(new Error('must not run'));
    const notFound = { code: 'tenant_not_found' };
    await expect(database.scopes.inTenant(newId(), work)).rejects.toMatchObject(notFound);
    await expect(database.scopes.inOrganization(newId(), work)).rejects.toMatchObject(notFound);
    // An organization is no tenant, and a tenant no organization.
    await expect(database.scopes.inTenant(organization, work)).rejects.toMatchObject(notFound);
    await expect(database.scopes.inOrganization(ours, work)).rejects.toMatchObject(notFound);
    await expectCleanConnections();
  });

  test('is not opened for a tenant of another cell', async () => {
    const elsewhere = newId();
    await database.asOwner(async (client) => {
      await client.query(`INSERT INTO directory.cells (id, region) VALUES ('far', 'far')`);
      await insertTenants(client, newId(), [elsewhere]);
      await client.query(`UPDATE directory.tenants SET cell = 'far' WHERE id = $1`, [elsewhere]);
    });
    await expect(database.scopes.inTenant(elsewhere, standing)).rejects.toMatchObject({
      code: 'tenant_not_found',
    });
  });

  test.each([
    '',
    'null',
    "0198c0de-0000-7000-8000-000000000001'); SELECT swarmgate.enter_platform(); --",
    '0198C0DE-0000-7000-8000-000000000001',
    '0198c0de-0000-7000-8000-000000000001\n',
  ])('is opened by a UUID only: %j', async (id) => {
    await expect(database.scopes.inTenant(id, standing)).rejects.toThrow(TypeError);
    await expect(database.scopes.inOrganization(id, standing)).rejects.toThrow(TypeError);
  });

  test('refuses another one inside it, and a hot-path call, and is itself unharmed', async () => {
    const nested = { code: 'nested_unit' };
    await database.scopes.inTenant(ours, async (unit) => {
      await expect(database.scopes.inTenant(ours, standing)).rejects.toMatchObject(nested);
      await expect(database.scopes.inOrganization(organization, standing)).rejects.toMatchObject(nested);
      await expect(database.scopes.inPlatform(standing)).rejects.toMatchObject(nested);
      await expect(database.scopes.call('swarmgate.backlog_v1', [])).rejects.toMatchObject(nested);
      await addEvent(unit, ours, 'nested');
    });
    expect(await countEvents(ours, 'nested')).toBe(1);
  });

  test('sees every audit trail in the scope of auditing, and steps into no tenant from there', async () => {
    expect(await database.scopes.inAudit(standing)).toMatchObject({
      role: 'swarmgate_auditor',
      tenant: null,
    });
    const stepDown = database.scopes.inAudit((unit) => unit.sql('SELECT swarmgate.enter_tenant($1)', [ours]));
    await expect(stepDown).rejects.toMatchObject({ code: 'scope_violation' });
    await expectCleanConnections();
  });

  test('does not stand in the way of what was begun inside it and runs after it', async () => {
    const ended = Promise.withResolvers<void>();
    let later: Promise<unknown> = Promise.resolve();
    await database.scopes.inTenant(ours, async () => {
      later = ended.promise.then(() => database.scopes.inTenant(theirs, standing));
    });
    ended.resolve();
    expect(await later).toMatchObject({ tenant: theirs });
  });

  test('is undone when its work throws', async () => {
    const work = database.scopes.inTenant(ours, async (unit) => {
      await addEvent(unit, ours, 'undone');
      throw new RangeError('on purpose');
    });
    await expect(work).rejects.toThrow(new RangeError('on purpose'));
    expect(await countEvents(ours, 'undone')).toBe(0);
    await expectCleanConnections();
  });

  test('fails when a statement failed in it, also when its work went on as if nothing had happened', async () => {
    const work = database.scopes.inTenant(ours, async (unit) => {
      await addEvent(unit, ours, 'swallowed');
      await unit.sql('SELECT 1/0').catch(() => {});
      return 'all is well';
    });
    await expect(work).rejects.toMatchObject({ code: 'unit_aborted' });
    expect(await countEvents(ours, 'swallowed')).toBe(0);
    await expectCleanConnections();
  });

  test('is of no use after its end', async () => {
    const kept: { unit?: PlatformUnit } = {};
    await database.scopes.inPlatform(async (unit) => {
      kept.unit = unit;
    });
    const ended = { code: 'unit_ended' };
    await expect(kept.unit?.sql(standingSql)).rejects.toMatchObject(ended);
    await expect(kept.unit?.becomeTenant(ours)).rejects.toMatchObject(ended);
    await expect(kept.unit?.prisma((prisma) => prisma.tenant.findMany())).rejects.toMatchObject(ended);
  });

  test('names the rule that a value breaks, and what leaves its scope', async () => {
    const key = (tenantId: Uuid) => (unit: Unit) =>
      unit.sql(
        `INSERT INTO directory.external_keys (platform, kind, key, tenant_id, channel_id, cell)
           VALUES ('webchat', 'channel_key', 'wk_taken', $1, $2, 'local')`,
        [tenantId, newId()],
      );
    await database.scopes.inTenant(theirs, key(theirs));
    await expect(database.scopes.inTenant(ours, key(ours))).rejects.toMatchObject({
      code: 'conflict',
      constraint: 'external_keys_pkey',
    });
    await expect(database.scopes.inTenant(ours, key(theirs))).rejects.toMatchObject({
      code: 'scope_violation',
    });
    await expectCleanConnections();
  });
});

describe('becomeTenant', () => {
  test('leaves the platform for one tenant', async () => {
    const seen = await database.scopes.inPlatform(async (unit) => {
      await unit.becomeTenant(ours);
      return standing(unit);
    });
    expect(seen).toMatchObject({ role: 'swarmgate_tenant', tenant: ours });
    await expectCleanConnections();
  });

  test.each([
    'SELECT swarmgate.enter_platform()',
    `SELECT swarmgate.enter_organization('${organization}')`,
    `SELECT swarmgate.enter_tenant('${theirs}')`,
  ])('has no way back: %s', async (sql) => {
    const work = database.scopes.inPlatform(async (unit) => {
      await unit.becomeTenant(ours);
      await unit.sql(sql);
    });
    await expect(work).rejects.toMatchObject({ code: 'scope_violation' });
    await expectCleanConnections();
  });

  test('happens once', async () => {
    const work = database.scopes.inPlatform(async (unit) => {
      await unit.becomeTenant(ours);
      await unit.becomeTenant(theirs);
    });
    await expect(work).rejects.toMatchObject({ code: 'scope_violation' });
  });
});

describe('Prisma', () => {
  const countAgents = async () => {
    const [row] = await database.scopes.inTenant(ours, (unit) =>
      unit.sql<{ n: number }>('SELECT count(*)::integer AS n FROM swarmgate.agents'),
    );
    return row?.n;
  };
  const agent = () => ({ tenantId: ours, id: newId(), slug: newId(), name: 'Agent', model: 'builtin/echo' });

  test('shares the transaction with SQL, in both directions', async () => {
    await database.scopes.inTenant(ours, async (unit) => {
      const { id } = await unit.prisma((prisma) => prisma.agent.create({ data: agent() }));
      expect(await unit.sql('SELECT id FROM swarmgate.agents WHERE id = $1', [id])).toEqual([{ id }]);
      await unit.sql('UPDATE swarmgate.agents SET name = $1 WHERE id = $2', ['Renamed', id]);
      const read = await unit.prisma((prisma) => prisma.agent.findMany({ where: { id } }));
      expect(read.map(({ name }) => name)).toEqual(['Renamed']);
      const transactions = new Set<string>();
      for (const run of [
        () => unit.sql<{ xid: string }>('SELECT pg_current_xact_id()::text AS xid'),
        () =>
          unit.prisma(
            (prisma) => prisma.$queryRaw<{ xid: string }[]>`SELECT pg_current_xact_id()::text AS xid`,
          ),
      ])
        for (const { xid } of await run()) transactions.add(xid);
      expect(transactions.size).toBe(1);
    });
  });

  test('is bound by the unit’s scope', async () => {
    await database.scopes.inTenant(theirs, async (unit) => {
      expect(await unit.prisma((prisma) => prisma.agent.findMany())).toEqual([]);
    });
    const smuggle = database.scopes.inTenant(theirs, (unit) =>
      unit.prisma((prisma) => prisma.agent.create({ data: agent() })),
    );
    await expect(smuggle).rejects.toMatchObject({ code: 'scope_violation' });
    await expectCleanConnections();
  });

  test('undoes what its work wrote when it throws, and the unit goes on', async () => {
    const before = await countAgents();
    await database.scopes.inTenant(ours, async (unit) => {
      await unit.prisma((prisma) => prisma.agent.create({ data: agent() }));
      await expect(
        unit.prisma(async (prisma) => {
          await prisma.agent.create({ data: agent() });
          throw new RangeError('on purpose');
        }),
      ).rejects.toThrow(RangeError);
      // A statement that the database refuses, too.
      const double = agent();
      await expect(
        unit.prisma(async (prisma) => {
          await prisma.agent.create({ data: double });
          await prisma.agent.create({ data: double });
        }),
      ).rejects.toMatchObject({ code: 'conflict' });
      await unit.sql('SELECT 1');
    });
    expect(await countAgents()).toBe((before ?? 0) + 1);
  });

  test('works for one at a time: two pieces of work would undo each other', async () => {
    const work = database.scopes.inTenant(ours, (unit) =>
      Promise.all([
        unit.prisma((prisma) => prisma.agent.create({ data: agent() })),
        unit.prisma((prisma) => prisma.agent.create({ data: agent() })),
      ]),
    );
    await expect(work).rejects.toMatchObject({ code: 'nested_unit' });
    await expectCleanConnections();
  });

  test('has no connection once its work is over', async () => {
    const kept: { query?: () => Promise<unknown> } = {};
    await database.scopes.inTenant(ours, async (unit) => {
      await unit.prisma(async (prisma) => {
        kept.query = () => prisma.agent.findMany();
      });
      await expect(kept.query?.()).rejects.toThrow();
    });
    await expect(kept.query?.()).rejects.toThrow();
    await expectCleanConnections();
  });
});

describe('a statement outside a unit', () => {
  test('finds nothing and may do nothing', async () => {
    const { pool } = database.database;
    await expect(pool.query('SELECT * FROM swarmgate.messages')).rejects.toMatchObject({ code: '42501' });
    await expect(pool.query('SELECT * FROM directory.tenants')).rejects.toMatchObject({ code: '42501' });
    await expect(pool.query('CREATE TABLE swarmgate.mine ()')).rejects.toMatchObject({ code: '42501' });
    await pool.query('RESET ROLE');
    await expect(pool.query('SELECT * FROM swarmgate.messages')).rejects.toMatchObject({ code: '42501' });
    await expectCleanConnections();
  });
});

test('200 units of two tenants at once, one in seven failing, never see each other’s rows', async () => {
  const failures = [
    (unit: Unit) => unit.sql('SELECT 1/0'),
    (unit: Unit) => addEvent(unit, newId()),
    () => Promise.reject(new Error('on purpose')),
    (unit: Unit) => unit.sql('SELECT * FROM swarmgate.no_such_table'),
  ];
  const counts = { units: 0, failed: 0 };
  const oneUnit = async (index: number) => {
    const tenantId = index % 2 === 0 ? ours : theirs;
    counts.units += 1;
    const work = database.scopes.inTenant(tenantId, async (unit) => {
      await addEvent(unit, tenantId, 'soak');
      if (index % 7 === 0) await failures[index % failures.length]?.(unit);
      const { rows, at } = {
        rows: await unit.sql<{ tenant_id: string }>('SELECT DISTINCT tenant_id FROM swarmgate.events'),
        at: await standing(unit),
      };
      expect(rows).toEqual([{ tenant_id: tenantId }]);
      expect(at).toMatchObject({ role: 'swarmgate_tenant', tenant: tenantId });
    });
    await work.catch((error: Error) => {
      if (index % 7 !== 0) throw error;
      counts.failed += 1;
    });
  };
  const calls = Array.from({ length: 50 }, () =>
    database.scopes.call<{ read_changes_v1: unknown }>('swarmgate.read_changes_v1', [ours, newId(), 0, 10]),
  );
  await Promise.all([...Array.from({ length: 200 }, (_, index) => oneUnit(index)), ...calls]);
  expect(counts).toEqual({ units: 200, failed: 29 });
  expect(await countEvents(ours, 'soak')).toBe(100 - 15);
  expect(await countEvents(theirs, 'soak')).toBe(100 - 14);
  await expectCleanConnections();
});

test('a call that the database refuses costs no connection, and disturbs none of those behind it', async () => {
  const { scopes } = database;
  const refused = () => scopes.call('swarmgate.note_audit_v1', ['no JSON']);
  const fine = () => scopes.call('swarmgate.backlog_v1', []);
  const made: unknown[] = [];
  const onConnect = (client: unknown) => void made.push(client);
  await Promise.all(Array.from({ length: 20 }, fine));
  database.database.pool.on('connect', onConnect);
  const outcomes = await Promise.allSettled([
    fine(),
    refused(),
    fine(),
    refused(),
    refused(),
    fine(),
    fine(),
  ]);
  database.database.pool.off('connect', onConnect);
  expect(outcomes.map(({ status }) => status === 'fulfilled')).toEqual([
    true,
    false,
    true,
    false,
    false,
    true,
    true,
  ]);
  expect(made).toEqual([]);
  await expectCleanConnections();
});
