import type pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { newId } from '#domain/ids.ts';
import { aDatabase, type TestDatabase } from '../support/a-database.ts';
import { insertMembers, insertRow, insertTenants, type Row, rowsOfTenant } from './tenant-rows.ts';

/**
 * The hot path's functions, called by the superuser (as they would be where the service's login is the owner) for one
 * tenant with the ids of another: nothing comes back, and nothing of the other's changes.
 */

const ours = newId();
const theirs = newId();
const canary = 'parrot';
const fence = 7;
let database: TestDatabase;
const atEnd: (() => Promise<void>)[] = [];

const ourRows = rowsOfTenant(ours);
const theirRows = rowsOfTenant(theirs, canary);
const id = (rows: Readonly<Record<string, Row>>, table: string) => String(rows[`swarmgate.${table}`]?.['id']);
const their = (table: string) => id(theirRows, table);
const theirKey = String(theirRows['swarmgate.inbound_keys']?.['key']);
const our = (table: string) => id(ourRows, table);

beforeAll(async () => {
  database = await aDatabase((end) => void atEnd.push(end));
  await database.asOwner(async (client) => {
    await insertTenants(client, newId(), [ours]);
    await insertTenants(client, newId(), [theirs]);
    for (const rows of [ourRows, theirRows]) {
      await insertMembers(client, rows);
      for (const [table, row] of Object.entries(rows)) {
        const { rows: found } = await client.query('SELECT to_regclass($1) AS name', [table]);
        if (found[0].name !== null) await insertRow(client, table, row);
      }
    }
    // Both are at work: the leases are held under the same number.
    await client.query(
      `UPDATE swarmgate.conversations SET lease_number = $1, lease_holder = 'somebody', lease_expires_at = now() + interval '1 hour'`,
      [fence],
    );
    await client.query(`UPDATE swarmgate.turns SET state = 'running', fence = $1`, [fence]);
  });
});
afterAll(async () => {
  for (const end of atEnd) await end();
});

/** Everything that `theirs` has, as one text. */
async function everythingOfTheirs(client: pg.ClientBase): Promise<string> {
  let all = '';
  for (const table of Object.keys(theirRows)) {
    const { rows: found } = await client.query('SELECT to_regclass($1) AS name', [table]);
    if (found[0].name === null) continue;
    const { rows } = await client.query(`SELECT * FROM ${table} WHERE tenant_id = $1`, [theirs]);
    all += JSON.stringify([table, rows]);
  }
  return all;
}

type Call = { what: string; name: string; parameters: () => unknown[]; answers: unknown };

const nothing = null;
const text = JSON.stringify({ text: 'ours' });

