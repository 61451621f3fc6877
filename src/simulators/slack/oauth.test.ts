import { InstallProvider } from '@slack/oauth';
import { LogLevel, WebClient } from '@slack/web-api';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { aServer } from '../../../test/support/a-server.ts';
import { type SlackSimulator, startSlackSimulator } from './simulator.ts';

let slack: SlackSimulator;
let nowMs: number;

beforeEach(async () => {
  nowMs = Date.now();
  slack = await startSlackSimulator({ now: () => nowMs });
  slack.addApp({ ...client, appId: 'A1', signingSecret: 'secret', redirectUrls: ['https://app.example/'] });
  slack.addApp({
    appId: 'A2',
    signingSecret: 'secret',
    clientId: '2.2',
    clientSecret: 'second',
    tokenRotation: true,
  });
  slack.addWorkspace({ teamId: 'T1', name: 'One' });
  slack.addWorkspace({ teamId: 'T2', name: 'Two', enterpriseId: 'E1' });
});
afterEach(() => slack.close());

const client = { clientId: '1.1', clientSecret: 'first' };
const redirectUri = 'https://app.example/oauth';
const quiet = () => {};
const silent = {
  debug: quiet,
  info: quiet,
  warn: quiet,
  error: quiet,
  setLevel: quiet,
  setName: quiet,
  getLevel: () => LogLevel.ERROR,
};

/** Where the person is sent after the answer. */
async function ask(query: Record<string, string>): Promise<URL> {
  const parameters = {
    client_id: '1.1',
    scope: 'chat:write,im:history',
    redirect_uri: redirectUri,
    state: 's',
    ...query,
  };
  const response = await fetch(`${slack.authorizeUrl}?${new URLSearchParams(parameters)}`, {
    redirect: 'manual',
  });
  if (response.status !== 302) throw new Error(await response.text());
  return new URL(response.headers.get('location') ?? '');
}

const web = (token?: string) => new WebClient(token, { slackApiUrl: slack.apiUrl, logger: silent });

async function errorOf(call: Promise<unknown>): Promise<string> {
  return call.then(
    () => 'no error',
    (error) => error.data.error,
  );
}

function exchange(code: string, more: object = {}) {
  return web().oauth.v2.access({
    code,
    client_id: '1.1',
    client_secret: 'first',
    redirect_uri: redirectUri,
    ...more,
  });
}

test('an approval is exchanged for a token of the workspace, with the scopes that were asked for', async () => {
  const back = await ask({ team: 'T2' });
  expect(back.origin + back.pathname).toBe(redirectUri);
  expect(back.searchParams.get('state')).toBe('s');
  const answer = await exchange(back.searchParams.get('code') ?? '');
  expect(answer).toMatchObject({
    app_id: 'A1',
    token_type: 'bot',
    scope: 'chat:write,im:history',
    team: { id: 'T2', name: 'Two' },
    is_enterprise_install: false,
  });
  expect(await web(answer.access_token).auth.test()).toMatchObject({
    team_id: 'T2',
    bot_id: expect.any(String),
  });
});

test('a code is used once, by its app, for the address that it was asked for, within ten minutes', async () => {
  const code = async () => (await ask({})).searchParams.get('code') ?? '';
  const used = await code();
  await exchange(used);
  expect(await errorOf(exchange(used))).toBe('invalid_code');
  expect(await errorOf(exchange(await code(), { redirect_uri: 'https://app.example/other' }))).toBe(
    'bad_redirect_uri',
  );
  expect(await errorOf(exchange(await code(), { client_id: '2.2', client_secret: 'second' }))).toBe(
    'invalid_code',
  );
  expect(await errorOf(exchange(await code(), { client_secret: 'wrong' }))).toBe('bad_client_secret');
  expect(await errorOf(exchange(await code(), { client_id: '9.9' }))).toBe('invalid_client_id');
  const late = await code();
  nowMs += 10 * 60_000 + 1;
  expect(await errorOf(exchange(late))).toBe('invalid_code');
});

