import { expect, test } from 'vitest';
import type { Agent } from '#agents/agent.ts';
import { createAuditTrail } from '#audit/create-audit-trail.ts';
import { fromWire, type Uuid } from '#domain/ids.ts';
import { retireChannels } from '#tenancy/retire-channels.ts';
import { aSlackService, postsOf, type SlackService, sharedApp } from '../support/a-slack-service.ts';
import { type ApiCaller, anApiCaller } from '../support/an-api-caller.ts';
import { eventually } from '../support/eventually.ts';
import { inTenantOf } from '../support/place-of.ts';
import { planPlatformTenant, slackChannelOf } from '../support/platform-tenants.ts';

type Stage = {
  service: SlackService;
  holder: ApiCaller;
  taker: ApiCaller;
  botUserId: string;
  channel: object;
};

/** A tenant with workspace T1 of the shared app, and one that is to have it; a third looks on. */
async function aStage({ wrapAgents }: { wrapAgents?: (agents: Agent) => Agent } = {}): Promise<Stage> {
  let botUserId = '';
  let botToken = '';
  const service = await aSlackService({
    overrides: { ...(wrapAgents && { wrapAgents }) },
    plans(slack) {
      slack.addWorkspace({ teamId: 'T1' });
      ({ botUserId, botToken } = slack.install(sharedApp.appId, 'T1'));
      return [
        planPlatformTenant({ slug: 'holder', channels: [slackChannelOf({ workspace: 'T1', botToken })] }),
        planPlatformTenant({ slug: 'taker', channels: [] }),
        planPlatformTenant({ slug: 'other', channels: [] }),
      ];
    },
  });
  const [holder, taker] = await Promise.all(
    ['holder', 'taker'].map((tenant) => anApiCaller(service, { tenant, role: 'owner' })),
  );
  if (!holder || !taker) throw new Error('Two callers were made.');
  const channel = { slug: 'taken', platform: 'slack', workspace: 'T1', botToken };
  return { service, holder, taker, botUserId, channel };
}

async function offer({ holder }: Stage, body: object = {}) {
  const { items } = (await holder.own('GET', '/channels')).body;
  const answer = await holder.own('POST', `/channels/${items[0].id}/transfers`, { body });
  expect(answer).toMatchObject({ status: 201, body: { status: 'offered' } });
  return answer.body as { id: string; token: string; channelId: string; accounts: object[] };
}

const accept = ({ taker, channel }: Stage, token: string, more: object = {}) =>
  taker.own('POST', '/transfers/accept', { body: { token, channel, ...more } });

const told = (service: SlackService, tenant: string) =>
  inTenantOf(service, tenant, (unit) =>
    unit.sql<{ action: string; outcome: string; detail: object; reason: string }>(
      'SELECT action, outcome, detail, reason FROM swarmgate.audit_events ORDER BY id DESC LIMIT 5',
    ),
  );

const textsOf = async ({ service }: Stage, tenant: string) =>
  (await service.rows(tenant)).messages.map(({ text }) => text);

const say = ({ service, botUserId }: Stage, channel: string, text: string) =>
  service.slack.say('T1', { user: 'U1', channel, text: `<@${botUserId}> ${text}`, app: sharedApp.appId });

const accounts = [{ kind: 'workspace', app: '', key: 'T1' }];

