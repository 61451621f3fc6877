import { randomBytes } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { newId, type Uuid } from '#domain/ids.ts';
import { createKeyRing } from '#kernel/key-ring.ts';
import { createLogger } from '#kernel/logger.ts';
import { type SlackSimulator, startSlackSimulator } from '#simulators/slack/simulator.ts';
import { createChannelShelf } from '../../../../test/fakes/channel-shelf.ts';
import type { OpenChannel } from '../../gateway.ts';
import { createInstallLinks } from '../../install-links.ts';
import type { InstallAnswer } from '../../install-page.ts';
import { installAgain } from '../../install-pause.ts';
import type { InstallStates } from '../../journey.ts';
import { createSlackInstall } from './install.ts';
import { slackScopes } from './manifest.ts';
import { writeInstallLink } from './write-link.ts';

const publicUrl = 'https://chat.example.com';
const shared = { appId: 'A0SHARED', clientId: '1.1', clientSecret: 'shared-client-secret' };
const own = { appId: 'A0OWN', clientId: '2.2', clientSecret: 'own-client-secret' };
const acme = newId();
const globex = newId();

let slack: SlackSimulator;
let shelf: ReturnType<typeof createChannelShelf>;
let nowMs: number;
let logged: string[];

beforeEach(async () => {
  nowMs = Date.now();
  logged = [];
  shelf = createChannelShelf();
  slack = await startSlackSimulator();
  slack.addApp({
    ...shared,
    signingSecret: 's',
    redirectUrls: [`${publicUrl}/webhooks/slack/oauth`, 'http://localhost:3000/webhooks/slack/oauth'],
  });
  slack.addApp({ ...own, signingSecret: 's', redirectUrls: [`${publicUrl}/webhooks/slack/ck_own/oauth`] });
  slack.addWorkspace({ teamId: 'T0ACME', name: 'Acme <b>&</b> "Sons"' });
  slack.addWorkspace({ teamId: 'T0OTHER' });
  slack.approveAs({ teamId: 'T0ACME', user: 'U0ADMIN' });
});

afterEach(async () => {
  await slack.close();
  const log = logged.join('\n');
  for (const secret of [shared.clientSecret, own.clientSecret, 'xoxb-', 'xoxe', 'code=', 'Sons'])
    expect(log).not.toContain(secret);
});

