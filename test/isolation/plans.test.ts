import { expect, onTestFinished, test } from 'vitest';
import { newId } from '#domain/ids.ts';
import { aDatabase } from '../support/a-database.ts';

/** How rows that grow in number with what is said are looked for: by all of these columns, each an equality. */
const lookups: readonly [table: string, ...columns: string[]][] = [
  ...['participants', 'conversations', 'messages', 'turns', 'deliveries', 'files'].map(
    (table) => [table, 'tenant_id', 'id'] as [string, ...string[]],
  ),
  ['participants', 'tenant_id', 'channel_id', 'external_id'],
  ['conversations', 'tenant_id', 'channel_id', 'external_id'],
  ['turns', 'tenant_id', 'message_id'],
  ['deliveries', 'tenant_id', 'message_id'],
  ['inbound_keys', 'tenant_id', 'channel_id', 'key'],
  ['delivery_parts', 'tenant_id', 'delivery_id', 'number'],
  ['delivery_parts', 'tenant_id', 'external_id'],
  ['turn_steps', 'tenant_id', 'turn_id', 'number'],
  ['conversation_references', 'tenant_id', 'channel_id', 'conversation_external_id'],
  ['files', 'tenant_id', 'message_id'],
  ['webhook_events', 'tenant_id', 'id'],
  ['webhook_deliveries', 'tenant_id', 'event_id', 'endpoint_id'],
  ['webhook_attempts', 'tenant_id', 'event_id', 'endpoint_id', 'number'],
];

type Plan = { Filter?: string; 'Index Name'?: string; 'Index Cond'?: string; Plans?: Plan[] };
const nodesOf = (plan: Plan): Plan[] => [plan, ...(plan.Plans ?? []).flatMap(nodesOf)];

// A plan that reads all rows of the tenant costs nothing while there are none, and is kept when there are a million.
test.each(lookups)(
  'a row of %s is found by its whole key, also by a plan that was made in an empty database',
  async (table, ...columns) => {
    const database = await aDatabase(onTestFinished);
    const plans = await database.asService(async (client) => {
      await client.query('SET ROLE swarmgate_tenant');
      await client.query(`SET plan_cache_mode = 'force_generic_plan'`);
      const { rows } = await client.query<{ name: string; type: string }>(
        `SELECT a.attname AS name, format_type(a.atttypid, NULL) AS type FROM pg_catalog.pg_attribute a
         WHERE a.attrelid = 'swarmgate.${table}'::regclass AND a.attname = ANY($1) ORDER BY array_position($1, a.attname::text)`,
        [columns],
      );
      const conditions = rows.map(({ name }, index) => `${name} = $${index + 1}`).join(' AND ');
      const types = rows.map(({ type }) => type).join(', ');
      const values = rows.map(({ type }) => (type === 'uuid' ? `'${newId()}'` : `'1'`)).join(', ');
      await client.query(`PREPARE look (${types}) AS SELECT 1 FROM swarmgate.${table} WHERE ${conditions}`);
      const explained = await client.query<{ 'QUERY PLAN': { Plan: Plan }[] }>(
        `EXPLAIN (FORMAT JSON) EXECUTE look (${values})`,
      );
      await client.query('DEALLOCATE look');
      await client.query('RESET plan_cache_mode');
      await client.query('RESET ROLE');
      return explained.rows[0]?.['QUERY PLAN'].flatMap(({ Plan }) => nodesOf(Plan)) ?? [];
    });
    expect(plans.map(({ Filter }) => Filter).filter(Boolean)).toEqual([]);
    const condition = plans.map((plan) => plan['Index Cond'] ?? '').join(' ');
    for (const column of columns) expect(condition).toContain(`${column} = `);
  },
);

/** What looks over the rows of all tenants each second, and the index that has only those that there is something to do with. */
const looks: readonly [index: string, sql: string][] = [
  [
    'messages_untold_idx',
    'SELECT m.tenant_id FROM swarmgate.messages m ORDER BY m.tenant_id, m.created_at LIMIT 1',
  ],
  [
    'messages_untold_idx',
    `SELECT m.tenant_id FROM swarmgate.messages m WHERE m.tenant_id > '${newId()}' ORDER BY m.tenant_id, m.created_at LIMIT 1`,
  ],
  [
    'events_untold_idx',
    'SELECT e.tenant_id FROM swarmgate.events e ORDER BY e.tenant_id, e.created_at LIMIT 1',
  ],
  [
    'webhook_deliveries_due_idx',
    `SELECT d.tenant_id, d.endpoint_id FROM swarmgate.webhook_deliveries d WHERE d.due_at IS NOT NULL
       AND (d.tenant_id, d.endpoint_id) > ('${newId()}', '${newId()}') ORDER BY d.tenant_id, d.endpoint_id, d.due_at LIMIT 1`,
  ],
];

test.each(looks)(
  'what there is to do is found in %s alone, also by a plan that was made in an empty database',
  async (index, sql) => {
    const database = await aDatabase(onTestFinished);
    const plans = await database.asService(async (client) => {
      await client.query('SET ROLE swarmgate_sweeper');
      const { rows } = await client.query<{ 'QUERY PLAN': { Plan: Plan }[] }>(`EXPLAIN (FORMAT JSON) ${sql}`);
      await client.query('RESET ROLE');
      return rows[0]?.['QUERY PLAN'].flatMap(({ Plan }) => nodesOf(Plan)) ?? [];
    });
    expect(plans.flatMap((plan) => plan['Index Name'] ?? [])).toEqual([index]);
    expect(plans.map(({ Filter }) => Filter).filter(Boolean)).toEqual([]);
  },
);
