import { describe, expect, test } from 'vitest';
import { sign } from '#simulators/slack/sign.ts';
import { sharedService } from '../support/a-service.ts';
import { type ApiCaller, anApiCaller } from '../support/an-api-caller.ts';
import { eventually } from '../support/eventually.ts';
import { inTenantOf } from '../support/place-of.ts';

const service = sharedService({ tenants: [{ slug: 'shop' }, { slug: 'rival' }] });
const guid = (digit: number) => `${String(digit).repeat(8)}-2222-3333-4444-555555555555`;
const origins = ['https://shop.example'];

const owner = (tenant = 'shop') => anApiCaller(service(), { tenant, role: 'owner' });

const trailOf = (tenant: string) =>
  inTenantOf(service(), tenant, (unit) =>
    unit.sql<{ action: string; outcome: string; actor_kind: string; detail: unknown; reason: string }>(
      'SELECT action, outcome, actor_kind, detail, reason FROM swarmgate.audit_events ORDER BY id DESC LIMIT 10',
    ),
  );

const secretsOf = (tenant: string, slug: string) =>
  inTenantOf(service(), tenant, async (unit) => {
    const [row] = await unit.sql<{ sealed: Record<string, string> }>(
      'SELECT sealed FROM swarmgate.channels WHERE slug = $1',
      [slug],
    );
    return row?.sealed ?? {};
  });

describe('a channel of every platform', () => {
  test.each([
    { platform: 'slack', workspace: 'T7', appId: 'A7', signingSecret: 'sign-me', botToken: 'xoxb-7' },
    { platform: 'discord', applicationId: '77', publicKey: 'a'.repeat(64), botToken: 'bot-7', guild: '7' },
    { platform: 'teams', aadTenant: guid(7), appId: guid(8), appPassword: 'pass-7' },
    { platform: 'twilio', accountSid: 'AC7', authToken: 'token-7', number: '+15550007' },
    {
      platform: 'webchat',
      origins,
      identity: { secret: 'identity-secret-of-forty-characters-long', required: true },
    },
  ])('$platform is made, shown without its secrets, and made anew once it was removed', async (channel) => {
    const { own } = await owner();
    const body = { slug: `a-${channel.platform}`, ...channel };
    const made = await own('POST', '/channels', { body });
    expect(made.status).toBe(201);
    const shown = JSON.stringify([made.body, (await own('GET', `/channels/${made.body.id}`)).body]);
    for (const secret of ['sign-me', 'xoxb-7', 'bot-7', 'pass-7', 'token-7', 'identity-secret'])
      expect(shown).not.toContain(secret);
    expect(made.body.secrets).toEqual(Object.keys(await secretsOf('shop', body.slug)).sort());
    expect(made.body.secrets.length).toBeGreaterThan(0);
    expect(await own('POST', '/channels', { body })).toMatchObject({
      status: 409,
      body: { code: 'slug_taken' },
    });
    expect(await own('DELETE', `/channels/${made.body.id}`)).toMatchObject({ status: 204 });
    expect(await own('POST', '/channels', { body })).toMatchObject({ status: 201 });
  });

  test.each([
    [{ platform: 'slack', appId: 'A9' }, '/body/appId'],
    [{ platform: 'teams', aadTenant: 'common' }, '/body/aadTenant'],
    [{ platform: 'webchat' }, '/body/origins'],
    [{ platform: 'webchat', origins, colour: 'red' }, '/body'],
    [{ platform: 'carrier-pigeon' }, '/body/platform'],
  ])('%j is refused, with the place that is wrong', async (channel, pointer) => {
    const { own } = await owner();
    const answer = await own('POST', '/channels', { body: { slug: 'wrong', ...channel } });
    expect(answer).toMatchObject({ status: 400, body: { code: 'invalid_request' } });
    expect(answer.body.errors.map((error: { pointer: string }) => error.pointer)).toContain(pointer);
  });
});