describe('the shared app', () => {
  test('is installed by a link: the workspace’s channel has its token, and the browser is told', async () => {
    const channel = aChannel(acme);
    const page = await install(channel, aBrowser());
    expect(page.status).toBe(200);
    expect(page.body).toContain('Acme &lt;b&gt;&amp;&lt;/b&gt; &quot;Sons&quot; is connected');
    expect(page.body).not.toMatch(/<b>|<script|style=/);
    expect(page.headers['Content-Security-Policy']).toContain("default-src 'none'");

    const [installed, ...others] = shelf.installations;
    expect(others).toEqual([]);
    expect(installed).toMatchObject({
      channelId: channel.id,
      facts: { workspace: 'T0ACME', name: 'Acme <b>&</b> "Sons"', scopes: [...slackScopes] },
      claims: [{ kind: 'workspace', app: '', key: 'T0ACME' }],
    });
    expect(installed?.facts).not.toHaveProperty('enterprise');
    expect(installed?.facts).not.toHaveProperty('tokenExpiresAt');
    expect(Object.keys(installed?.secrets ?? {})).toEqual(['installedBotToken']);
    await expectToWork(installed?.secrets['installedBotToken'], 'T0ACME');
  });

  test('sends the browser to Slack with the app’s id, the scopes and the way back, and keeps the link to itself', async () => {
    const answer = await begin(await linkTo(aChannel(acme)), aBrowser());
    expect(answer.status).toBe(302);
    const location = new URL(answer.headers['Location'] ?? '');
    expect(location.href.startsWith(`${slack.authorizeUrl}?`)).toBe(true);
    expect(location.searchParams.get('client_id')).toBe(shared.clientId);
    expect(location.searchParams.get('scope')).toBe(slackScopes.join(','));
    expect(location.searchParams.get('redirect_uri')).toBe(`${publicUrl}/webhooks/slack/oauth`);
    expect(answer.headers['Referrer-Policy']).toBe('no-referrer');
    expect(answer.headers['Cache-Control']).toBe('no-store');
  });

  test('ties the installation to the browser by a cookie that only this host can set, over TLS', async () => {
    const { headers } = await begin(await linkTo(aChannel(acme)), aBrowser());
    expect(headers['Set-Cookie']).toMatch(
      /^__Host-swarmgate-slack=[\w-]{43}; Max-Age=600; Path=\/; HttpOnly; Secure; SameSite=Lax$/,
    );
  });

  test('is installed on one’s own machine without TLS as well', async () => {
    const browser = aBrowser();
    const link = (await linkTo(aChannel(acme))).replace(publicUrl, 'http://localhost:3000');
    const begun = await begin(link, browser);
    expect(begun.headers['Set-Cookie']).toMatch(
      /^swarmgate-slack=[\w-]{43}; Max-Age=600; Path=\/; HttpOnly; SameSite=Lax$/,
    );
    expect((await finish(await approve(begun), browser)).status).toBe(200);
  });

  test('is installed in a whole enterprise, which is then claimed instead of a workspace', async () => {
    slack.addWorkspace({ teamId: 'T0GRID', enterpriseId: 'E0GRID' });
    slack.approveAs({ enterpriseId: 'E0GRID', user: 'U0ADMIN' });
    expect((await install(aChannel(acme), aBrowser())).status).toBe(200);
    const [installed] = shelf.installations;
    expect(installed?.claims).toEqual([{ kind: 'enterprise', app: '', key: 'E0GRID' }]);
    expect(installed?.facts).toMatchObject({ enterprise: 'E0GRID' });
    expect(installed?.facts).not.toHaveProperty('workspace');
  });

  test('is installed in one workspace of an enterprise, which is not claimed with it', async () => {
    slack.addWorkspace({ teamId: 'T0GRID', enterpriseId: 'E0GRID' });
    slack.approveAs({ teamId: 'T0GRID', user: 'U0ADMIN' });
    await install(aChannel(acme), aBrowser());
    const [installed] = shelf.installations;
    expect(installed?.claims).toEqual([{ kind: 'workspace', app: '', key: 'T0GRID' }]);
    expect(installed?.facts).not.toHaveProperty('enterprise');
  });

  test('with token rotation: the refresh token is kept, and when the token runs out', async () => {
    slack.addApp({
      appId: 'A0ROTATES',
      clientId: '3.3',
      clientSecret: 'c',
      signingSecret: 's',
      tokenRotation: true,
    });
    const sharedApp = { appId: 'A0ROTATES', clientId: '3.3', clientSecret: 'c' };
    await install(aChannel(acme), aBrowser(), { sharedApp });
    const [installed] = shelf.installations;
    expect(installed?.facts['tokenExpiresAt']).toBe(new Date(nowMs + 43_200_000).toISOString());
    expect(Object.keys(installed?.secrets ?? {}).sort()).toEqual([
      'installedBotToken',
      'installedRefreshToken',
    ]);
  });
});

describe('an app of a tenant’s own', () => {
  test('is installed at its own address, with its own secret, under its own id', async () => {
    const channel = anOwnChannel(acme);
    expect((await install(channel, aBrowser())).status).toBe(200);
    const [installed] = shelf.installations;
    expect(installed?.claims).toEqual([{ kind: 'workspace', app: own.appId, key: 'T0ACME' }]);
    expect(slack.callsOf('oauth.v2.access')[0]?.arguments).toMatchObject({ client_id: own.clientId });
  });

  test('and the shared one in the same workspace are two accounts', async () => {
    expect((await install(anOwnChannel(acme), aBrowser())).status).toBe(200);
    expect((await install(aChannel(globex), aBrowser())).status).toBe(200);
    expect(shelf.installations.map(({ claims }) => claims[0]?.app)).toEqual([own.appId, '']);
  });

  test('without its client secret says what is missing', async () => {
    const channel = { ...anOwnChannel(acme), secrets: {} };
    shelf.put(channel);
    expect((await begin(await linkTo(channel), aBrowser())).status).toBe(503);
  });
});

