import { createHmac, createPublicKey, type JsonWebKey } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import type { TokenTwist } from '#simulators/teams/signing.ts';
import { contoso, messagesUrlOf, sharedBot, sharedTeamsService } from '../support/a-teams-service.ts';
import { emptyQueue } from '../support/empty-queue.ts';
import { planPlatformTenant, teamsChannelOf } from '../support/platform-tenants.ts';

/** What an attacker would send to the address that Teams calls. Each is refused before anything is kept. */

const fabrikam = 'f0f0f0f0-1111-2222-3333-444444444444';
const northwind = '0a0a0a0a-1111-2222-3333-444444444444';
const ownBot = {
  appId: '22222222-2222-3333-4444-555555555555',
  password: 'the-own-bot-password',
  name: 'Own',
};
const ownKey = 'ck_own_bot';

const service = sharedTeamsService({
  plans: (teams, at) => {
    teams.addApp({ ...ownBot, homeTenant: fabrikam, messagesUrl: messagesUrlOf(at, ownKey) });
    const own = { appId: ownBot.appId, appPassword: ownBot.password, key: ownKey };
    return [
      planPlatformTenant({ slug: 'one', channels: [teamsChannelOf({ aadTenant: contoso })] }),
      planPlatformTenant({ slug: 'two', channels: [teamsChannelOf({ aadTenant: fabrikam, ...own })] }),
    ];
  },
});

let counter = 0;
type Body = Record<string, unknown>;

/** A message that somebody at Contoso writes to the shared bot. */
function aMessage(more: Body = {}, { appId = sharedBot.appId, tenant = contoso } = {}): Body {
  counter += 1;
  const message = { type: 'message', id: String(1_767_000_000_000 + counter), text: `attack ${counter}` };
  return service().teams.activity(appId, { tenant, user: '29:mallory' }, { ...message, ...more });
}

const tokenFor = (body: Body, twist?: TokenTwist, audience = sharedBot.appId) =>
  service().teams.mint(audience, String(body['serviceUrl']), twist);

async function post(
  body: Body | string,
  authorization: string | undefined,
  url = messagesUrlOf(service()),
): Promise<{ status: number; body: string }> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...(authorization !== undefined && { authorization }) },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
  return { status: response.status, body: await response.text() };
}

/** What was kept of what people said; what becomes of it goes on meanwhile. */
async function everything(): Promise<string> {
  const all = await Promise.all(['one', 'two'].map((tenant) => service().rows(tenant)));
  return JSON.stringify(all.map(({ messages }) => messages.filter(({ role }) => role === 'visitor')));
}

async function references(): Promise<string> {
  const { scopes } = service().app.storage;
  const tenants = await scopes.inPlatform((unit) =>
    unit.sql<{ id: string }>('SELECT id FROM directory.tenants'),
  );
  const rows = await Promise.all(
    tenants.map(({ id }) =>
      scopes.inTenant(id, (unit) => unit.sql('SELECT reference FROM swarmgate.conversation_references')),
    ),
  );
  return JSON.stringify(rows);
}

/** Sends it and tells what it was answered; nothing may have been kept, neither a message nor an address. */
async function refused(
  body: Body | string,
  authorization: string | undefined,
  url?: string,
): Promise<number> {
  const before = [await everything(), await references()];
  const answer = await post(body, authorization, url);
  expect([await everything(), await references()]).toEqual(before);
  expect(answer.body).not.toContain(sharedBot.password);
  if (authorization) expect(answer.body).not.toContain(authorization);
  return answer.status;
}

const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
const nowSeconds = () => Math.floor(Date.now() / 1_000);

test('what is signed as it must be is taken, at both addresses (so that the rest means something)', async () => {
  const first = aMessage();
  expect(await post(first, `Bearer ${await tokenFor(first)}`)).toEqual({ status: 200, body: '' });
  const second = aMessage();
  expect(await post(second, `Bearer ${await tokenFor(second)}`, `${service().url}/api/messages`)).toEqual({
    status: 200,
    body: '',
  });
  const own = aMessage({}, { appId: ownBot.appId, tenant: fabrikam });
  const token = await tokenFor(own, {}, ownBot.appId);
  expect((await post(own, `Bearer ${token}`, messagesUrlOf(service(), ownKey))).status).toBe(200);
  const kept = await everything();
  for (const body of [first, second, own]) expect(kept).toContain(body['text']);
});

