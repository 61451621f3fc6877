import { describe, expect, test } from 'vitest';
import { AppError } from '#domain/errors.ts';
import { say, scriptedAgent } from '../fakes/scripted-agent.ts';
import { aService } from '../support/a-service.ts';
import { postsOf, sharedSlackService } from '../support/a-slack-service.ts';
import { aTwilioService } from '../support/a-twilio-service.ts';
import { anApiCaller } from '../support/an-api-caller.ts';
import { eventually } from '../support/eventually.ts';

const slackService = sharedSlackService();

describe('a message to somebody who has not written', () => {
  test('goes out once, begins their conversation, and is what their answer goes on from', async () => {
    const { slack } = slackService();
    const admin = await anApiCaller(slackService());
    slack.addUser('T1', 'U7001');
    const body = { channel: 'slack', address: '@U7001', text: 'Your order is on its *way*.' };
    const send = () => admin.own('POST', '/messages', { body, headers: { 'idempotency-key': 'order-1' } });
    const [sent, again] = [await send(), await send()];
    expect(sent).toMatchObject({ status: 202, body: { id: expect.stringMatching(/^msg_/) } });
    expect(again.body).toEqual(sent.body);
    const other = { ...body, text: 'Something else.' };
    expect(
      await admin.own('POST', '/messages', { body: other, headers: { 'idempotency-key': 'order-1' } }),
    ).toMatchObject({ status: 422, body: { code: 'idempotency_key_reused' } });
    expect(await postsOf(slack, 'T1', slack.directChannel('T1', 'U7001'))).toEqual([
      'Your order is on its way.',
    ]);
    const path = `/conversations/${sent.body.conversationId}`;
    expect((await admin.own('GET', path)).body).toMatchObject({
      participant: { externalId: 'U7001' },
      platform: 'slack',
    });
    expect(slack.violations).toEqual([]);
  });

  test.each([
    ['an address of another form', { channel: 'slack', address: '+15550100' }, 'no_such_address'],
    ['a channel that is not there', { channel: 'nowhere', address: '@U1' }, 'no_such_channel'],
    ['a channel of another tenant', { channel: `chn_${'0'.repeat(32)}`, address: '@U1' }, 'no_such_channel'],
  ])('is refused for %s', async (_, to, code) => {
    const admin = await anApiCaller(slackService());
    expect(await admin.own('POST', '/messages', { body: { ...to, text: 'Hi' } })).toMatchObject({
      status: 409,
      body: { code },
    });
  });

  test('is a text message from the channel’s own number', async () => {
    const service = await aTwilioService();
    const admin = await anApiCaller(service);
    const body = { channel: 'sms', address: '+15550177', text: 'Hello' };
    const sent = await admin.own('POST', '/messages', { body });
    expect(sent).toMatchObject({ status: 202 });
    await eventually(() =>
      expect(service.twilio.sent().map(({ to, body: text }) => [to, text])).toEqual([['+15550177', 'Hello']]),
    );
    expect(
      await admin.own('POST', '/messages', { body: { ...body, address: 'whatsapp:+15550177' } }),
    ).toMatchObject({
      status: 409,
    });
  });

  test('has nowhere to go in a web chat', async () => {
    const service = await aService();
    const admin = await anApiCaller(service);
    expect(
      await admin.own('POST', '/messages', { body: { channel: 'site', address: 'x', text: 'Hi' } }),
    ).toMatchObject({
      status: 409,
      body: { detail: expect.stringMatching(/begin their conversations themselves/) },
    });
  });
});

test('what was given up is listed page by page, tried once more, and put away', async () => {
  let isMended = false;
  const { agent } = scriptedAgent(async function* ({ message }) {
    if (!isMended) throw new AppError('broken', 'It is broken.');
    yield* say(`Answer to ${message.text}`);
  });
  const service = await aService({ overrides: { wrapAgents: () => agent } });
  const admin = await anApiCaller(service);
  const visitor = await service.aVisitor();
  for (const text of ['One', 'Two', 'Three']) await visitor.answerTo(await visitor.send(text));

  const first = await admin.own('GET', '/dead-letters?limit=2&kind=turn');
  expect(first.body.items).toMatchObject([{ code: 'broken' }, { code: 'broken' }]);
  const rest = await admin.own('GET', `/dead-letters?limit=2&kind=turn&cursor=${first.body.nextCursor}`);
  expect(rest.body).toMatchObject({ items: [{ code: 'broken' }], nextCursor: null });
  expect(await admin.own('GET', '/dead-letters?cursor=WyJ4Il0')).toMatchObject({ status: 400 });

  isMended = true;
  const [{ id }] = rest.body.items;
  expect(await admin.own('POST', '/dead-letters/replay', { body: { ids: [id] } })).toMatchObject({
    status: 200,
    body: { items: [{ id }] },
  });
  await eventually(async () =>
    expect((await visitor.history()).map(({ text }) => text)).toContain('Answer to One'),
  );
  expect((await admin.own('POST', '/dead-letters/purge', { body: {} })).body.items).toHaveLength(2);
  expect((await admin.own('GET', '/dead-letters')).body.items).toEqual([]);
});