const calls: readonly Call[] = [
  {
    what: 'finds no right here of a member of theirs',
    name: 'find_grant_v1',
    parameters: () => [ours, theirRows['identity.memberships']?.['user_id']],
    answers: nothing,
  },
  {
    what: 'finds no token issuer of theirs',
    name: 'find_token_issuers_v1',
    parameters: () => [ours, theirRows['swarmgate.token_issuers']?.['issuer']],
    answers: nothing,
  },
  {
    what: 'begins no turn of theirs',
    name: 'begin_turn_v1',
    parameters: () => [ours, their('conversations'), 'us', 60_000, 50],
    answers: nothing,
  },
  {
    what: 'begins no turn of theirs, and calls it busy',
    name: 'begin_turns_v1',
    parameters: () => [[ours], [their('conversations')], 'us', 60_000, 50],
    answers: '(1,t,)',
  },
  {
    what: 'ends no turn of theirs, and calls it busy',
    name: 'commit_turns_v1',
    parameters: () => commitTurns(their('conversations')),
    answers: '(1,t,)',
  },
  {
    what: 'ends no turn of theirs under a lease of ours',
    name: 'commit_turns_v1',
    parameters: () => commitTurns(our('conversations')),
    answers: '(1,f,)',
  },
  {
    what: 'records nothing of a delivery of theirs',
    name: 'record_deliveries_v1',
    parameters: () => [
      ...[[ours], [their('conversations')], [their('deliveries')], [0], ['sent'], ['["ours"]'], [0]],
      ...[[false], [false], [false], [null], [null], [newId()], [true], 'us', 60_000],
    ],
    answers: '(1,)',
  },
  {
    what: 'gives back no delivery of theirs',
    name: 'give_back_delivery_v1',
    parameters: () => [ours, their('deliveries'), 'somebody'],
    answers: false,
  },
  {
    what: 'describes no channel of theirs',
    name: 'describe_channels_v3',
    parameters: () => [[ours], [their('channels')]],
    answers: '(1,,)',
  },
  {
    what: 'extends no lease of theirs',
    name: 'extend_lease_v1',
    parameters: () => [ours, their('conversations'), fence, their('turns'), 60_000],
    answers: 'lost',
  },
  {
    what: 'is not told about a turn of theirs by a lease of ours',
    name: 'extend_lease_v1',
    parameters: () => [ours, our('conversations'), fence, their('turns'), 60_000],
    answers: 'held',
  },
  {
    what: 'keeps no step of theirs',
    name: 'commit_step_v1',
    parameters: () => [ours, their('conversations'), fence, their('turns'), 1, 'model', 'done', text],
    answers: false,
  },
  {
    what: 'keeps no step in a turn of theirs under a lease of ours',
    name: 'commit_step_v1',
    parameters: () => [ours, our('conversations'), fence, their('turns'), 1, 'model', 'done', text],
    answers: 'refused (23503)',
  },
  {
    what: 'opens no stream of theirs',
    name: 'open_stream_v1',
    parameters: () => [ours, their('conversations'), fence, their('turns'), newId(), newId()],
    answers: nothing,
  },
  {
    what: 'opens no stream of theirs',
    name: 'open_stream_v2',
    parameters: () => [ours, their('conversations'), fence, their('turns'), newId(), newId()],
    answers: nothing,
  },
  {
    what: 'opens no stream for a turn of theirs under a lease of ours',
    name: 'open_stream_v1',
    parameters: () => [ours, our('conversations'), fence, their('turns'), newId(), newId()],
    answers: nothing,
  },
  {
    what: 'opens no stream for a turn of theirs under a lease of ours',
    name: 'open_stream_v2',
    parameters: () => [ours, our('conversations'), fence, their('turns'), newId(), newId()],
    answers: nothing,
  },
  {
    what: 'keeps no part of theirs',
    name: 'keep_stream_part_v1',
    parameters: () => [ours, their('conversations'), fence, their('deliveries'), 1, 'ours'],
    answers: false,
  },
  {
    what: 'keeps no part of theirs',
    name: 'keep_stream_part_v2',
    parameters: () => [ours, their('conversations'), fence, their('deliveries'), 1, 'ours'],
    answers: false,
  },
  {
    what: 'keeps no part of a delivery of theirs under a lease of ours',
    name: 'keep_stream_part_v1',
    parameters: () => [ours, our('conversations'), fence, their('deliveries'), 1, 'ours'],
    answers: 'refused (23503)',
  },
  {
    what: 'keeps no part of a delivery of theirs under a lease of ours',
    name: 'keep_stream_part_v2',
    parameters: () => [ours, our('conversations'), fence, their('deliveries'), 1, 'ours'],
    answers: 'refused (23503)',
  },
  {
    what: 'ends no turn of theirs',
    name: 'commit_turn_v1',
    parameters: () => commitTurn(their('conversations')),
    answers: nothing,
  },
  {
    what: 'ends no turn of theirs under a lease of ours',
    name: 'commit_turn_v1',
    parameters: () => commitTurn(our('conversations')),
    answers: nothing,
  },
  {
    what: 'puts no turn of theirs back',
    name: 'retry_turn_v1',
    parameters: () => [ours, their('conversations'), fence, their('turns'), 0, true, 'ours', 'ours'],
    answers: false,
  },
  {
    what: 'puts no turn of theirs back under a lease of ours',
    name: 'retry_turn_v1',
    parameters: () => [ours, our('conversations'), fence, their('turns'), 0, true, 'ours', 'ours'],
    answers: true,
  },
  {
    what: 'puts no turn of theirs back, in the version that hands slots on',
    name: 'retry_turn_v2',
    parameters: () => [ours, their('conversations'), fence, their('turns'), 0, true, 'ours', 'ours'],
    answers: nothing,
  },
  {
    what: 'gives no slot to a conversation of theirs',
    name: 'give_slots_v1',
    parameters: () => [ours],
    answers: undefined,
  },
  {
    what: 'cancels no turn of theirs',
    name: 'cancel_turn_v1',
    parameters: () => [ours, their('conversations'), their('turns')],
    answers: false,
  },
  {
    what: 'claims no delivery of theirs',
    name: 'begin_delivery_v1',
    parameters: () => [ours, their('conversations'), 'us', 60_000],
    answers: nothing,
  },
  {
    what: 'claims no delivery of theirs before its time',
    name: 'begin_put_off_delivery_v1',
    parameters: () => [ours, their('conversations'), their('deliveries'), 0, 'us', 60_000],
    answers: nothing,
  },
  {
    what: 'records nothing of a delivery of theirs',
    name: 'sent_and_next_v1',
    parameters: () => [
      ours,
      their('conversations'),
      their('deliveries'),
      0,
      'sent',
      ['ours'],
      0,
      null,
      null,
      'us',
      60_000,
    ],
    answers: nothing,
  },
  {
    what: 'records nothing of a delivery of theirs',
    name: 'sent_and_next_v2',
    parameters: () => [
      ...[ours, their('conversations'), their('deliveries'), 0, 'sent', ['ours'], 0],
      ...[false, false, true, null, null, newId(), true, 'us', 60_000],
    ],
    answers: nothing,
  },
  {
    what: 'keeps no part of a delivery of theirs',
    name: 'keep_delivery_part_v1',
    parameters: () => [ours, their('deliveries'), 0, 1, 'ours', 1],
    answers: false,
  },
  {
    what: 'changes no message of theirs by its key',
    name: 'receive_change_v1',
    parameters: () => [
      ours,
      their('channels'),
      newId(),
      'edit',
      theirKey,
      'none',
      canary,
      newId(),
      'ours',
      '{}',
    ],
    answers: 'unknown',
  },
  {
    what: 'changes no message of theirs by the id of a part',
    name: 'receive_change_v1',
    parameters: () => [ours, their('channels'), newId(), 'delete', 'none', canary, canary, newId(), '', '{}'],
    answers: 'unknown',
  },
  {
    what: 'records no status of a delivery of theirs',
    name: 'record_status_v1',
    parameters: () => [ours, their('channels'), their('deliveries'), 1, canary, 'failed', 'ours', 1],
    answers: 'unknown',
  },
  {
    what: 'records no status of a part of theirs by its id',
    name: 'record_status_v1',
    parameters: () => [ours, their('channels'), null, null, canary, 'failed', 'ours', 1],
    answers: 'unknown',
  },
  {
    what: 'says nothing on a channel of theirs',
    name: 'send_message_v1',
    parameters: () => [
      ...[ours, their('channels'), newId(), newId(), canary, newId(), canary, newId(), newId()],
      ...['agent', 'ours', '{}'],
    ],
    answers: 'refused (23503)',
  },
  {
    what: 'is not told of consent that was given to them',
    name: 'is_opted_out_v1',
    parameters: () => [ours, [canary], canary],
    answers: false,
  },
  {
    what: 'keeps no consent on a channel of theirs',
    name: 'record_consent_v1',
    parameters: () => [ours, newId(), their('channels'), canary, canary, 'opted_in', 'ours'],
    answers: 'refused (23503)',
  },
  {
    what: 'pauses no channel of theirs',
    name: 'pause_channel_v1',
    parameters: () => [ours, their('channels'), 1, 'ours', newId()],
    answers: false,
  },
  {
    what: 'begins no installation of a channel of theirs',
    name: 'begin_install_v1',
    parameters: () => [ours, their('channels'), 'ours', 60_000],
    answers: 'refused (23503)',
  },
  {
    what: 'ends no installation of theirs',
    name: 'use_install_v1',
    parameters: () => [ours, theirRows['swarmgate.install_states']?.['state_hash']],
    answers: nothing,
  },
  {
    what: 'keeps no way to reach a conversation of theirs',
    name: 'keep_reference_v1',
    parameters: () => [ours, their('channels'), canary, '{}', null],
    answers: 'refused (23503)',
  },
  {
    what: 'blocks no conversation of theirs',
    name: 'block_reference_v1',
    parameters: () => [ours, their('channels'), canary, 'ours'],
    answers: '',
  },
  {
    what: 'blocks no conversation of theirs, nor one that they have not heard of',
    name: 'block_reference_v2',
    parameters: () => [ours, their('channels'), canary, '{}', 'ours'],
    answers: 'refused (23503)',
  },
  {
    what: 'clears no doubt about a delivery of theirs',
    name: 'clear_stream_doubt_v1',
    parameters: () => [ours, their('conversations'), fence, their('deliveries')],
    answers: false,
  },
  {
    what: 'clears no doubt about a delivery of theirs under a lease of ours',
    name: 'clear_stream_doubt_v1',
    parameters: () => [ours, our('conversations'), fence, their('deliveries')],
    answers: true,
  },
  {
    what: 'is not told how a conversation of theirs is reached',
    name: 'find_reference_v1',
    parameters: () => [ours, their('channels'), canary],
    answers: nothing,
  },
  {
    what: 'is not told how any conversation of theirs is reached',
    name: 'find_reference_v1',
    parameters: () => [ours, their('channels'), null],
    answers: nothing,
  },
  {
    what: 'reads no message of theirs',
    name: 'read_messages_v1',
    parameters: () => [ours, their('conversations'), null, null, 100],
    answers: [],
  },
  {
    what: 'reads no change of theirs',
    name: 'read_changes_v1',
    parameters: () => [ours, their('conversations'), 0, 100],
    answers: { head: 0, changes: [] },
  },
  {
    what: 'finds no conversation of theirs',
    name: 'latest_conversation_v1',
    parameters: () => [ours, their('channels'), canary],
    answers: nothing,
  },
  {
    what: 'finds nothing in what they know',
    name: 'search_knowledge_v1',
    parameters: () => [ours, canary, 10],
    answers: { passageCount: 1, passages: [], stems: [{ stem: canary, passages: 0 }] },
  },
  {
    what: 'finds no key of theirs',
    name: 'find_api_key_v1',
    parameters: () => [ours, theirRows['swarmgate.api_keys']?.['prefix']],
    answers: nothing,
  },
  {
    what: 'notes no use of a key of theirs',
    name: 'note_api_key_use_v1',
    parameters: () => [ours, their('api_keys')],
    answers: '',
  },
  {
    what: 'adds nothing to what they have recorded, under an event of theirs',
    name: 'note_audit_v1',
    parameters: () => [JSON.stringify([noted(ours, their('audit_events'))])],
    answers: '',
  },
  {
    what: 'adds nothing to what they have recorded, nor to what their webhooks are told',
    name: 'note_audit_v2',
    parameters: () => [
      JSON.stringify([noted(ours, their('audit_events'))]),
      JSON.stringify([
        { tenantId: ours, id: their('webhook_events'), type: 'member.added', data: {} },
        { tenantId: theirs, id: newId(), type: 'member.added', data: {} },
      ]),
    ],
    answers: '',
  },
  {
    what: 'is not given the key of a subject of theirs',
    name: 'audit_subject_v1',
    parameters: () => [ours, theirRows['swarmgate.audit_subjects']?.['subject_id'], 'ours'],
    answers: 'ours',
  },
  {
    what: 'tells nothing of theirs',
    name: 'tell_untold_v1',
    parameters: () => [ours, 100],
    answers: 2,
  },
  {
    what: 'claims nothing that is due to an endpoint of theirs',
    name: 'claim_webhooks_v1',
    parameters: () => [ours, their('webhook_endpoints'), 60_000, 100],
    answers: undefined,
  },
  {
    what: 'records no attempt at a webhook of theirs',
    name: 'record_webhook_v1',
    parameters: () => [
      ...[ours, their('webhook_endpoints'), their('webhook_events'), 0, 'delivered', 1, 204],
      ...[null, 'ours', null, null, 1],
    ],
    answers: nothing,
  },
  {
    what: 'forgets nothing that their webhooks were told',
    name: 'forget_webhooks_v1',
    parameters: () => [ours, '2099-01-01T00:00:00Z', 100],
    answers: 0,
  },
  ...['describe_channel_v1', 'describe_channel_v2'].map((name) => ({
    what: 'describes no channel of theirs',
    name,
    parameters: () => [ours, their('channels')],
    answers: nothing,
  })),
];