describe('a token that proves nothing is answered 401', () => {
  test.each<[string, TokenTwist]>([
    ['another issuer', { claims: { iss: 'https://api.botframework.us' } }],
    ['the issuer of people’s tokens', { claims: { iss: `https://sts.windows.net/${contoso}/` } }],
    ['no issuer', { claims: { iss: undefined } }],
    ['the audience of another bot', { claims: { aud: ownBot.appId } }],
    ['an audience of nobody', { claims: { aud: '99999999-2222-3333-4444-555555555555' } }],
    ['no audience', { claims: { aud: undefined } }],
    ['a lifetime that is over', { claims: { exp: nowSeconds() - 6 * 60 } }],
    ['a lifetime that has not begun', { claims: { nbf: nowSeconds() + 6 * 60 } }],
    ['no end', { claims: { exp: undefined } }],
    ['a key of somebody else under a published id', { foreignKey: true }],
    ['a key that nobody publishes', { header: { kid: 'unheard-of' } }],
    ['no key id', { header: { kid: undefined } }],
    ['a key id that is none', { header: { kid: '' } }],
  ])('%s', async (_what, twist) => {
    const body = aMessage();
    expect(await refused(body, `Bearer ${await tokenFor(body, twist)}`)).toBe(401);
  });

  test('a clock that differs by less than five minutes is forgiven', async () => {
    for (const claims of [{ exp: nowSeconds() - 4 * 60 }, { nbf: nowSeconds() + 4 * 60 }]) {
      const body = aMessage();
      expect((await post(body, `Bearer ${await tokenFor(body, { claims })}`)).status).toBe(200);
    }
  });

  test('none of the algorithms that need no key, or take the public one as a password', async () => {
    const body = aMessage();
    const token = await tokenFor(body);
    const [header = '', payload = '', signature = ''] = token.split('.');
    const { kid } = JSON.parse(Buffer.from(header, 'base64url').toString()) as { kid: string };
    const keys = (await (await fetch(`${service().teams.url}/v1/.well-known/keys`)).json()) as {
      keys: (JsonWebKey & { kid: string })[];
    };
    const jwk = keys.keys.find((key) => key.kid === kid);
    const pem = createPublicKey({ key: jwk ?? {}, format: 'jwk' }).export({ type: 'spki', format: 'pem' });
    for (const alg of ['none', 'None', 'HS256', 'RS512', 'PS256', 'ES256']) {
      const forged = `${encode({ alg, typ: 'JWT', kid })}.${payload}`;
      const mac = createHmac('sha256', pem).update(forged).digest('base64url');
      for (const end of [mac, signature, ''])
        expect(await refused(body, `Bearer ${forged}.${end}`), alg).toBe(401);
    }
  });

  test('no key that the token brings along', async () => {
    const body = aMessage();
    const { kid, ...rest } = { kid: 'mine', jku: `${service().teams.url}/v1/.well-known/keys` };
    const twist = { foreignKey: true, header: { kid, ...rest, jwk: { kty: 'RSA', n: 'AQAB', e: 'AQAB' } } };
    expect(await refused(body, `Bearer ${await tokenFor(body, twist)}`)).toBe(401);
  });

  test('a payload that was changed after it was signed', async () => {
    const body = aMessage();
    const [header = '', payload = '', signature = ''] = (await tokenFor(body, {}, ownBot.appId)).split('.');
    const claims = JSON.parse(Buffer.from(payload, 'base64url').toString()) as object;
    const forged = encode({ ...claims, aud: sharedBot.appId });
    expect(await refused(body, `Bearer ${header}.${forged}.${signature}`)).toBe(401);
    expect(await refused(body, `Bearer ${header}.${payload}.${signature.slice(0, -4)}AAAA`)).toBe(401);
  });

  test.each([
    ['nothing', undefined],
    ['an empty header', ''],
    ['another scheme', 'Basic bWFsbG9yeTptYWxsb3J5'],
    ['a token of two parts', 'Bearer abc.def'],
    ['something that is no token', 'Bearer a.b.c'],
    ['a token that is very long', `Bearer ${'a'.repeat(5_000)}.${'b'.repeat(5_000)}.c`],
  ])('%s', async (_what, authorization) => {
    expect(await refused(aMessage(), authorization)).toBe(401);
  });

  test('two tokens, one of them right', async () => {
    const body = aMessage();
    const token = await tokenFor(body);
    expect(await refused(body, `Bearer a.b.c, Bearer ${token}`)).toBe(401);
  });

  test('a token of one bot at the address of another', async () => {
    const body = aMessage();
    const shared = `Bearer ${await tokenFor(body)}`;
    expect(await refused(body, shared, messagesUrlOf(service(), ownKey))).toBe(401);
    const own = aMessage({}, { appId: ownBot.appId, tenant: fabrikam });
    const token = await tokenFor(own, {}, ownBot.appId);
    expect(await refused(own, `Bearer ${token}`)).toBe(401);
  });
});