test('the client may show itself by HTTP authentication', async () => {
  const code = (await ask({})).searchParams.get('code') ?? '';
  const response = await fetch(`${slack.apiUrl}oauth.v2.access`, {
    method: 'POST',
    headers: { authorization: `Basic ${Buffer.from('1.1:first').toString('base64')}` },
    body: new URLSearchParams({ code, redirect_uri: redirectUri }),
  });
  expect(await response.json()).toMatchObject({ ok: true, app_id: 'A1' });
});

test('a person can say no', async () => {
  const back = await ask({ deny: '1' });
  expect(Object.fromEntries(back.searchParams)).toEqual({ error: 'access_denied', state: 's' });
});

test('an installation comes back to an address of the app only', async () => {
  await expect(ask({ redirect_uri: 'https://elsewhere.example/' })).rejects.toThrow('bad_redirect_uri');
  await expect(ask({ client_id: '9.9' })).rejects.toThrow('invalid_client_id');
  await expect(ask({ scope: '' })).rejects.toThrow('no_scopes');
});

test('an org-wide installation has no workspace', async () => {
  slack.approveAs({ enterpriseId: 'E1', user: 'U7' });
  const answer = await exchange((await ask({})).searchParams.get('code') ?? '');
  expect(answer).toMatchObject({ team: null, enterprise: { id: 'E1' }, is_enterprise_install: true });
  expect(answer.authed_user).toEqual({ id: 'U7' });
});

test('a second installation brings the same token', async () => {
  const install = async () => exchange((await ask({})).searchParams.get('code') ?? '');
  expect((await install()).access_token).toBe((await install()).access_token);
});

test('a rotated token is renewed once and ends with its renewal', async () => {
  const second = { client_id: '2.2', client_secret: 'second' };
  const code = (await ask({ client_id: '2.2' })).searchParams.get('code') ?? '';
  const first = await exchange(code, second);
  expect(first).toMatchObject({ expires_in: 43_200, access_token: expect.stringMatching(/^xoxe\.xoxb-/) });
  const refresh = {
    ...second,
    grant_type: 'refresh_token' as const,
    refresh_token: first.refresh_token ?? '',
  };
  const renewed = await web().oauth.v2.access(refresh);
  expect(await errorOf(web(first.access_token).auth.test())).toBe('token_expired');
  expect(await errorOf(web(renewed.access_token).auth.test())).toBe('no error');
  expect(await errorOf(web().oauth.v2.access(refresh))).toBe('invalid_refresh_token');
  nowMs += 43_200_000;
  expect(await errorOf(web(renewed.access_token).auth.test())).toBe('token_expired');
  const again = await web().oauth.v2.access({ ...refresh, refresh_token: renewed.refresh_token ?? '' });
  expect(await errorOf(web(again.access_token).auth.test())).toBe('no error');
});

test("the SDK's own installer is led through", async () => {
  const provider = new InstallProvider({
    ...client,
    stateVerification: false,
    authorizationUrl: slack.authorizeUrl,
    clientOptions: { slackApiUrl: slack.apiUrl },
    logger: silent,
  });
  const installed: unknown[] = [];
  await using server = await aServer((request, response) => {
    const success = (installation: unknown) => {
      installed.push(installation);
      response.end();
    };
    void provider.handleCallback(request, response, { success }, { scopes: ['chat:write'], redirectUri });
  });
  const url = await provider.generateInstallUrl({ scopes: ['chat:write'], redirectUri, teamId: 'T2' }, false);
  const answer = await fetch(url, { redirect: 'manual' });
  const { search } = new URL(answer.headers.get('location') ?? '');
  await fetch(`${server.url}/oauth${search}`);
  expect(installed).toMatchObject([
    { team: { id: 'T2' }, appId: 'A1', isEnterpriseInstall: false, bot: { scopes: ['chat:write'] } },
  ]);
});