describe('a link', () => {
  test('with a character changed, of another installation, or none at all begins nothing', async () => {
    const link = await linkTo(aChannel(acme));
    const foreign = createInstallLinks(createKeyRing([{ id: 'k', bytes: randomBytes(32) }]), 'slack');
    const { token } = await foreign.make({ tenantId: acme, channelId: newId() });
    for (const wrong of [`${link}x`, link.replace(/link=.*/, `link=${token}`), link.replace(/\?.*/, '')]) {
      const answer = await begin(wrong, aBrowser());
      expect(answer.status).toBe(400);
      expect(answer.headers).not.toHaveProperty('Location');
      expect(answer.headers).not.toHaveProperty('Set-Cookie');
    }
  });

  test('that has expired says so', async () => {
    const link = await linkTo(aChannel(acme));
    nowMs += 8 * 24 * 60 * 60_000;
    const answer = await begin(link, aBrowser());
    expect(answer.status).toBe(400);
    expect(answer.body).toContain('has expired');
  });

  test('of another tenant begins nothing at this tenant’s address', async () => {
    anOwnChannel(acme);
    const theirs = aChannel(globex, { key: 'ck_theirs', settings: { appId: 'A0THEIRS', clientId: '9.9' } });
    const { searchParams } = new URL(await linkTo(theirs));
    const answer = await begin(`${publicUrl}/webhooks/slack/ck_own/install?${searchParams}`, aBrowser());
    expect(answer.status).toBe(400);
  });

  test('to an own app begins nothing at the shared app’s address, nor the other way round', async () => {
    const toOwn = (await linkTo(anOwnChannel(acme))).replace('/ck_own', '');
    expect((await begin(toOwn, aBrowser())).status).toBe(400);
    const channel = aChannel(globex);
    const toShared = (await linkTo(channel)).replace('/slack/', `/slack/${channel.key}/`);
    expect((await begin(toShared, aBrowser())).status).toBe(400);
  });

  test('to a channel that is gone, or whose tenant is suspended, begins nothing', async () => {
    const gone = {
      tenantId: acme,
      id: newId(),
      platform: 'slack' as const,
      key: 'ck_g',
      settings: {},
      secrets: {},
    };
    expect((await begin(await linkTo(gone), aBrowser())).status).toBe(400);
    const suspended = aChannel(acme, { tenantStatus: 'suspended' });
    expect((await begin(await linkTo(suspended), aBrowser())).status).toBe(403);
  });

  test('to a channel with a bot token from the file begins nothing: that one would go on being used', async () => {
    const channel = aChannel(acme, { secrets: { botToken: 'xoxb-from-the-file' } });
    expect((await begin(await linkTo(channel), aBrowser())).status).toBe(409);
  });
});