describe('a token that does not allow what the body says is answered 403', () => {
  test('a serviceUrl that is not the signed one', async () => {
    const body = aMessage();
    const token = await tokenFor(body);
    for (const serviceUrl of [
      'https://evil.example/amer/',
      `${body['serviceUrl']}x`,
      String(body['serviceUrl']).replace(contoso, fabrikam),
      undefined,
    ])
      expect(await refused({ ...body, serviceUrl }, `Bearer ${token}`)).toBe(403);
  });

  test('a token without a serviceUrl, or with two that differ', async () => {
    const body = aMessage();
    for (const claims of [
      { serviceurl: undefined },
      { serviceUrl: 'https://evil.example/' },
      { serviceurl: 'https://evil.example/', serviceUrl: body['serviceUrl'] },
    ])
      expect(await refused(body, `Bearer ${await tokenFor(body, { claims })}`)).toBe(403);
  });

  test('a channel in which strangers say whose tenant they are', async () => {
    for (const channelId of ['directline', 'webchat', 'emulator', 'email', 'MSTEAMS', undefined]) {
      const body = aMessage({ channelId });
      expect(await refused(body, `Bearer ${await tokenFor(body)}`), channelId).toBe(403);
    }
  });

  test('a tenant in the body that the signed address does not name', async () => {
    const body = aMessage({
      conversation: { id: 'a:1', conversationType: 'personal', tenantId: fabrikam },
      channelData: { tenant: { id: fabrikam } },
    });
    expect(await refused(body, `Bearer ${await tokenFor(body)}`)).toBe(403);
  });

  test('a body that is no activity', async () => {
    const body = aMessage();
    const token = `Bearer ${await tokenFor(body)}`;
    for (const bad of ['', 'no json', '[]', '"text"', 'null']) expect(await refused(bad, token)).toBe(403);
  });
});

test('the signed address goes before what the body says of its tenant', async () => {
  const body = aMessage({
    conversation: { id: 'a:9', conversationType: 'personal', tenantId: fabrikam },
    channelData: { tenant: { id: contoso } },
  });
  expect((await post(body, `Bearer ${await tokenFor(body)}`)).status).toBe(200);
  const texts = async (slug: string) => (await service().rows(slug)).messages.map(({ text }) => text);
  expect(await texts('one')).toContain(body['text']);
  expect(await texts('two')).not.toContain(body['text']);
});

test('a bot of a tenant’s own cannot speak for an Entra tenant that another tenant claims', async () => {
  const body = aMessage({}, { appId: ownBot.appId, tenant: contoso });
  const token = await tokenFor(body, {}, ownBot.appId);
  expect(await refused(body, `Bearer ${token}`, messagesUrlOf(service(), ownKey))).toBe(200);
});

test('an Entra tenant that nobody claims is quarantined: acknowledged, not kept, shown to the operator', async () => {
  const body = aMessage({}, { tenant: northwind });
  expect(await refused(body, `Bearer ${await tokenFor(body)}`)).toBe(200);
  const rows = await service().app.storage.scopes.inPlatform((unit) =>
    unit.sql('SELECT platform, kind, app, key FROM directory.quarantine WHERE key = $1', [northwind]),
  );
  expect(rows).toEqual([{ platform: 'teams', kind: 'aad_tenant', app: '', key: northwind }]);
});

test('the same activity five times, and again after the queue was emptied, has one effect', async () => {
  const body = aMessage();
  const token = `Bearer ${await tokenFor(body)}`;
  for (let times = 0; times < 5; times += 1) expect((await post(body, token)).status).toBe(200);
  await emptyQueue(service());
  expect((await post(body, token)).status).toBe(200);
  const { messages, turns } = await service().rows('one');
  const asked = messages.filter(({ text, role }) => text === body['text'] && role === 'visitor');
  expect(asked).toHaveLength(1);
  expect(turns.filter(({ message_id: id }) => id === asked[0]?.id)).toHaveLength(1);
});

test('a key that Teams has not endorsed signs nothing, although it is published', async () => {
  const { teams } = service();
  await teams.rotateKeys({ keepOld: true, endorsements: ['directline'] });
  const body = aMessage();
  // Unknown keys are looked for once in five seconds: before that, nobody knows this one.
  await expect
    .poll(async () => refused(body, `Bearer ${await tokenFor(body)}`), { timeout: 20_000, interval: 500 })
    .toBe(403);
  await teams.rotateKeys({ keepOld: true });
});

test('a body that is too large is not read', async () => {
  const body = aMessage({ text: 'x'.repeat(2_000_000) });
  const status = await refused(body, `Bearer ${await tokenFor(body)}`).catch(() => 413);
  expect(status).toBe(413);
});

test('no token, secret or text is in any log line', async () => {
  const body = aMessage({ text: 'a-very-private-text' });
  const token = await tokenFor(body);
  await post(body, `Bearer ${token}`);
  await refused({ ...body, serviceUrl: 'https://evil.example/' }, `Bearer ${token}`);
  const log = JSON.stringify(service().logLines);
  for (const secret of [token, sharedBot.password, ownBot.password, 'a-very-private-text'])
    expect(log).not.toContain(secret);
});