function noted(tenantId: string, eventId: string) {
  const what = { actorKind: 'system', action: 'test', resourceKind: 'tenant', outcome: 'allowed' };
  return { tenantId, id: eventId, ...what };
}

function commitTurn(conversation: string): unknown[] {
  const answer = [newId(), newId(), 'agent', 'ours', '{}', null, '{}', null, null];
  return [ours, conversation, fence, their('turns'), 'done', ...answer, newId(), true, 60_000, 50];
}

function commitTurns(conversation: string): unknown[] {
  const [tenant, place, number, turn, state, message, delivery, ...rest] = commitTurn(conversation);
  const [role, words, content, model, usage, code, reason, event, next] = rest;
  const columns = [tenant, place, number, turn, state, message, delivery, role, words, content, model, usage];
  return [...[...columns, code, reason, event, next, true].map((value) => [value]), 60_000, 50, 'us', 60_000];
}

/** Calls a function as the superuser, undoes what it did to us, and tells what it answered and what became of theirs. */
async function callAsOwner(
  name: string,
  parameters: unknown[],
): Promise<{ answer: unknown; theirs: string }> {
  return database.asOwner(async (client) => {
    await client.query('BEGIN');
    try {
      const places = parameters.map((_, index) => `$${index + 1}`).join(', ');
      await client.query('SAVEPOINT before');
      const answer = await client.query(`SELECT swarmgate.${name}(${places}) AS answer`, parameters).then(
        ({ rows }) => rows[0]?.answer as unknown,
        async (error: { code: string }) => {
          await client.query('ROLLBACK TO SAVEPOINT before');
          return `refused (${error.code})`;
        },
      );
      const { rows } = await client.query('SELECT current_user = session_user AS back');
      expect(rows).toEqual([{ back: true }]);
      return { answer, theirs: await everythingOfTheirs(client) };
    } finally {
      await client.query('ROLLBACK');
    }
  });
}