describe('a state', () => {
  test('ends only in the browser that began it: two browsers that swap theirs connect nothing', async () => {
    const [mine, theirs] = [aBrowser(), aBrowser()];
    const back = await approve(await begin(await linkTo(aChannel(acme)), mine));
    const theirBack = await approve(await begin(await linkTo(aChannel(globex)), theirs));
    expect((await finish(theirBack, mine)).status).toBe(400);
    expect((await finish(back, theirs)).status).toBe(400);
    expect((await finish(back, aBrowser())).status).toBe(400);
    expect(shelf.installations).toEqual([]);
    expect(slack.callsOf('oauth.v2.access')).toEqual([]);
  });

  test('serves once', async () => {
    const browser = aBrowser();
    const back = await approve(await begin(await linkTo(aChannel(acme)), browser));
    const cookie = browser.cookie;
    expect((await finish(back, browser)).status).toBe(200);
    expect((await finish(back, { cookie })).status).toBe(400);
    expect(slack.callsOf('oauth.v2.access')).toHaveLength(1);
  });

  test('serves once also when Slack would not have it', async () => {
    const browser = aBrowser();
    const back = await approve(await begin(await linkTo(aChannel(acme)), browser));
    const cookie = browser.cookie;
    const wrong = back.replace(/code=[^&]+/, 'code=guessed');
    expect((await finish(wrong, { cookie })).status).toBe(400);
    expect((await finish(back, { cookie })).status).toBe(400);
    expect(shelf.installations).toEqual([]);
  });

  test('is over after ten minutes', async () => {
    const browser = aBrowser();
    const back = await approve(await begin(await linkTo(aChannel(acme)), browser));
    nowMs += 10 * 60_000 + 1;
    expect((await finish(back, browser)).status).toBe(400);
    expect(shelf.installations).toEqual([]);
  });

  test('of the shared app does not end at an own app’s address', async () => {
    anOwnChannel(acme);
    const browser = aBrowser();
    const back = await approve(await begin(await linkTo(aChannel(acme)), browser));
    expect((await finish(back.replace('/slack/', '/slack/ck_own/'), browser)).status).toBe(400);
    expect(slack.callsOf('oauth.v2.access')).toEqual([]);
  });

  test.each(['', 'state=', 'state=abc', 'code=1', `state=${'A'.repeat(107)}.k&code=1`])(
    'that nobody made ends nothing: %s',
    async (query) => {
      const browser = aBrowser();
      await begin(await linkTo(aChannel(acme)), browser);
      expect((await finish(`${publicUrl}/webhooks/slack/oauth?${query}`, browser)).status).toBe(400);
      expect(slack.callsOf('oauth.v2.access')).toEqual([]);
    },
  );

  test('leaves no cookie behind, however it ends', async () => {
    const browser = aBrowser();
    const back = await approve(await begin(await linkTo(aChannel(acme)), browser));
    for (const url of [`${publicUrl}/webhooks/slack/oauth`, back]) {
      const { headers } = await finish(url, { cookie: browser.cookie });
      expect(headers['Set-Cookie']).toMatch(/^__Host-swarmgate-slack=; Max-Age=0;/);
    }
  });
});

