import { expect, test } from 'vitest';
import { aService } from '../support/a-service.ts';
import { aWebhookReceiver, subscribe } from '../support/a-webhook-receiver.ts';
import { anApiCaller } from '../support/an-api-caller.ts';
import { eventually } from '../support/eventually.ts';

test('a tenant is told of what is said, and of what is done, and of nothing that was before', async () => {
  const receiver = await aWebhookReceiver();
  const service = await aService({ overrides: { allowedHosts: [receiver.host] } });
  const admin = await anApiCaller(service);
  const visitor = await service.aVisitor();
  await visitor.answerTo(await visitor.send('Before'));

  const webhook = await subscribe(admin, receiver);
  const asked = await visitor.send('How much is it?');
  await visitor.answerTo(asked);
  const other = await service.aVisitor();
  await other.answerTo(await other.send('Me too'));
  const key = await admin.own('POST', '/api-keys', {
    body: { name: 'A key', permissions: ['channels:read'] },
  });
  await admin.own('DELETE', `/api-keys/${key.body.id}`);

  await eventually(() => expect(receiver.received).toHaveLength(7));
  expect(receiver.violations).toEqual([]);
  const types = receiver.received.map(({ payload }) => payload.type).sort();
  expect(types).toEqual([
    ...['api_key.created', 'api_key.revoked', 'conversation.started'],
    ...['message.answered', 'message.answered', 'message.received', 'message.received'],
  ]);
  const ofFirst = receiver.received.filter(
    ({ payload }) => payload.data['conversationId'] === visitor.session.conversationId,
  );
  const [question, answer] = ofFirst.sort(
    (a, b) => Number(a.payload.data['sequence']) - Number(b.payload.data['sequence']),
  );
  expect(question?.payload).toMatchObject({
    ...{ type: 'message.received', version: 1, tenantId: admin.tenantId },
    data: { messageId: asked.id, sequence: 3, kind: 'message' },
  });
  expect(answer?.payload).toMatchObject({
    type: 'message.answered',
    data: { inReplyToId: asked.id, sequence: 4 },
  });
  // Nobody asked for what was said.
  expect(JSON.stringify(receiver.received)).not.toContain('How much');

  const { body } = await admin.own('GET', `/webhooks/${webhook.id}/deliveries?eventType=message.received`);
  expect(body.items).toMatchObject(
    [1, 2].map(() => ({ eventType: 'message.received', state: 'delivered', attempts: 1, status: 204 })),
  );
  const attempts = await admin.own(
    'GET',
    `/webhooks/${webhook.id}/deliveries/${body.items[0].eventId}/attempts`,
  );
  expect(attempts.body.items).toMatchObject([{ number: 1, outcome: 'delivered', status: 204 }]);
});
