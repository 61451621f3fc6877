import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { newId } from '#domain/ids.ts';
import { createLogger } from '#kernel/logger.ts';
import { type SlackSimulator, startSlackSimulator } from '#simulators/slack/simulator.ts';
import { createChannelShelf } from '../../../../test/fakes/channel-shelf.ts';
import { eventually } from '../../../../test/support/eventually.ts';
import type { OpenChannel } from '../../gateway.ts';
import type { ChannelKeeper } from '../../journey.ts';
import { redeemCode, writeInstallation } from './install-grant.ts';
import { createSlackTokens, type SlackTokens } from './tokens.ts';

const app = { appId: 'A0ROTATES', clientId: '1.1', clientSecret: 'the-client-secret' };
const minute = 60_000;
const hour = 60 * minute;

let slack: SlackSimulator;
let shelf: ReturnType<typeof createChannelShelf>;
let nowMs: number;
let logged: string[];

beforeEach(async () => {
  nowMs = Date.now();
  logged = [];
  shelf = createChannelShelf();
  slack = await startSlackSimulator({ now: () => nowMs });
  slack.addApp({ ...app, signingSecret: 's', tokenRotation: true });
});

afterEach(async () => {
  await slack.close();
  for (const secret of [app.clientSecret, 'xoxb-', 'xoxe']) expect(logged.join()).not.toContain(secret);
});

const askedFor = () =>
  slack.callsOf('oauth.v2.access').filter((call) => call.arguments['grant_type'] === 'refresh_token');
const renewals = () => askedFor().filter(({ answer }) => answer['ok'] === true);

describe('a token', () => {
  test('from the apply file is used as it is, whatever is installed', async () => {
    const channel = await installed();
    nowMs += 13 * hour;
    const fromFile = { ...channel, secrets: { ...channel.secrets, botToken: 'xoxb-file' } };
    expect(await aProcess()(fromFile)).toBe('xoxb-file');
    expect(askedFor()).toEqual([]);
  });

  test('that does not run out is used as it is', async () => {
    const channel = await installed();
    const { tokenExpiresAt, ...facts } = channel.settings['installation'] as Record<string, unknown>;
    nowMs += 100 * hour;
    const lasting = { ...channel, settings: { ...channel.settings, installation: facts } };
    expect(await aProcess()(lasting)).toBe(channel.secrets['installedBotToken']);
    expect(tokenExpiresAt).toBeDefined();
  });

  test('is renewed when less than ten minutes are left, not before', async () => {
    const channel = await installed();
    const tokens = aProcess();
    nowMs += 12 * hour - 10 * minute;
    expect(await tokens(channel)).toBe(channel.secrets['installedBotToken']);
    nowMs += 1;
    const renewed = await tokens(channel);
    expect(renewed).not.toBe(channel.secrets['installedBotToken']);
    await expectToWork(renewed);
  });

  test('that was renewed is kept with its refresh token and its end, for the account that it was for', async () => {
    const channel = await installed();
    nowMs += 12 * hour - minute;
    const renewed = await aProcess()(channel);
    expect(shelf.installations).toHaveLength(2);
    const [first, last] = shelf.installations;
    expect(last?.claims).toEqual(first?.claims);
    expect(last?.facts).toEqual({
      ...first?.facts,
      tokenExpiresAt: new Date(nowMs + 12 * hour).toISOString(),
    });
    expect(last?.secrets['installedBotToken']).toBe(renewed);
    expect(last?.secrets['installedRefreshToken']).not.toBe(first?.secrets['installedRefreshToken']);

    nowMs += 12 * hour - minute;
    await expectToWork(await aProcess()(shelf.get(channel.id)));
  });

  test('is renewed once, however many ask for it and however old their copy of the channel is', async () => {
    const channel = await installed();
    const tokens = aProcess();
    nowMs += 12 * hour - minute;
    const answers = await Promise.all(Array.from({ length: 50 }, () => tokens(channel)));
    answers.push(await tokens(channel), await tokens(shelf.get(channel.id)));
    expect(new Set(answers).size).toBe(1);
    expect(askedFor()).toHaveLength(1);
  });

  test('of each channel is its own', async () => {
    const [one, other] = [await installed('T0ONE'), await installed('T0OTHER')];
    const tokens = aProcess();
    nowMs += 12 * hour - minute;
    const [first, second] = await Promise.all([tokens(one), tokens(other)]);
    await expectToWork(first, 'T0ONE');
    await expectToWork(second, 'T0OTHER');
  });
});

describe('of two processes that renew at once', () => {
  test('both have the one new token, although the refresh token serves once', async () => {
    const channel = await installed();
    nowMs += 12 * hour - minute;
    const answers = await Promise.all([aProcess()(channel), aProcess()(channel)]);
    expect(new Set(answers).size).toBe(1);
    await expectToWork(answers[0]);
    expect(renewals()).toHaveLength(1);
    expect(askedFor()).toHaveLength(2);
  });

  test('the later one waits until the other has committed its token', async () => {
    const channel = await installed();
    nowMs += 12 * hour - minute;
    let commit = () => {};
    const committing = new Promise<void>((resolve) => {
      commit = resolve;
    });
    const first = aProcess({
      install: async (...args) => {
        await committing;
        await shelf.keeper.install(...args);
      },
    })(channel);
    await eventually(() => expect(renewals()).toHaveLength(1));
    let waits = 0;
    const second = aProcess({
      wait: async () => {
        waits += 1;
        if (waits === 3) {
          commit();
          await first;
        }
      },
    })(channel);
    expect(await second).toBe(await first);
    expect(waits).toBe(3);
  });
});

