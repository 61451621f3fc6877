import { webhookEventTypes } from '@swarmgate/contract/webhook-events.ts';
import { TOTP } from 'otpauth';
import { expect, onTestFinished, test } from 'vitest';
import type { Gateway } from '#gateways/gateway.ts';
import { GatewayError } from '#gateways/gateway-error.ts';
import { operateApiKeys } from '../../src/cli/api-keys.ts';
import { operateMembers } from '../../src/cli/members.ts';
import { postingGateway } from '../fakes/posting-gateway.ts';
import { startPostingPlatform } from '../fakes/posting-platform.ts';
import { done, scriptedAgent } from '../fakes/scripted-agent.ts';
import { aBrowser, anOperator, aPerson, aPersonSignedIn, somePassword } from '../support/a-browser.ts';
import { aService } from '../support/a-service.ts';
import { planTenant } from '../support/a-tenant.ts';
import { aWebhookReceiver, subscribe, type WebhookReceiver } from '../support/a-webhook-receiver.ts';
import { anApiCaller, callerOf, tenantIdOf } from '../support/an-api-caller.ts';
import { eventually } from '../support/eventually.ts';

const tellsOf = (receiver: WebhookReceiver, type: string, ...data: object[]) =>
  eventually(() => {
    expect(receiver.ofType(type).map(({ payload }) => payload.data)).toEqual(data);
  });

/** The platform refuses the channel itself when it is told to. */
const refusing = (gateway: Gateway): Gateway => ({
  ...gateway,
  async send(channel, message, ...more) {
    if (message.text === 'Answer to lose the token')
      throw new GatewayError('credentials_refused', 'The token was revoked.', {
        channelFault: 'token_revoked',
      });
    return gateway.send(channel, message, ...more);
  },
});

