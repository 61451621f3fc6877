import { expect, test } from 'vitest';
import { createReceiveMessage } from '#conversations/receive-message.ts';
import type { Uuid } from '#domain/ids.ts';
import type { InboundMessage } from '#gateways/gateway.ts';
import type { WakeUp } from '#queue/job.ts';
import { aService } from '../support/a-service.ts';
import type { TenantOptions } from '../support/a-tenant.ts';

/** Takes messages of the shop's web chat, which nobody answers. */
async function aReceiver(more: Partial<TenantOptions> = {}) {
  const service = await aService({
    tenants: [{ slug: 'shop', ...more }],
    overrides: { wrapQueue: (queue) => ({ ...queue, work: () => {} }) },
  });
  const { scopes } = service.app.storage;
  const [tenant] = await scopes.inPlatform((unit) =>
    unit.sql<{ id: Uuid }>(`SELECT id FROM directory.tenants WHERE slug = 'shop'`),
  );
  const tenantId = tenant?.id as Uuid;
  const [channel] = await scopes.inTenant(tenantId, (unit) =>
    unit.sql<{ id: Uuid }>(`SELECT id FROM swarmgate.channels LIMIT 1`),
  );
  const woken: string[] = [];
  const wakeUps: WakeUp[] = [];
  const receive = createReceiveMessage({
    scopes,
    queue: {
      async wake(wakeUp) {
        wakeUps.push(wakeUp);
        woken.push(wakeUp.conversationId);
        return true;
      },
    },
    live: { publish: () => {} },
    metrics: { received: () => {} },
  });
  const say = (conversationExternalId: string, key: string, more: Partial<InboundMessage> = {}) =>
    receive(
      { tenantId, channelId: channel?.id as Uuid, platform: 'webchat' },
      {
        ...{ kind: 'message', key, conversationExternalId, text: key, content: {} },
        participant: { externalId: 'ada', verified: false, profile: {} },
        ...more,
      },
    );
  return { service, say, woken, wakeUps };
}

test('a first message begins a conversation that is due, a second one wakes nobody again', async () => {
  const { service, say, woken } = await aReceiver();
  const first = await say('c', '1');
  const second = await say('c', '2');
  const { conversations, messages } = await service.rows();
  expect(conversations).toMatchObject([{ waiting_for: null, due_at: expect.any(Date) }]);
  expect(messages.map(({ text, sequence }) => ({ text, sequence: Number(sequence) }))).toEqual([
    { text: '1', sequence: 1 },
    { text: '2', sequence: 2 },
  ]);
  expect(second?.conversationId).toBe(first?.conversationId);
  expect(woken).toEqual([first?.conversationId]);
});

test('what needs no answer begins a conversation that is not due, and what comes next makes it so', async () => {
  const { service, say, woken } = await aReceiver();
  await say('c', '1', { needsAnswer: false });
  expect((await service.rows()).conversations).toMatchObject([{ due_at: null }]);
  expect(woken).toEqual([]);
  await say('c', '2');
  expect((await service.rows()).conversations).toMatchObject([{ due_at: expect.any(Date) }]);
  expect(woken).toHaveLength(1);
});

test('what the service itself says to a first message comes behind it', async () => {
  const { service, say, wakeUps } = await aReceiver();
  await say('c', '1', { systemReply: { text: 'welcome', content: {} } });
  expect(wakeUps.map(({ kind }) => kind)).toEqual(['turn', 'delivery']);
  await say('c', '2');
  const { messages } = await service.rows();
  expect(messages.map(({ text, sequence }) => [Number(sequence), text])).toEqual([
    [1, '1'],
    [2, 'welcome'],
    [3, '2'],
  ]);
});

test('a message that is told of in two conversations is kept in the first, and the second is not begun', async () => {
  const { service, say, woken } = await aReceiver();
  const first = await say('c', '1');
  const again = await say('another', '1');
  expect(again).toMatchObject({ outcome: 'duplicate', conversationId: first?.conversationId });
  expect((await service.rows()).conversations).toHaveLength(1);
  expect(woken).toEqual([first?.conversationId]);
});

test('with as many conversations due as may run at once, a further one stands in line and wakes nobody', async () => {
  const { service, say, woken } = await aReceiver({ concurrentConversations: 2 });
  const due = [await say('a', '1'), await say('b', '2')];
  await say('c', '3');
  await say('c', '4');
  await say('d', '5', { needsAnswer: false });
  await say('d', '6');
  await say('a', '7');
  expect(woken).toEqual(due.map((told) => told?.conversationId));
  const { conversations } = await service.rows();
  expect(
    Object.fromEntries(
      conversations.map(({ external_id, waiting_for, due_at, waiting_since }) => [
        external_id,
        [waiting_for, due_at !== null, waiting_since !== null],
      ]),
    ),
  ).toEqual({
    a: [null, true, false],
    b: [null, true, false],
    c: ['slot', false, true],
    d: ['slot', false, true],
  });
});