describe('when Slack does not renew it', () => {
  test('a token that is still good is used on, and asked about again later', async () => {
    const channel = await installed();
    const tokens = aProcess();
    nowMs += 12 * hour - 5 * minute;
    slack.fail('oauth.v2.access', { kind: 'http_500' });
    expect(await tokens(channel)).toBe(channel.secrets['installedBotToken']);
    expect(await tokens(channel)).toBe(channel.secrets['installedBotToken']);
    expect(askedFor()).toHaveLength(1);
    nowMs += 2 * minute;
    await expectToWork(await tokens(channel));
    expect(renewals()).toHaveLength(1);
  });

  test.each([
    ['http_500', 'gateway_unavailable'],
    ['drop', 'gateway_unavailable'],
    ['rate_limit', 'gateway_rate_limited'],
  ] as const)('one that has run out is an error that passes: %s', async (kind, code) => {
    const channel = await installed();
    const tokens = aProcess();
    nowMs += 13 * hour;
    slack.fail('oauth.v2.access', { kind });
    await expect(tokens(channel)).rejects.toMatchObject({ code, retry: 'later' });
    await expectToWork(await tokens(channel));
  });

  test('one whose refresh token is spent and that nobody has renewed must be installed again', async () => {
    const channel = await installed();
    nowMs += 12 * hour - minute;
    await renewAndDie(channel);
    nowMs += hour;
    await expect(aProcess()(channel)).rejects.toMatchObject({
      code: 'gateway_credentials_refused',
      retry: 'never',
      platformCode: 'invalid_refresh_token',
    });
  });

  test('nor can, because the app’s secret is not here any more, it says what to do', async () => {
    const channel = await installed();
    nowMs += 13 * hour;
    const tokens = createSlackTokens({ ...partsOf(), sharedApp: undefined });
    await expect(tokens(channel)).rejects.toMatchObject({ code: 'gateway_credentials_refused' });
    expect(askedFor()).toEqual([]);
  });
});

test('a renewed token is kept in the end when the database is away for a moment', async () => {
  const channel = await installed();
  nowMs += 12 * hour - minute;
  let attempts = 0;
  const renewed = await aProcess({
    async install(...args) {
      attempts += 1;
      if (attempts < 3) throw new Error('away');
      await shelf.keeper.install(...args);
    },
  })(channel);
  expect(shelf.get(channel.id).secrets['installedBotToken']).toBe(renewed);
  expect(renewals()).toHaveLength(1);
});

test('a renewed token that cannot be kept is used all the same, and the operator reads of it', async () => {
  const channel = await installed();
  nowMs += 12 * hour - minute;
  const renewed = await aProcess({ install: () => Promise.reject(new Error('away')) })(channel);
  await expectToWork(renewed);
  expect(logged.join()).toContain('could not be kept');
});

test('a channel without any token is an error that says what to do', async () => {
  const channel = { ...(await installed()), secrets: {} };
  await expect(aProcess()(channel)).rejects.toMatchObject({ code: 'gateway_not_now' });
});

/** A channel whose app was installed now, with a token of twelve hours. */
async function installed(teamId = 'T0ACME'): Promise<OpenChannel> {
  slack.addWorkspace({ teamId });
  const redirectUri = 'https://chat.example.com/webhooks/slack/oauth';
  const query = { client_id: app.clientId, scope: 'chat:write', redirect_uri: redirectUri, team: teamId };
  const page = await fetch(`${slack.authorizeUrl}?${new URLSearchParams(query)}`, { redirect: 'manual' });
  const code = new URL(page.headers.get('location') ?? '').searchParams.get('code') ?? '';
  const redeemed = await redeemCode(app, code, redirectUri, { apiUrl: slack.apiUrl, nowMs });
  if (!redeemed.ok) throw new Error(redeemed.code);
  const channel: OpenChannel = {
    tenantId: newId(),
    id: newId(),
    platform: 'slack',
    key: 'ck_a',
    settings: { replies: 'thread' },
    secrets: {},
    status: 'active',
    version: 1,
    statusReason: undefined,
    tenantStatus: 'active',
    tenantSettings: {},
    organizationSettings: {},
    agent: undefined,
  };
  shelf.put(channel);
  await shelf.keeper.install(
    { tenantId: channel.tenantId, channelId: channel.id, platform: 'slack' },
    writeInstallation(redeemed.grant.facts, redeemed.grant.token, ''),
  );
  return shelf.get(channel.id);
}

type Changes = Partial<Pick<ChannelKeeper, 'install'>> & { wait?: (ms: number) => Promise<unknown> };

function partsOf({ install = shelf.keeper.install, wait = async () => {} }: Changes = {}) {
  return {
    channels: shelf.directory,
    keeper: { install },
    sharedApp: app,
    apiUrl: slack.apiUrl,
    logger: createLogger('debug', { write: (line) => void logged.push(line) }),
    nowMs: () => nowMs,
    wait,
  };
}

/** What one process has; its waits take no time. */
function aProcess(changes?: Changes): SlackTokens {
  return createSlackTokens(partsOf(changes));
}

/** The token is renewed by somebody who dies before it is kept. */
async function renewAndDie(channel: OpenChannel): Promise<void> {
  void aProcess({ install: () => new Promise(() => {}) })(channel);
  await eventually(() => expect(renewals()).toHaveLength(1));
}

async function expectToWork(token: string | undefined, teamId = 'T0ACME'): Promise<void> {
  const response = await fetch(`${slack.apiUrl}auth.test`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}` },
  });
  expect(await response.json()).toMatchObject({ ok: true, team_id: teamId });
}
