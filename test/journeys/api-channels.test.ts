import { expect, test } from 'vitest';
import { sharedService } from '../support/a-service.ts';
import { shopOrigin } from '../support/a-tenant.ts';
import { anApiCaller } from '../support/an-api-caller.ts';
import { eventually } from '../support/eventually.ts';

const service = sharedService({ tenants: [{}, { slug: 'taker' }] });

test('an agent and a channel made by the API answer at once, follow what is changed, and end with it', async () => {
  const owner = await anApiCaller(service(), { role: 'owner' });
  const agent = await owner.own('POST', '/agents', {
    body: { slug: 'helper', name: 'Helper', model: 'builtin/echo' },
  });
  expect(agent).toMatchObject({ status: 201, body: { slug: 'helper', isDefault: false, secrets: [] } });

  const body = { slug: 'second', platform: 'webchat', origins: [shopOrigin], agent: 'helper' };
  const made = await owner.own('POST', '/channels', { body, headers: { 'idempotency-key': 'one' } });
  expect(made).toMatchObject({
    status: 201,
    body: { slug: 'second', status: 'active', agentId: agent.body.id, accounts: [] },
  });
  expect(made.headers.get('etag')).toBe('"1"');
  const again = await owner.own('POST', '/channels', { body, headers: { 'idempotency-key': 'one' } });
  expect(again.body).toEqual(made.body);

  const { id, key } = made.body;
  const visitor = await service().aVisitor({ key });
  expect(visitor.session.agent.name).toBe('Helper');
  expect(await visitor.answerTo(await visitor.send('Hello'))).toMatchObject({ text: 'Hello' });

  const greeted = await owner.own('PATCH', `/channels/${id}`, {
    body: { greeting: 'Welcome' },
    headers: { 'if-match': '"1"' },
  });
  expect(greeted).toMatchObject({ status: 200, body: { version: 2, settings: { greeting: 'Welcome' } } });
  expect((await service().aVisitor({ key })).session.agent.greeting).toBe('Welcome');
  expect(
    await owner.own('PATCH', `/channels/${id}`, { body: { greeting: null }, headers: { 'if-match': '"1"' } }),
  ).toMatchObject({ status: 412 });

  expect(await owner.own('POST', `/channels/${id}/pause`)).toMatchObject({
    status: 200,
    body: { status: 'paused', statusReason: expect.stringMatching(/looks after the tenant/) },
  });
  await expect(service().aVisitor({ key })).rejects.toThrow('channel_closed');
  expect(await owner.own('POST', `/channels/${id}/resume`)).toMatchObject({ body: { status: 'active' } });
  await expect(service().aVisitor({ key })).resolves.toBeDefined();

  expect(await owner.own('DELETE', `/agents/${agent.body.id}`)).toMatchObject({
    status: 409,
    body: { code: 'agent_in_use' },
  });
  expect(await owner.own('DELETE', `/channels/${id}`)).toMatchObject({ status: 204 });
  await eventually(() => expect(service().aVisitor({ key })).rejects.toThrow('unknown_key'));
  const listed = await owner.own('GET', '/channels');
  expect(listed.body.items.map(({ slug }: { slug: string }) => slug)).toEqual(['site']);
  // Its conversation can be read, and nothing written into it.
  expect(await owner.own('GET', `/channels/${id}`)).toMatchObject({
    body: { status: 'removed', secrets: [] },
  });
  const conversation = `/conversations/${visitor.session.conversationId}/messages`;
  expect((await owner.own('GET', conversation)).body.items).toHaveLength(2);
  expect(await owner.own('POST', conversation, { body: { text: 'Still there?' } })).toMatchObject({
    status: 409,
    body: { code: 'channel_removed' },
  });
  expect(await owner.own('DELETE', `/agents/${agent.body.id}`)).toMatchObject({ status: 204 });
  // The name is free again.
  expect(await owner.own('POST', '/channels', { body: { ...body, agent: undefined } })).toMatchObject({
    status: 201,
    body: { slug: 'second' },
  });
});

test('a number goes from one tenant to another when both want it', async () => {
  const holder = await anApiCaller(service(), { role: 'owner' });
  const taker = await anApiCaller(service(), { tenant: 'taker', role: 'owner' });
  const channel = { slug: 'sms', platform: 'twilio', accountSid: 'AC1', authToken: 't', number: '+15550001' };
  const { body: made } = await holder.own('POST', '/channels', { body: channel });
  expect(await taker.own('POST', '/channels', { body: channel })).toMatchObject({
    status: 409,
    body: { code: 'account_claimed' },
  });

  const offered = await holder.own('POST', `/channels/${made.id}/transfers`, {
    body: { toTenantId: taker.tenantId },
  });
  const taken = await taker.own('POST', '/transfers/accept', {
    body: { token: offered.body.token, channel },
  });

  expect(taken).toMatchObject({ status: 201, body: { accounts: made.accounts } });
  expect(await holder.own('GET', `/channels/${made.id}`)).toMatchObject({
    body: { status: 'handed_over', accounts: [] },
  });
});