describe('accounts', () => {
  const slack = (more: object = {}) => ({
    ...{ slug: 'hq', platform: 'slack', workspace: 'T100', appId: 'A100' },
    ...{ signingSecret: 's', botToken: 'xoxb-100', ...more },
  });

  test('one that another tenant has claimed is refused without a word about whose it is, and both are told', async () => {
    const holder = await owner('rival');
    const held = await holder.own('POST', '/channels', { body: slack() });
    expect(held.status).toBe(201);
    const thief = await owner();

    const refused = await thief.own('POST', '/channels', { body: slack() });
    expect(refused).toMatchObject({ status: 409, body: { code: 'account_claimed' } });
    for (const word of ['rival', holder.tenantId, held.body.id, holder.tenantId.slice(4)])
      expect(JSON.stringify(refused.body)).not.toContain(word);
    const listed = await thief.own('GET', '/channels');
    expect(listed.body.items.map(({ slug }: { slug: string }) => slug)).not.toContain('hq');

    const detail = { accounts: [{ platform: 'slack', kind: 'workspace', app: 'A100', key: 'T100' }] };
    expect(await trailOf('rival')).toContainEqual({
      ...{ action: 'claim.refused', outcome: 'refused', actor_kind: 'nobody', detail },
      reason: 'Somebody else wanted an account that this channel has claimed.',
    });
    expect(await trailOf('shop')).toContainEqual(
      expect.objectContaining({ action: 'claim.refused', outcome: 'refused', actor_kind: 'api_key', detail }),
    );
    expect(JSON.stringify(await trailOf('rival'))).not.toContain(thief.tenantId.slice(4));
    // What was claimed is as it was.
    expect((await holder.own('GET', `/channels/${held.body.id}`)).body.accounts).toEqual([
      { kind: 'workspace', app: 'A100', key: 'T100' },
    ]);
  });

  test('one of the shared app is not had by naming it', async () => {
    const { own } = await owner();
    for (const channel of [
      { platform: 'slack', workspace: 'T200' },
      { platform: 'slack', enterprise: 'E200' },
      { platform: 'discord', guild: '200' },
      { platform: 'teams', aadTenant: guid(2) },
      { platform: 'twilio', number: '+15550200' },
    ])
      expect(await own('POST', '/channels', { body: { slug: 'shared', ...channel } })).toMatchObject({
        status: 409,
        body: { code: 'account_not_proved' },
      });
    // Without a name it waits for whoever installs the app.
    const made = await own('POST', '/channels', { body: { slug: 'shared', platform: 'slack' } });
    expect(made).toMatchObject({ status: 201, body: { accounts: [] } });
    expect(await own('PATCH', `/channels/${made.body.id}`, { body: { workspace: 'T200' } })).toMatchObject({
      status: 409,
      body: { code: 'account_not_proved' },
    });
  });

  test('one that an operator has named stays with its channel, whatever else is changed', async () => {
    const channels = [{ slug: 'named', platform: 'slack', workspace: 'T300', botToken: 'xoxb-300' }];
    await service().app.apply(
      {
        organizations: [
          {
            ...{ slug: 'acme', name: 'Acme Inc', plan: 'free' },
            tenants: [
              {
                ...{ slug: 'shop', name: 'shop', region: 'local', agents: [], knowledge: [] },
                channels: channels.map((channel) => ({
                  replies: 'thread',
                  streaming: true,
                  ...channel,
                })) as never,
              },
            ],
          },
        ],
      },
      { dryRun: false },
    );
    const { own } = await owner();
    const { items } = (await own('GET', '/channels')).body;
    const { id } = items.find(({ slug }: { slug: string }) => slug === 'named');
    expect(await own('PATCH', `/channels/${id}`, { body: { replies: 'mentions' } })).toMatchObject({
      status: 200,
      body: {
        settings: { replies: 'mentions', workspace: 'T300' },
        secrets: ['botToken'],
        accounts: [{ kind: 'workspace', app: '', key: 'T300' }],
      },
    });
    expect(await own('PATCH', `/channels/${id}`, { body: { workspace: 'T301' } })).toMatchObject({
      status: 409,
    });
  });
});