describe('nothing is connected', () => {
  test('when the person says no at Slack, who then reads so', async () => {
    const browser = aBrowser();
    const begun = await begin(await linkTo(aChannel(acme)), browser);
    const page = await finish(await approve(begun, { deny: '1' }), browser);
    expect(page.status).toBe(200);
    expect(page.body).toContain('Nothing was installed');
    expect(shelf.installations).toEqual([]);
  });

  test('when Slack gives another reason, which is shown as text', async () => {
    const browser = aBrowser();
    const back = new URL(await approve(await begin(await linkTo(aChannel(acme)), browser), { deny: '1' }));
    back.searchParams.set('error', '<script>alert(1)</script>');
    const page = await finish(back.href, browser);
    expect(page.status).toBe(400);
    expect(page.body).toContain('&lt;script&gt;');
    expect(page.body).not.toContain('<script');
  });

  test('when the client id is another app’s than the app id', async () => {
    slack.addApp({ appId: 'A0WRONG', clientId: '4.4', clientSecret: 'wrong', signingSecret: 's' });
    const sharedApp = { appId: shared.appId, clientId: '4.4', clientSecret: 'wrong' };
    expect((await install(aChannel(acme), aBrowser(), { sharedApp })).status).toBe(409);
    expect(shelf.installations).toEqual([]);
    expect(logged.join()).toContain('A0WRONG instead of A0SHARED');
    expect(slack.callsOf('auth.revoke')).toHaveLength(1);
  });

  test('when another tenant has that workspace, of which nothing is told', async () => {
    const theirs = aChannel(globex);
    await install(theirs, aBrowser());
    const page = await install(aChannel(acme), aBrowser());
    expect(page.status).toBe(409);
    expect(page.body).toContain('connected already');
    for (const secret of [globex, theirs.id, theirs.key]) expect(page.body).not.toContain(secret);
    expect(shelf.installations.map(({ channelId }) => channelId)).toEqual([theirs.id]);
  });

  test('and a token that the other tenant’s bot lives by is not given back', async () => {
    await install(aChannel(globex), aBrowser());
    await install(aChannel(acme), aBrowser());
    await install(aChannel(acme, { settings: { workspace: 'T0OTHER' } }), aBrowser());
    expect(slack.callsOf('auth.revoke')).toEqual([]);
    await expectToWork(shelf.installations[0]?.secrets['installedBotToken'], 'T0ACME');
  });

  test('when the channel is for another workspace; the token is given back', async () => {
    const page = await install(aChannel(acme, { settings: { workspace: 'T0OTHER' } }), aBrowser());
    expect(page.status).toBe(409);
    expect(shelf.installations).toEqual([]);
    expect(slack.callsOf('auth.revoke').map(({ teamId }) => teamId)).toEqual(['T0ACME']);
  });

  test('when the channel is for a whole enterprise and one of its workspaces was chosen', async () => {
    slack.addWorkspace({ teamId: 'T0GRID', enterpriseId: 'E0GRID' });
    slack.approveAs({ teamId: 'T0GRID', user: 'U0ADMIN' });
    expect((await install(aChannel(acme, { settings: { enterprise: 'E0GRID' } }), aBrowser())).status).toBe(
      409,
    );
    expect(shelf.installations).toEqual([]);
  });

  test('when a link is used to move a channel that is at work in a workspace', async () => {
    const channel = aChannel(acme);
    await install(channel, aBrowser());
    slack.approveAs({ teamId: 'T0OTHER', user: 'U0ADMIN' });
    expect((await install(channel, aBrowser())).status).toBe(409);
    expect(shelf.installations).toHaveLength(1);
  });

  test('when Slack does not answer, and the link can be used again', async () => {
    const channel = aChannel(acme);
    slack.fail('oauth.v2.access', { kind: 'drop' });
    expect((await install(channel, aBrowser())).status).toBe(503);
    expect(slack.callsOf('oauth.v2.access')).toHaveLength(1);
    expect((await install(channel, aBrowser())).status).toBe(200);
  });
});

test('a channel whose app was removed is connected again by its link, also to another workspace', async () => {
  const channel = aChannel(acme);
  await install(channel, aBrowser());
  const statusReason = `The Slack app was removed from the workspace. ${installAgain}.`;
  shelf.put({ ...shelf.get(channel.id), status: 'paused', statusReason });
  slack.approveAs({ teamId: 'T0OTHER', user: 'U0ADMIN' });
  expect((await install(channel, aBrowser())).status).toBe(200);
  expect(shelf.get(channel.id)).toMatchObject({
    status: 'active',
    settings: { installation: { workspace: 'T0OTHER' } },
  });
});

describe('a channel that is paused for something that an installation does not mend', () => {
  const paused = { status: 'paused', statusReason: 'the simulation has ended' } as const;

  test('is refused where it begins, with what to do, and nobody is sent to Slack', async () => {
    const channel = aChannel(acme, paused);
    const answer = await begin(await linkTo(channel), aBrowser());
    expect(answer.status).toBe(409);
    expect(answer.headers).not.toHaveProperty('Location');
    expect(answer.body).toContain('The Slack channel that this link is for is paused');
    expect(answer.body).toContain('swarmgate doctor');
    // Why is for the operator.
    expect(answer.body).not.toContain('simulation');
  });

  test('is refused where it ends: the code is not redeemed, and the channel stays paused', async () => {
    const channel = aChannel(acme);
    const browser = aBrowser();
    const back = await approve(await begin(await linkTo(channel), browser));
    shelf.put({ ...shelf.get(channel.id), ...paused });
    const answer = await finish(back, browser);
    expect(answer.status).toBe(409);
    expect(answer.body).toContain('Nothing was connected');
    expect(slack.callsOf('oauth.v2.access')).toEqual([]);
    expect(shelf.get(channel.id)).toMatchObject(paused);
  });
});

test('the same workspace may be installed again', async () => {
  const channel = aChannel(acme);
  await install(channel, aBrowser());
  expect((await install(channel, aBrowser())).status).toBe(200);
});

