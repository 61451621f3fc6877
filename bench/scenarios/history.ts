import { runSql } from '../servers.ts';
import type { Installation } from '../subjects/swarmgate.ts';
import { compareInstallations } from './compare.ts';
import type { Scenario } from './scenario.ts';

const messagesPerConversation = 100;

export const history: Scenario = {
  about: 'more stored messages in one tenant: 1,000,000 beside 1,000',
  async run(tools) {
    const oneTenant = { tenants: 1, workspaces: 1_000 * tools.scale };
    const [long, short] = await compareInstallations(tools, [
      {
        ...{ ...oneTenant, name: '1,000,000 messages' },
        prepare: (made) => store(made, 1_000_000 * tools.scale),
      },
      { ...oneTenant, name: '1,000 messages', prepare: (made) => store(made, 1_000) },
    ] as const);
    return [
      {
        what: 'replies, 1,000,000 messages stored',
        value: long.repliesPerSecond,
        unit: '/s',
        beside: { what: '1,000 stored', value: short.repliesPerSecond },
        bar: { atLeast: 0.95 },
      },
      {
        what: 'memory of both processes',
        value: long.memoryMb,
        unit: 'MB',
        beside: { what: '1,000 stored', value: short.memoryMb },
      },
      {
        what: 'ready',
        value: long.readyInMs,
        unit: 'ms',
        beside: { what: '1,000 stored', value: short.readyInMs },
      },
    ];
  },
};

/** Conversations that have been answered and delivered, as the journey leaves them. */
async function store({ databaseUrl }: Installation, messages: number): Promise<void> {
  const conversations = Math.ceil(messages / messagesPerConversation);
  const exchanges = messagesPerConversation / 2;
  await runSql(
    databaseUrl,
    `BEGIN;
     CREATE TEMP TABLE place ON COMMIT DROP AS
       SELECT tenant_id, id AS channel_id, agent_id FROM swarmgate.channels LIMIT 1;
     CREATE TEMP TABLE talk ON COMMIT DROP AS
       SELECT place.*, n, gen_random_uuid() AS participant_id, gen_random_uuid() AS conversation_id
         FROM place, generate_series(1, ${conversations}) n;
     CREATE TEMP TABLE exchange ON COMMIT DROP AS
       SELECT talk.*, m, gen_random_uuid() AS question_id, gen_random_uuid() AS answer_id,
              gen_random_uuid() AS delivery_id
         FROM talk, generate_series(0, ${exchanges - 1}) m;
     INSERT INTO swarmgate.participants (tenant_id, id, channel_id, external_id)
       SELECT tenant_id, participant_id, channel_id, 'UOLD' || n FROM talk;
     INSERT INTO swarmgate.conversations
         (tenant_id, id, channel_id, participant_id, agent_id, external_id, next_sequence, last_message_at)
       SELECT tenant_id, conversation_id, channel_id, participant_id, agent_id, 'COLD' || n,
              ${messagesPerConversation + 1}, now() - interval '1 day' FROM talk;
     INSERT INTO swarmgate.messages
         (tenant_id, id, conversation_id, sequence, revision, role, participant_id, text)
       SELECT tenant_id, question_id, conversation_id, 2 * m + 1, 2 * m + 1, 'visitor', participant_id,
              'a question that was asked some time ago, number ' || m FROM exchange;
     INSERT INTO swarmgate.messages
         (tenant_id, id, conversation_id, sequence, revision, role, in_reply_to_id, text)
       SELECT tenant_id, answer_id, conversation_id, 2 * m + 2, 2 * m + 2, 'agent', question_id,
              'You said: a question that was asked some time ago, number ' || m FROM exchange;
     INSERT INTO swarmgate.inbound_keys
         (tenant_id, channel_id, key, conversation_id, message_id, sequence, created_at)
       SELECT tenant_id, channel_id, 'old:' || n || ':' || m, conversation_id, question_id, 2 * m + 1, now()
         FROM exchange;
     INSERT INTO swarmgate.turns
         (tenant_id, id, conversation_id, message_id, sequence, state, attempt, reply_message_id, finished_at)
       SELECT tenant_id, gen_random_uuid(), conversation_id, question_id, 2 * m + 1, 'done', 1, answer_id, now()
         FROM exchange;
     INSERT INTO swarmgate.deliveries
         (tenant_id, id, conversation_id, channel_id, message_id, sequence, state, attempt, sent_at)
       SELECT tenant_id, delivery_id, conversation_id, channel_id, answer_id, 2 * m + 2, 'sent', 1, now()
         FROM exchange;
     INSERT INTO swarmgate.delivery_parts (tenant_id, delivery_id, number, external_id)
       SELECT tenant_id, delivery_id, 1, 'old.' || n || '.' || m FROM exchange;
     COMMIT`,
  );
  await runSql(databaseUrl, 'VACUUM ANALYZE');
}