describe('secrets', () => {
  const eventOf = (secret: string) => {
    const body = JSON.stringify({ type: 'url_verification', challenge: 'c', token: 't' });
    const timestamp = String(Math.floor(Date.now() / 1_000));
    return {
      method: 'POST',
      body,
      headers: {
        'content-type': 'application/json',
        'x-slack-request-timestamp': timestamp,
        'x-slack-signature': sign(secret, timestamp, body),
      },
    };
  };

  test('one that was rotated holds from then on, and the old one does not', async () => {
    const { own } = await owner();
    const body = {
      ...{ slug: 'rotated', platform: 'slack', workspace: 'T400', appId: 'A400' },
      ...{ signingSecret: 'old', botToken: 'xoxb-4' },
    };
    const { body: made } = await own('POST', '/channels', { body });
    const url = `${service().url}/webhooks/slack/${made.key}/events`;
    expect((await fetch(url, eventOf('old'))).status).toBe(200);
    const before = await secretsOf('shop', 'rotated');

    const path = `/channels/${made.id}/rotate-secret`;
    const rotated = await own('POST', path, { body: { name: 'signingSecret', secret: 'new' } });
    expect(rotated).toMatchObject({
      status: 200,
      body: { version: 2, secrets: ['botToken', 'signingSecret'] },
    });

    expect((await fetch(url, eventOf('new'))).status).toBe(200);
    await eventually(async () => expect((await fetch(url, eventOf('old'))).status).toBe(401));
    const after = await secretsOf('shop', 'rotated');
    expect(after['botToken']).toBe(before['botToken']);
    expect(after['signingSecret']).not.toBe(before['signingSecret']);
    expect(await trailOf('shop')).toContainEqual(
      expect.objectContaining({ action: 'rotateChannelSecret', detail: { rotated: ['signingSecret'] } }),
    );
    for (const name of ['clientSecret', 'workspace', 'installedBotToken', '__proto__'])
      expect(await own('POST', path, { body: { name, secret: 'x' } })).toMatchObject({
        status: 409,
        body: { code: 'no_such_secret' },
      });
    expect(await own('POST', path, { body: { name: 'botToken', secret: 'no-token' } })).toMatchObject({
      status: 400,
    });
  });

  test('what is left out of a change stays, and null takes away', async () => {
    const { own } = await owner();
    const identity = { secret: 'a-secret-of-at-least-32-characters', required: false };
    const { body: made } = await own('POST', '/channels', {
      body: { slug: 'merged', platform: 'webchat', origins, identity, greeting: 'Hello' },
    });
    const before = await secretsOf('shop', 'merged');
    const required = await own('PATCH', `/channels/${made.id}`, { body: { identity: { required: true } } });
    expect(required.body).toMatchObject({
      settings: { greeting: 'Hello', identity: { kind: 'secret', required: true } },
      secrets: ['identitySecret'],
    });
    expect(await secretsOf('shop', 'merged')).toEqual(before);
    const open = await own('PATCH', `/channels/${made.id}`, { body: { identity: null } });
    expect(open.body).toMatchObject({ settings: { greeting: 'Hello', origins }, secrets: [] });
    expect(await secretsOf('shop', 'merged')).toEqual({});
    expect(await own('PATCH', `/channels/${made.id}`, { body: { origins: null } })).toMatchObject({
      status: 400,
    });
  });
});