/** A browser keeps the cookie that it was given last. */
type Browser = { cookie: string | undefined };

function aBrowser(): Browser {
  return { cookie: undefined };
}

function aChannel(tenantId: Uuid, changes: Partial<OpenChannel> = {}): OpenChannel {
  const id = newId();
  return shelf.put({
    tenantId,
    id,
    platform: 'slack',
    key: `ck_${id}`,
    settings: {},
    secrets: {},
    status: 'active',
    version: 1,
    statusReason: undefined,
    tenantStatus: 'active',
    tenantSettings: {},
    organizationSettings: {},
    agent: undefined,
    ...changes,
  });
}

function anOwnChannel(tenantId: Uuid): OpenChannel {
  const { appId, clientId, clientSecret } = own;
  return aChannel(tenantId, { key: 'ck_own', settings: { appId, clientId }, secrets: { clientSecret } });
}

const keyRing = createKeyRing([{ id: 'k', bytes: randomBytes(32) }]);
const links = createInstallLinks(keyRing, 'slack', () => nowMs);

async function linkTo(channel: Parameters<typeof writeInstallLink>[1]): Promise<string> {
  const { token } = await links.make({ tenantId: channel.tenantId, channelId: channel.id });
  return writeInstallLink(publicUrl, channel, token);
}

const states = new Map<string, { channelId: Uuid; endsAtMs: number }>();
const statesInMemory: InstallStates = {
  async begin({ tenantId, channelId, stateHash, ttlMs }) {
    states.set(`${tenantId}/${stateHash}`, { channelId, endsAtMs: nowMs + ttlMs });
  },
  async use({ tenantId, stateHash }) {
    const found = states.get(`${tenantId}/${stateHash}`);
    states.delete(`${tenantId}/${stateHash}`);
    return found && found.endsAtMs > nowMs ? found.channelId : undefined;
  },
};

function service({ sharedApp = shared } = {}) {
  return createSlackInstall({
    sharedApp,
    apiUrl: slack.apiUrl,
    keyRing,
    links,
    states: statesInMemory,
    channels: shelf.directory,
    keeper: shelf.keeper,
    logger: createLogger('debug', { write: (line) => void logged.push(line) }),
    nowMs: () => nowMs,
  });
}

type Choice = Parameters<typeof service>[0];

function requestOf(address: string, { cookie }: Browser) {
  const url = new URL(address);
  const [, channelKey] = /\/slack\/(ck_[^/]+)\//.exec(url.pathname) ?? [];
  return {
    url,
    headers: cookie === undefined ? {} : { cookie: `a=b; ${cookie}; c=d` },
    ...(channelKey && { channelKey }),
  };
}

async function begin(link: string, browser: Browser, choice?: Choice): Promise<InstallAnswer> {
  const answer = await service(choice).begin(requestOf(link, browser));
  browser.cookie = answer.headers['Set-Cookie']?.split(';')[0] ?? browser.cookie;
  return answer;
}

/** Slack's page, with the person's answer: where it sends the browser. */
async function approve({ headers }: InstallAnswer, answer: Record<string, string> = {}): Promise<string> {
  const url = new URL(headers['Location'] ?? '');
  for (const [name, value] of Object.entries(answer)) url.searchParams.set(name, value);
  const response = await fetch(url, { redirect: 'manual' });
  expect(response.status).toBe(302);
  return response.headers.get('location') ?? '';
}

async function finish(address: string, browser: Browser, choice?: Choice): Promise<InstallAnswer> {
  return service(choice).finish(requestOf(address, browser));
}

async function install(channel: OpenChannel, browser: Browser, choice?: Choice): Promise<InstallAnswer> {
  const begun = await begin(await linkTo(channel), browser, choice);
  return finish(await approve(begun), browser, choice);
}

async function expectToWork(token: string | undefined, teamId: string): Promise<void> {
  const response = await fetch(`${slack.apiUrl}auth.test`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}` },
  });
  expect(await response.json()).toMatchObject({ ok: true, team_id: teamId });
}