describe('called for one tenant with ids of another', () => {
  test.each(calls)('$name $what', async ({ name, parameters, answers }) => {
    const before = await database.asOwner(everythingOfTheirs);
    expect(before).toContain(canary);
    const { answer, theirs: after } = await callAsOwner(name, parameters());
    expect(answer).toEqual(answers);
    expect(after).toBe(before);
  });
});

type Received = { outcome: string; conversation_id: string | null; sqlstate_of_failure: string | null };

/** One message as `receive_messages_v2` takes it: its columns, arrays of one. */
function message(
  tenantId: string | null,
  channelId: string,
  conversationId: string,
  conversationKey: string,
): unknown[][] {
  const [participant, key] = [newId(), newId()];
  return [
    [tenantId],
    [channelId],
    [conversationId],
    [conversationKey],
    [participant],
    [participant],
    [false],
    ['{}'],
    [newId()],
    [key],
    [key],
    ['hello'],
    ['{}'],
    [newId()],
  ];
}

const together = (first: unknown[][], ...others: unknown[][][]): unknown[][] =>
  first.map((column, index) => [...column, ...others.flatMap((other) => other[index] ?? [])]);

// Processes of the release before call the first one while a new release is rolled out.
describe.each([
  { name: 'receive_messages_v2', more: [null] },
  { name: 'receive_messages_v3', more: [null] },
  { name: 'receive_messages_v4', more: [null] },
])('$name', ({ name, more }) => {
  const receive = async (client: pg.ClientBase, columns: unknown[][]) => {
    const all = [...columns, ...more.map((value) => columns[0]?.map(() => value))];
    const places = all.map((_, index) => `$${index + 1}`).join(', ');
    const { rows } = await client.query<Received>(
      `SELECT outcome, conversation_id, sqlstate_of_failure FROM swarmgate.${name}(${places}) ORDER BY ordinal`,
      all,
    );
    return rows;
  };
  const failed = (sqlstate: string) => [
    { outcome: 'failed', conversation_id: null, sqlstate_of_failure: sqlstate },
  ];

  test('takes nothing for a channel of another tenant', async () => {
    await database.asOwner(async (client) => {
      const before = await everythingOfTheirs(client);
      expect(await receive(client, message(ours, their('channels'), newId(), 'new'))).toEqual(
        failed('23503'),
      );
      expect(await everythingOfTheirs(client)).toBe(before);
    });
  });

  test('takes nothing for a tenant that does not exist, or none', async () => {
    await database.asOwner(async (client) => {
      expect(await receive(client, message(newId(), our('channels'), newId(), 'new'))).toEqual(
        failed('SG001'),
      );
      expect(await receive(client, message(null, our('channels'), newId(), 'new'))).toEqual(failed('SG001'));
    });
  });

  test('adds to no conversation of another tenant that has the same name', async () => {
    await database.asOwner(async (client) => {
      const before = await everythingOfTheirs(client);
      const rows = await receive(client, message(ours, our('channels'), their('conversations'), canary));
      expect(rows).toMatchObject([{ outcome: 'received' }]);
      expect(await everythingOfTheirs(client)).toBe(before);
    });
  });

  test('keeps the tenants of one batch apart, and a bad row among them to itself', async () => {
    await database.asService(async (client) => {
      const batch = together(
        message(theirs, their('channels'), newId(), `batch ${name}`),
        message(ours, their('channels'), newId(), 'bad'),
        message(ours, our('channels'), newId(), `batch ${name}`),
      );
      const rows = await receive(client, batch);
      expect(rows.map(({ outcome }) => outcome)).toEqual(['received', 'failed', 'received']);
    });
    for (const tenantId of [ours, theirs]) {
      const found = await database.scopes.inTenant(tenantId, (unit) =>
        unit.sql<{ tenant_id: string }>(
          `SELECT m.tenant_id FROM swarmgate.messages m JOIN swarmgate.conversations c ON c.id = m.conversation_id
             WHERE c.external_id = $1`,
          [`batch ${name}`],
        ),
      );
      expect(found).toEqual([{ tenant_id: tenantId }]);
    }
  });
});