test('every type of event is told of, once, when it happens and by whichever way', async () => {
  const receiver = await aWebhookReceiver();
  const platform = await startPostingPlatform();
  onTestFinished(() => platform.close());
  const { agent } = scriptedAgent(async function* ({ message: { text } }) {
    if (text === 'break') throw new TypeError('A fault of ours.');
    yield done(`Answer to ${text}`);
  });
  const service = await aService({
    tenants: [{ slug: 'shop' }, { slug: 'other' }],
    overrides: {
      ...{ allowedHosts: [receiver.host], wrapAgents: () => agent },
      wrapGateway: () => refusing(postingGateway(platform.url)),
    },
  });
  const { storage } = service.app;
  const admin = await anApiCaller(service);
  const owner = await aPersonSignedIn(service, { email: 'ann@example.com', tenant: 'shop', role: 'owner' });
  const { body: factor } = await owner.call('POST', '/me/second-factor');
  await owner.call('POST', '/me/second-factor/confirm', {
    body: { code: new TOTP({ secret: factor.secret }).generate() },
  });
  const tenant = `/tenants/${admin.tenantId}`;
  await subscribe(admin, receiver);

  // What is said, and what comes of it.
  const visitor = await service.aVisitor();
  const { conversationId } = visitor.session;
  const sent = await visitor.send('hello');
  await tellsOf(receiver, 'conversation.started', {
    conversationId,
    channelId: expect.stringMatching(/^chn_/),
  });
  await tellsOf(receiver, 'message.answered', expect.objectContaining({ inReplyToId: sent.id, sequence: 2 }));
  await visitor.send('break');
  await tellsOf(receiver, 'turn.failed', {
    ...{ conversationId, error: 'internal' },
    turnId: expect.stringMatching(/^trn_/),
  });
  platform.refuseNext({ status: 404 });
  await visitor.send('again');
  await tellsOf(receiver, 'delivery.failed', {
    ...{ conversationId, error: expect.stringMatching(/recipient_gone/) },
    deliveryId: expect.stringMatching(/^dlv_/),
  });
  expect(receiver.ofType('message.received')).toHaveLength(3);
  await visitor.send('lose the token');
  const channelId = receiver.ofType('message.received')[0]?.payload.data['channelId'];
  await tellsOf(receiver, 'channel.status_changed', { channelId, status: 'paused' });
  const changed = planTenant();
  Object.assign(changed.organizations[0]?.tenants[0]?.channels[0] ?? {}, { greeting: 'Good morning' });
  await service.app.apply(changed, { dryRun: false });
  await tellsOf(
    receiver,
    'channel.status_changed',
    { channelId, status: 'paused' },
    { channelId, status: 'active' },
  );

  // Who belongs to it.
  const email = 'bob@example.com';
  await aPerson(service, { email });
  const members = await operateMembers(storage, { act: 'add', tenant: 'shop', email, role: 'viewer' });
  const userId = members.find((member) => member.email === email)?.id;
  await tellsOf(receiver, 'member.added', { userId });
  await owner.call('PATCH', `${tenant}/members/${userId}`, { body: { role: 'member' } });
  await tellsOf(receiver, 'member.role_changed', { userId, from: 'viewer', to: 'member' });
  await owner.call('DELETE', `${tenant}/members/${userId}`);
  await tellsOf(receiver, 'member.removed', { userId });
  const { body: invitation } = await owner.call('POST', `${tenant}/invitations`, {
    body: { email: 'eve@example.com', role: 'viewer' },
  });
  const accepted = await aBrowser(service).call('POST', '/invitations/accept', {
    body: { token: invitation.token, account: { name: 'Eve', password: somePassword } },
  });
  expect(accepted.status).toBeLessThan(300);
  await tellsOf(receiver, 'invitation.accepted', {
    invitationId: invitation.id,
    userId: expect.stringMatching(/^usr_/),
  });
  await eventually(() => expect(receiver.ofType('member.added')).toHaveLength(2));
  expect(receiver.ofType('invitation.accepted')[0]?.payload.data['userId']).toBe(
    receiver.ofType('member.added')[1]?.payload.data['userId'],
  );

  // What programs come in with.
  const { body: key } = await admin.own('POST', '/api-keys', {
    body: { name: 'A key', permissions: ['channels:read'] },
    headers: { 'idempotency-key': 'once' },
  });
  await admin.own('POST', '/api-keys', {
    body: { name: 'A key', permissions: ['channels:read'] },
    headers: { 'idempotency-key': 'once' },
  });
  const { body: next } = await admin.own('POST', `/api-keys/${key.id}/rotate`, { body: {} });
  await tellsOf(receiver, 'api_key.created', { apiKeyId: key.id }, { apiKeyId: next.id, replaces: key.id });
  await admin.own('DELETE', `/api-keys/${key.id}`);
  await admin.own('DELETE', `/api-keys/${key.id}`);
  await eventually(() => {
    const ended = receiver.ofType('api_key.revoked').map(({ payload }) => payload.data['apiKeyId']);
    expect(ended.sort()).toEqual([key.id, next.id].sort());
  });
  const [made] = await operateApiKeys(storage, { act: 'create', tenant: 'shop', name: 'By an operator' });
  await eventually(() => expect(receiver.ofType('api_key.created')).toHaveLength(3));
  await operateApiKeys(storage, { act: 'revoke', tenant: 'shop', id: made?.id ?? '' });
  await eventually(() => expect(receiver.ofType('api_key.revoked')).toHaveLength(3));

  // What is tried.
  await admin.call('GET', `/tenants/${await tenantIdOf(service, 'other')}/channels`);
  await tellsOf(receiver, 'security.cross_tenant_attempt', {
    apiKeyId: admin.keyId,
    operation: 'listChannels',
  });
  const { body: tokens } = await owner.call('POST', '/tokens', { body: { tenantId: admin.tenantId } });
  const refresh = () =>
    callerOf(service)('POST', '/tokens/refresh', { body: { refreshToken: tokens.refreshToken } });
  expect((await refresh()).status).toBe(200);
  expect((await refresh()).status).toBe(401);
  const me = await owner.call('GET', '/me');
  await tellsOf(receiver, 'security.refresh_token_reused', { userId: me.body.id });

  // Its own life.
  const operator = await anOperator(service);
  await operator.call('POST', `${tenant}/suspend`);
  await operator.call('POST', `${tenant}/suspend`);
  await operator.call('POST', `${tenant}/resume`);
  await tellsOf(receiver, 'tenant.suspended', {});
  await tellsOf(receiver, 'tenant.resumed', {});

  const told = new Set(receiver.received.map(({ payload }) => payload.type));
  expect([...told].sort()).toEqual([...webhookEventTypes].sort());
  expect(receiver.violations).toEqual([]);
  expect(new Set(receiver.received.map(({ id }) => id)).size).toBe(receiver.received.length);
}, 120_000);

test('an endpoint is told of the types that it wants, and of none of another tenant', async () => {
  const [some, theirs] = [await aWebhookReceiver(), await aWebhookReceiver()];
  const service = await aService({
    tenants: [{ slug: 'shop' }, { slug: 'other' }],
    overrides: { allowedHosts: [some.host, theirs.host] },
  });
  const admin = await anApiCaller(service);
  const other = await anApiCaller(service, { tenant: 'other' });
  await subscribe(admin, some, { eventTypes: ['message.answered', 'api_key.created'] });
  await subscribe(other, theirs);
  const visitor = await service.aVisitor();
  await visitor.answerTo(await visitor.send('hello'));
  await admin.own('POST', '/api-keys', { body: { name: 'A key', permissions: ['channels:read'] } });
  await other.own('POST', '/api-keys', { body: { name: 'A key', permissions: ['channels:read'] } });
  await eventually(() => {
    expect(some.received.map(({ payload }) => payload.type).sort()).toEqual([
      'api_key.created',
      'message.answered',
    ]);
    expect(theirs.received.map(({ payload }) => [payload.type, payload.tenantId])).toEqual([
      ['api_key.created', other.tenantId],
    ]);
  });
});