test('what was offered and accepted goes over in one step: the account, and nothing that was said', async () => {
  const stage = await aStage();
  const { service, holder, taker } = stage;
  await say(stage, 'C1', 'before');
  expect(await postsOf(service.slack, 'T1', 'C1')).toEqual(['before']);

  const { id, token, channelId, accounts: offered } = await offer(stage, { toTenantId: taker.tenantId });
  expect(offered).toEqual(accounts);
  const taken = await accept(stage, token);
  expect(taken).toMatchObject({ status: 201, body: { slug: 'taken', status: 'active', accounts } });

  await eventually(async () => {
    const channel = `C${Math.random().toString().slice(2, 8)}`;
    await say(stage, channel, 'after');
    await postsOf(service.slack, 'T1', channel);
    expect(await textsOf(stage, 'taker')).toContain('after');
  });
  expect(await textsOf(stage, 'taker')).not.toContain('before');
  expect(await textsOf(stage, 'holder')).toEqual(expect.arrayContaining(['before', 'before']));
  expect((await taker.own('GET', '/conversations')).body.items).not.toContainEqual(
    expect.objectContaining({ channelId }),
  );
  // Whoever gave it away begins nothing there any more, and does not get it back by changing the channel.
  expect(await holder.own('GET', `/channels/${channelId}`)).toMatchObject({
    body: { status: 'handed_over', accounts: [] },
  });
  const message = { channel: channelId, address: 'C1', text: 'Still me' };
  expect(await holder.own('POST', '/messages', { body: message })).toMatchObject({ status: 409 });
  expect(
    await holder.own('PATCH', `/channels/${channelId}`, { body: { replies: 'mentions' } }),
  ).toMatchObject({ status: 409, body: { code: 'channel_handed_over' } });

  expect(await told(service, 'holder')).toContainEqual({
    ...{ action: 'claim.handed_over', outcome: 'allowed', reason: expect.stringMatching(/accepted/) },
    detail: { transferId: id, to: taker.tenantId, accounts },
  });
  expect(await told(service, 'taker')).toContainEqual(
    expect.objectContaining({ action: 'acceptTransfer', detail: { accounts, from: holder.tenantId } }),
  );
  expect((await holder.own('GET', '/transfers')).body.items).toMatchObject([
    { id, status: 'accepted', acceptedBy: taker.tenantId },
  ]);
  expect(JSON.stringify(service.logLines)).not.toContain(token.slice(0, 20));
  expect(service.slack.violations).toEqual([]);
});

test('a token is good once, however many come with it at once', async () => {
  const stage = await aStage();
  const { token } = await offer(stage);
  const other = await anApiCaller(stage.service, { tenant: 'other', role: 'owner' });
  const answers = await Promise.all(
    Array.from({ length: 10 }, (_, index) =>
      accept(index % 2 === 0 ? stage : { ...stage, taker: other }, token),
    ),
  );
  const statuses = answers.map(({ status }) => status);
  expect(statuses.filter((status) => status === 201)).toHaveLength(1);
  expect(new Set(statuses)).toEqual(new Set([201, 409]));
  const held = await stage.service.app.storage.scopes.inPlatform((unit) =>
    unit.sql(`SELECT key FROM directory.external_keys WHERE kind = 'workspace'`),
  );
  expect(held).toEqual([{ key: 'T1' }]);
  expect(await accept(stage, token)).toMatchObject({ status: 409, body: { code: 'transfer_refused' } });
});

test('whoever may not have it is told the same, and whoever offered it learns that they tried', async () => {
  const stage = await aStage();
  const { service, holder, taker } = stage;
  const other = await anApiCaller(service, { tenant: 'other', role: 'owner' });
  const elsewhere = { ...stage, taker: other };
  const { token } = await offer(stage, { toTenantId: taker.tenantId });
  const [secret, names] = token.split('.');

  const answers = [
    await accept(elsewhere, token),
    await accept(stage, `sgt_${'x'.repeat(43)}.${names}`),
    await accept(stage, `${secret}.${'0'.repeat(64)}`),
    await accept(stage, 'nothing'),
    await accept({ ...stage, taker: holder }, token),
  ];
  for (const { status, body } of answers) {
    expect(status).toBe(409);
    expect({ ...body, requestId: '' }).toEqual({ ...answers[0]?.body, requestId: '' });
  }
  expect((await told(service, 'holder')).map(({ action, reason }) => [action, reason])).toContainEqual([
    'transfer.refused',
    'Somebody came with the token of an offer: it was for another tenant.',
  ]);
  const channel = { ...stage.channel, workspace: 'T2' };
  expect(await accept(stage, token, { channel })).toMatchObject({
    status: 409,
    body: { detail: expect.stringMatching(/another account/) },
  });
  // And without the token the account is not to be had.
  expect(await taker.own('POST', '/channels', { body: stage.channel })).toMatchObject({ status: 409 });
  expect(await accept(stage, token)).toMatchObject({ status: 201 });
});