test('every function of the hot path is tried', async () => {
  const { rows } = await database.asOwner((client) =>
    client.query<{ name: string }>(
      `SELECT p.proname AS name FROM pg_catalog.pg_proc p
         WHERE p.pronamespace = 'swarmgate'::regnamespace AND p.proname ~ '_v[0-9]+$' ORDER BY 1`,
    ),
  );
  // The sweeper's and the auditor's look over all tenants by design: test/isolation/doors.test.ts.
  const tried = new Set([
    ...calls.map(({ name }) => name),
    'receive_messages_v2',
    'receive_messages_v3',
    'receive_messages_v4',
    'due_work_v1',
    'due_work_v2',
    'waiting_tenants_v1',
    'unchanged_channels_v1',
    'backlog_v1',
    'webhook_work_v1',
    'webhook_backlog_v1',
    'old_webhooks_v1',
    'given_up_channels_v1',
    'seal_audit_v1',
    // Of tenants that are deleted: test/contracts/tenant-deletion.services.test.ts.
    'delete_tenant_rows_v1',
    'tenant_files_v1',
    // Ids of its own channels: test/journeys/tenant-hosts.services.test.ts.
    'host_web_chat_v1',
  ]);
  expect(rows.map(({ name }) => name)).toEqual([...tried].sort());
});