describe('an agent', () => {
  const inside = [
    'http://127.0.0.1:6379',
    'http://169.254.169.254/latest',
    'http://[::1]/',
    'http://u:p@a.example',
  ];

  test.each(inside)('does not reach inside by its address: %s', async (baseUrl) => {
    const { own } = await owner();
    const body = { slug: 'inside', model: 'compatible/x', baseUrl, apiKey: 'sk-1' };
    expect(await own('POST', '/agents', { body })).toMatchObject({
      status: 400,
      body: { code: 'forbidden_url' },
    });
    const identity = { jwksUrl: baseUrl, required: false };
    const channel = { slug: 'inside', platform: 'webchat', origins, identity };
    expect(await own('POST', '/channels', { body: channel })).toMatchObject({ status: 400 });
  });

  test('keeps its key to where it was given for', async () => {
    const { own } = await owner();
    const body = {
      slug: 'keyed',
      model: 'compatible/x',
      baseUrl: 'https://models.example',
      apiKey: 'sk-secret',
    };
    const { body: made } = await own('POST', '/agents', { body });
    expect(JSON.stringify(made)).not.toContain('sk-secret');
    expect(made).toMatchObject({ baseUrl: 'https://models.example', secrets: ['apiKey'], settings: {} });
    const path = `/agents/${made.id}`;
    for (const change of [{ baseUrl: 'https://thief.example' }, { model: 'openai/gpt' }, { baseUrl: null }])
      expect(await own('PATCH', path, { body: change })).toMatchObject({
        status: 409,
        body: { code: 'key_needed' },
      });
    expect(await own('PATCH', path, { body: { instructions: 'Be brief.' } })).toMatchObject({
      body: { instructions: 'Be brief.', secrets: ['apiKey'] },
    });
    const moved = { baseUrl: 'https://other.example', apiKey: 'sk-secret' };
    expect(await own('PATCH', path, { body: moved })).toMatchObject({
      status: 200,
      body: { baseUrl: 'https://other.example', secrets: ['apiKey'] },
    });
    expect(await own('PATCH', path, { body: { apiKey: null, baseUrl: null } })).toMatchObject({
      body: { baseUrl: null, secrets: [] },
    });
  });

  test('is the default by its name, and is not removed while a channel needs it', async () => {
    const { own } = await owner();
    const { items } = (await own('GET', '/agents')).body;
    const standing = items.find(({ isDefault }: { isDefault: boolean }) => isDefault);
    expect(await own('DELETE', `/agents/${standing.id}`)).toMatchObject({
      status: 409,
      body: { code: 'agent_in_use' },
    });
    const { body: other } = await own('POST', '/agents', { body: { slug: 'other', model: 'builtin/echo' } });
    expect(await own('PATCH', `/agents/${other.id}`, { body: { slug: 'default' } })).toMatchObject({
      status: 409,
      body: { code: 'slug_taken' },
    });
    await own('PATCH', `/agents/${standing.id}`, { body: { slug: 'former' } });
    expect(await own('PATCH', `/agents/${other.id}`, { body: { slug: 'default' } })).toMatchObject({
      body: { slug: 'default', isDefault: true },
    });
    expect(await own('DELETE', `/agents/${standing.id}`)).toMatchObject({ status: 204 });
  });
});

test('who may look on changes nothing, and another tenant’s is not there', async () => {
  const viewer = await anApiCaller(service(), { role: 'viewer' });
  const theirs = await owner('rival');
  const { body: foreign } = await theirs.own('POST', '/channels', {
    body: { slug: 'theirs', platform: 'webchat', origins },
  });
  const body = { slug: 'mine', platform: 'webchat', origins };
  expect(await viewer.own('POST', '/channels', { body })).toMatchObject({ status: 403 });
  const ours: ApiCaller = await owner();
  for (const [method, path] of [
    ['PATCH', ''],
    ['DELETE', ''],
    ['POST', '/pause'],
    ['POST', '/resume'],
    ['POST', '/install-link'],
  ] as const)
    expect([path, (await ours.own(method, `/channels/${foreign.id}${path}`, { body: {} })).status]).toEqual([
      path,
      404,
    ]);
  expect((await theirs.own('GET', `/channels/${foreign.id}`)).body).toEqual(foreign);
});