test('an offer ends when it is taken back, made anew, too old, or when its tenant is not open', async () => {
  const stage = await aStage();
  const { service, holder } = stage;
  const first = await offer(stage);
  expect(await holder.own('DELETE', `/transfers/${first.id}`)).toMatchObject({ status: 204 });
  expect(await holder.own('DELETE', `/transfers/${first.id}`)).toMatchObject({ status: 409 });
  expect(await accept(stage, first.token)).toMatchObject({ status: 409 });

  const second = await offer(stage);
  const third = await offer(stage);
  expect(await accept(stage, second.token)).toMatchObject({ status: 409 });
  await inTenantOf(service, 'holder', (unit) =>
    unit.sql(`UPDATE swarmgate.claim_offers SET expires_at = now() - interval '1 second' WHERE id = $1`, [
      fromWire('transfer', third.id),
    ]),
  );
  expect(await accept(stage, third.token)).toMatchObject({ status: 409 });
  expect(
    (await holder.own('GET', '/transfers')).body.items.map(({ status }: { status: string }) => status),
  ).toEqual(['expired', 'withdrawn', 'withdrawn']);

  const fourth = await offer(stage);
  await setStatus(stage, 'suspended');
  expect(await accept(stage, fourth.token)).toMatchObject({ status: 409 });
  await setStatus(stage, 'active');
  expect(await accept(stage, fourth.token)).toMatchObject({ status: 201 });
});

const setStatus = ({ service, holder }: Stage, status: string) =>
  service.app.storage.scopes.inPlatform((unit) =>
    unit.sql('UPDATE directory.tenants SET status = $2 WHERE id = $1', [
      fromWire('tenant', holder.tenantId) as Uuid,
      status,
    ]),
  );

test('what is refused behind the hand-over undoes it', async () => {
  const stage = await aStage();
  const { holder, taker } = stage;
  const taking = { slug: 'taken', platform: 'webchat', origins: ['https://shop.example'] };
  expect(await taker.own('POST', '/channels', { body: taking })).toMatchObject({ status: 201 });
  const { token, channelId } = await offer(stage);
  expect(await accept(stage, token)).toMatchObject({ status: 409, body: { code: 'slug_taken' } });
  expect(await holder.own('GET', `/channels/${channelId}`)).toMatchObject({
    body: { status: 'active', accounts },
  });
  expect(await accept(stage, token, { channel: { ...stage.channel, slug: 'free' } })).toMatchObject({
    status: 201,
  });
});

test('an answer that is being made ends where it began, and then the old channel goes with its secrets', async () => {
  let release = () => {};
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  const begun: string[] = [];
  const stage = await aStage({
    wrapAgents: (agents) => ({
      async *reply(turn, signal) {
        begun.push(turn.message.text);
        if (turn.message.text === 'slowly') await held;
        yield* agents.reply(turn, signal);
      },
    }),
  });
  const { service, holder } = stage;
  await say(stage, 'C1', 'slowly');
  await eventually(() => expect(begun).toContain('slowly'));
  const { token, channelId } = await offer(stage);
  expect(await accept(stage, token)).toMatchObject({ status: 201 });
  release();
  expect(await postsOf(service.slack, 'T1', 'C1')).toEqual(['slowly']);
  expect(await textsOf(stage, 'holder')).toEqual(['slowly', 'slowly']);
  expect(await textsOf(stage, 'taker')).toEqual([]);

  const { scopes, keyRing } = service.app.storage;
  const parts = { scopes, trail: createAuditTrail({ scopes, keyRing }) };
  expect(await retireChannels(parts)).toBe(0);
  expect(await retireChannels(parts, 0)).toBe(1);
  expect(await holder.own('GET', `/channels/${channelId}`)).toMatchObject({
    body: { status: 'removed', secrets: [] },
  });
});
