import type pg from 'pg';
import { expect, onTestFinished, test } from 'vitest';
import { createDeliveryJournal } from '#conversations/delivery-journal.ts';
import { createReceiveMessage } from '#conversations/receive-message.ts';
import { createTurnJournal } from '#conversations/turn-journal.ts';
import { newId, type Uuid } from '#domain/ids.ts';
import type { HotPathFunction, Scopes } from '#tenancy/scopes.ts';
import { aDatabase } from '../support/a-database.ts';
import { insertRow, insertTenants, rowsOfTenant } from './tenant-rows.ts';

/** The journey of messages of one tenant in one session of the database, whose plans were made when there was nothing. */
async function aJourney(client: pg.ClientBase, tenantId: Uuid, channelId: Uuid) {
  await client.query(`SET plan_cache_mode = 'force_generic_plan'`);
  const scopes = {
    async call(name: HotPathFunction, parameters: readonly unknown[]) {
      const places = parameters.map((_, index) => `$${index + 1}`).join(', ');
      return (await client.query(`SELECT * FROM ${name}(${places})`, [...parameters])).rows;
    },
  } as Scopes;
  const receive = createReceiveMessage({
    scopes,
    queue: { wake: async () => true },
    live: { publish: () => {} },
    metrics: { received: () => {} },
  });
  const lasting = { holder: 'a worker', leaseMs: 60_000, claimMs: 60_000 };
  const turns = createTurnJournal(scopes, lasting);
  const deliveries = createDeliveryJournal(scopes, lasting);

  const ask = (conversation: string, text: string) =>
    receive(
      { tenantId, channelId, platform: 'webchat' },
      {
        ...{ kind: 'message', key: newId(), conversationExternalId: conversation, text, content: {} },
        participant: { externalId: `visitor ${conversation}`, verified: false, profile: {} },
      },
    );
  const say = async (conversation: string, text: string) => {
    const received = await ask(conversation, text);
    const turn = await turns.begin(tenantId, received?.conversationId as Uuid);
    if (!turn) throw new Error('There is no turn to begin.');
    const outcome = { state: 'done', role: 'agent', text, content: {} } as const;
    const committed = await turns.commit(turn, outcome, { takeNext: true, claim: true });
    if (!committed?.delivery) throw new Error('There is no delivery.');
    const sent = { state: 'sent', externalIds: [newId()], doubled: false } as const;
    await deliveries.record(committed.delivery, sent, true);
    return turn;
  };
  return { ask, say };
}

/** How many rows of tables that session has looked at. */
async function rowsRead(client: pg.ClientBase): Promise<number> {
  const { rows } = await client.query<{ read: string }>(
    `SELECT sum(seq_tup_read + coalesce(idx_tup_fetch, 0)) AS read FROM pg_catalog.pg_stat_xact_user_tables`,
  );
  return Number(rows[0]?.read);
}

// Row by row is fast, and a join that reads all rows of the tenant is as fast while there are few.
test('what a message makes the database read grows with neither the tenant nor the conversation', async () => {
  const database = await aDatabase(onTestFinished);
  const tenantId = newId();
  const rows = rowsOfTenant(tenantId);
  await database.asOwner(async (client) => {
    await insertTenants(client, newId(), [tenantId]);
    for (const table of ['swarmgate.agents', 'swarmgate.channels'] as const)
      await insertRow(client, table, { ...rows[table] });
    await client.query(`UPDATE swarmgate.agents SET slug = 'default', sealed = '{}'`);
    // Nobody stands in line.
    await client.query('UPDATE directory.tenants SET running_turns_max = 1000');
  });
  await database.asService(async (client) => {
    const { ask, say } = await aJourney(client, tenantId, rows['swarmgate.channels']?.['id'] as Uuid);
    const readFor = async (conversation: string) => {
      await client.query('BEGIN');
      const before = await rowsRead(client);
      const { history } = await say(conversation, 'how much?');
      const read = (await rowsRead(client)) - before;
      await client.query('COMMIT');
      return { read, history: history.length };
    };
    await say('long', 'first');
    const first = await readFor('other');
    const waiting = 100;
    for (let n = 0; n < waiting; n += 1) {
      await say('long', `message ${n}`);
      await ask(`waiting ${n}`, 'and me?');
    }
    const inAnother = await readFor('yet another');
    const inTheLong = await readFor('long');
    // What is due is counted, up to the ceiling of the tenant.
    expect(inAnother.read).toBeLessThanOrEqual(first.read + waiting);
    // Its history has 60 messages, half of which are looked up once more for their place.
    expect(inTheLong.history).toBe(60);
    expect(inTheLong.read).toBeLessThan(first.read + waiting + 200);
    await client.query('RESET plan_cache_mode');
  });
}, 120_000);

test('a message that nobody is to be told of costs one look at an index with nothing in it', async () => {
  const database = await aDatabase(onTestFinished);
  const [tenantId, told] = [newId(), newId()];
  const rows = rowsOfTenant(tenantId);
  await database.asOwner(async (client) => {
    await insertTenants(client, newId(), [tenantId, told]);
    for (const table of ['swarmgate.agents', 'swarmgate.channels'] as const)
      await insertRow(client, table, { ...rows[table] });
    await client.query(`UPDATE swarmgate.agents SET slug = 'default', sealed = '{}'`);
    // Others are told of everything.
    await insertRow(client, 'swarmgate.webhook_endpoints', {
      ...rowsOfTenant(told)['swarmgate.webhook_endpoints'],
    });
  });
  await database.asService(async (client) => {
    const { say } = await aJourney(client, tenantId, rows['swarmgate.channels']?.['id'] as Uuid);
    await say('one', 'first');
    const looked = async () => {
      const found = await client.query<{ looks: string; read: string; written: string }>(
        `SELECT sum(idx_scan) AS looks, sum(seq_tup_read + coalesce(idx_tup_fetch, 0)) AS read,
             sum(n_tup_ins + n_tup_upd) AS written
           FROM pg_catalog.pg_stat_xact_user_tables WHERE relname LIKE 'webhook%'`,
      );
      return Object.values(found.rows[0] ?? {}).map(Number);
    };
    await client.query('BEGIN');
    const [looks = 0, read = 0, written = 0] = await looked();
    await say('one', 'how much?');
    // The question and the answer.
    expect(await looked()).toEqual([looks + 2, read, written]);
    await client.query('COMMIT');
    await client.query('RESET plan_cache_mode');
  });
  const untold = await database.asOwner((client) =>
    client.query('SELECT FROM swarmgate.messages WHERE untold'),
  );
  expect(untold.rows).toEqual([]);
}, 60_000);
