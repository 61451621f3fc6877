import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { newId, type Uuid } from '#domain/ids.ts';
import { createLogger } from '#kernel/logger.ts';
import { type SlackSimulator, startSlackSimulator } from '#simulators/slack/simulator.ts';
import { eventually } from '../../../../test/support/eventually.ts';
import type { OpenChannel, WebhookReply } from '../../gateway.ts';
import { type SlackSocketsParts, startSlackSockets } from './socket-mode.ts';

const app = { appId: 'A0SOCKET', appToken: 'xapp-1-A0SOCKET-secret' };
const leaseMs = 600;

let slack: SlackSimulator;
let apps: Map<string, OpenChannel>;
let leases: Map<string, { holder: string; untilMs: number }>;
let started: { stop(): Promise<void> }[];
let logged: string[];

beforeEach(async () => {
  [apps, leases, started, logged] = [new Map(), new Map(), [], []];
  slack = await startSlackSimulator({ deadlineMs: 1_000, retryDelaysMs: [0] });
  slack.addWorkspace({ teamId: 'T0ACME' });
  anApp(app.appId, app.appToken);
});

afterEach(async () => {
  await Promise.all(started.map(({ stop }) => stop()));
  await slack.close();
  for (const secret of ['xapp-', 'xoxb-', 'ticket=', 'a private word'])
    expect(logged.join()).not.toContain(secret);
});

describe('of several processes', () => {
  test('one has the socket of an app', async () => {
    const [one, other] = [aProcess(), aProcess()];
    await eventually(() => expect(Math.min(one.takes, other.takes)).toBeGreaterThan(3));
    await eventually(() => expect(slack.sockets.open(app.appId)).toBe(1));
    expect(slack.sockets.most(app.appId)).toBe(1);
    const { deliveries } = await say('hello');
    expect(deliveries).toMatchObject([{ via: 'socket', status: 200 }]);
    expect(one.received.length + other.received.length).toBe(1);
  });

  test('another one takes over when it stops', async () => {
    const one = await aProcess().connected();
    const other = aProcess();
    await eventually(() => expect(other.takes).toBeGreaterThan(1));
    await one.stop();
    expect(leases.get(app.appId)?.holder).not.toBe(one.name);
    await eventually(() => expect(leases.get(app.appId)?.holder).toBe(other.name));
    await eventually(() => expect(slack.sockets.open(app.appId)).toBe(1));
    await say('hello');
    expect(other.received).toHaveLength(1);
    expect(slack.sockets.most(app.appId)).toBe(1);
  });

  test('another one takes over when it cannot extend its lease, and by then its socket is closed', async () => {
    const one = await aProcess().connected();
    const other = aProcess();
    one.take = () => Promise.reject(new Error('the database is away'));
    await eventually(async () => {
      await say('hello');
      expect(other.received.length).toBeGreaterThan(0);
    });
    expect(slack.sockets.most(app.appId)).toBe(1);
    expect(slack.sockets.open(app.appId)).toBe(1);
  });

  test('another one takes over when it hears nothing of its lease', async () => {
    const one = await aProcess().connected();
    one.take = () => new Promise(() => {});
    const other = aProcess();
    await eventually(() => expect(leases.get(app.appId)?.holder).toBe(other.name));
    await eventually(() => expect(slack.sockets.open(app.appId)).toBe(1));
    expect(slack.sockets.most(app.appId)).toBe(1);
  });

  test('one that lost its lease closes its socket at once', async () => {
    const one = await aProcess().connected();
    one.take = async () => false;
    await eventually(() => expect(slack.sockets.open(app.appId)).toBe(0), leaseMs);
  });

  test('one whose lease ran out unnoticed keeps nothing and acknowledges nothing', async () => {
    const one = await aProcess().connected();
    one.take = () => new Promise(() => {});
    await eventually(() =>
      expect(leases.get(app.appId)?.untilMs).toBeLessThan(performance.now() + leaseMs / 4),
    );
    const frozenUntil = performance.now() + leaseMs / 2;
    const saying = say('hello'); // on its way while the process is frozen
    while (performance.now() < frozenUntil);
    const { deliveries } = await saying;
    expect(one.received).toEqual([]);
    expect(deliveries.filter(({ status }) => status === 200)).toEqual([]);
  });
});

describe('what comes by a socket', () => {
  test('is acknowledged after it was kept, and not before', async () => {
    const one = await aProcess().connected();
    let keep = () => {};
    one.deliver = () =>
      new Promise((resolve) => {
        keep = () => resolve(undefined);
      });
    let isAcknowledged = false;
    const saying = say('hello').finally(() => {
      isAcknowledged = true;
    });
    await eventually(() => expect(one.received).toHaveLength(1));
    await sleep(100);
    expect(isAcknowledged).toBe(false);
    keep();
    expect((await saying).deliveries).toMatchObject([{ status: 200, retryNum: 0 }]);
  });

  test('is not acknowledged when it could not be kept, and comes again', async () => {
    const one = await aProcess().connected();
    one.deliver = async () => {
      if (one.received.length === 1) throw new Error('the database is away');
      return undefined;
    };
    const { deliveries } = await say('hello');
    expect(deliveries).toMatchObject([
      { via: 'socket', status: 0 },
      { via: 'socket', status: 200, retryNum: 1 },
    ]);
    expect(one.received).toHaveLength(2);
  });

  test('is delivered for the channel as it is now, under the endpoint that the webhook would have', async () => {
    const one = await aProcess().connected();
    const channel = apps.get(app.appId);
    if (channel) apps.set(app.appId, { ...channel, settings: { ...channel.settings, replies: 'mentions' } });
    await say('a private word');
    await slack.shortcut('T0ACME', { user: 'U0ADA', callbackId: 'ask' });
    await slack.command('T0ACME', {
      user: 'U0ADA',
      channel: 'C0HALL',
      command: '/ask',
      text: 'a private word',
    });
    expect(one.received.map(({ endpoint }) => endpoint)).toEqual(['events', 'interactions', 'commands']);
    expect(one.received[0]?.body).toMatchObject({
      type: 'event_callback',
      event: { text: 'a private word' },
    });
    expect(one.received[2]?.body).toMatchObject({ command: '/ask', text: 'a private word' });
    expect(one.received[0]?.channel.settings['replies']).toBe('mentions');
  });

  test.each<[string, WebhookReply | undefined, string]>([
    ['nothing', undefined, '{}'],
    ['an empty answer', { status: 200, contentType: 'text/plain', body: '' }, '{}'],
    [
      'JSON',
      { status: 200, contentType: 'application/json; charset=utf-8', body: '{"options":[]}' },
      '{"options":[]}',
    ],
    ['text', { status: 200, contentType: 'text/plain', body: 'One moment.' }, '{"text":"One moment."}'],
  ])('is answered in its acknowledgement: %s', async (_, reply, expected) => {
    const one = await aProcess().connected();
    one.deliver = async () => reply;
    const [delivery] = await slack.command('T0ACME', { user: 'U0ADA', channel: 'C0HALL', command: '/ask' });
    expect(delivery).toMatchObject({ via: 'socket', status: 200, body: expected });
  });

  test('is acknowledged without an answer where none is taken', async () => {
    const one = await aProcess().connected();
    one.deliver = async () => ({ status: 200, contentType: 'text/plain', body: 'One moment.' });
    expect((await say('hello')).deliveries).toMatchObject([{ status: 200, body: '{}' }]);
  });

  test('and is under way when the service stops is still acknowledged', async () => {
    const one = await aProcess().connected();
    let keep = () => {};
    one.deliver = () =>
      new Promise((resolve) => {
        keep = () => resolve(undefined);
      });
    const saying = say('hello');
    await eventually(() => expect(one.received).toHaveLength(1));
    const stopping = one.stop();
    await sleep(50);
    keep();
    await stopping;
    expect((await saying).deliveries).toMatchObject([{ status: 200 }]);
    await eventually(() => expect(slack.sockets.open(app.appId)).toBe(0));
  });
});

describe('a socket', () => {
  test('is opened anew when Slack asks for it, after what is under way was acknowledged', async () => {
    const one = await aProcess().connected();
    let keep = () => {};
    one.deliver = () =>
      new Promise((resolve) => {
        keep = () => resolve(undefined);
      });
    const saying = say('hello');
    await eventually(() => expect(one.received).toHaveLength(1));
    slack.sockets.disconnect(app.appId, 'warning');
    await sleep(50);
    keep();
    expect((await saying).deliveries).toMatchObject([{ status: 200 }]);
    await eventually(() => expect(slack.callsOf('apps.connections.open')).toHaveLength(2));
    await eventually(() => expect(slack.sockets.open(app.appId)).toBe(1));
    expect(slack.sockets.most(app.appId)).toBe(1);
  });

  test('is opened anew when the connection breaks', async () => {
    await aProcess().connected();
    slack.sockets.drop(app.appId);
    await eventually(() => expect(slack.callsOf('apps.connections.open')).toHaveLength(2));
    await eventually(() => expect(slack.sockets.open(app.appId)).toBe(1));
  });

  test('is opened in the end when Slack is away at first', async () => {
    slack.fail('apps.connections.open', { kind: 'drop' });
    slack.fail('apps.connections.open', { kind: 'http_500' });
    await aProcess().connected();
    expect(slack.callsOf('apps.connections.open')).toHaveLength(3);
  });

  test('is not opened again before Slack wants to hear of it', async () => {
    slack.fail('apps.connections.open', { kind: 'rate_limit', retryAfterSeconds: 2 });
    await aProcess().connected();
    const [first, second] = slack.callsOf('apps.connections.open');
    expect((second?.atMs ?? 0) - (first?.atMs ?? 0)).toBeGreaterThanOrEqual(2_000);
  });

  test('is closed when its app leaves the list, and opened when one comes', async () => {
    await aProcess().connected();
    apps.delete(app.appId);
    await eventually(() => expect(slack.sockets.open(app.appId)).toBe(0));
    await eventually(() => expect(leases.has(app.appId)).toBe(false));
    apps.set(app.appId, aChannel(app.appId, app.appToken));
    await eventually(() => expect(slack.sockets.open(app.appId)).toBe(1));
  });

  test('of each app is its own', async () => {
    anApp('A0SECOND', 'xapp-1-A0SECOND');
    const one = await aProcess().connected();
    await eventually(() => expect(slack.sockets.open('A0SECOND')).toBe(1));
    await slack.command('T0ACME', { user: 'U0ADA', channel: 'C0HALL', command: '/ask', app: 'A0SECOND' });
    expect(one.received.map(({ channel }) => channel.settings['appId'])).toEqual(['A0SECOND']);
  });

  test('is opened with the new token when that was changed', async () => {
    const registered = anApp('A0CHANGES', 'xapp-1-old');
    const one = aProcess();
    await eventually(() => expect(slack.sockets.open('A0CHANGES')).toBe(1));
    registered.appToken = 'xapp-1-new';
    apps.set('A0CHANGES', { ...aChannel('A0CHANGES', 'xapp-1-new'), ...placeOf('A0CHANGES') });
    await eventually(() =>
      expect(
        slack.callsOf('apps.connections.open').filter(({ appId }) => appId === 'A0CHANGES'),
      ).toHaveLength(2),
    );
    await eventually(() => expect(slack.sockets.open('A0CHANGES')).toBe(1));
    expect(slack.sockets.most('A0CHANGES')).toBe(1);
    await slack.command('T0ACME', { user: 'U0ADA', channel: 'C0HALL', command: '/ask', app: 'A0CHANGES' });
    expect(one.received[0]?.channel.secrets['appToken']).toBe('xapp-1-new');
  });

  test('that Slack refuses is said once, with what to do, and tried at once with another token', async () => {
    apps.set(app.appId, aChannel(app.appId, 'xapp-1-wrong'));
    const one = aProcess();
    await eventually(() => expect(logged.join()).toContain('connections:write'));
    const { takes } = one;
    apps.set(app.appId, { ...aChannel(app.appId, 'xapp-1-wrong'), ...placeOf(app.appId) });
    await sleep(2 * leaseMs);
    expect(one.takes).toBe(takes);
    apps.set(app.appId, { ...aChannel(app.appId, app.appToken), ...placeOf(app.appId) });
    await eventually(() => expect(slack.sockets.open(app.appId)).toBe(1));
    expect(logged.filter((line) => line.includes('connections:write'))).toHaveLength(1);
    expect(logged.join()).toContain('invalid_auth');
  });
});

test('a list that cannot be read changes nothing', async () => {
  const one = await aProcess().connected();
  one.listApps = () => Promise.reject(new Error('the database is away'));
  await eventually(() => expect(logged.join()).toContain('could not be listed'));
  expect(slack.sockets.open(app.appId)).toBe(1);
});

test('a service that stops while it is opening a socket leaves none behind', async () => {
  let isAsked = false;
  const where = () => {
    isAsked = true;
    return true;
  };
  slack.fail('apps.connections.open', { kind: 'slow', delayMs: 300, where });
  const one = aProcess();
  await eventually(() => expect(isAsked).toBe(true));
  await one.stop();
  await eventually(() => expect(slack.callsOf('apps.connections.open')).toHaveLength(1));
  await sleep(200); // time enough to use the address
  expect(slack.sockets.most(app.appId)).toBe(0);
  expect(leases.has(app.appId)).toBe(false);
});

/** At Slack, installed, and with a channel here. */
function anApp(appId: string, appToken: string) {
  apps.set(appId, aChannel(appId, appToken));
  const registered = slack.addApp({ appId, appToken, signingSecret: 's' });
  slack.install(appId, 'T0ACME');
  return registered;
}

function placeOf(appId: string): { tenantId: Uuid; id: Uuid } {
  const { tenantId, id } = apps.get(appId) ?? {};
  if (!tenantId || !id) throw new RangeError(`There is no app ${appId}.`);
  return { tenantId, id };
}

function aChannel(appId: string, appToken: string): OpenChannel {
  return {
    tenantId: newId(),
    id: newId(),
    platform: 'slack',
    key: 'ck_a',
    settings: { appId },
    secrets: { appToken },
    status: 'active',
    version: 1,
    statusReason: undefined,
    tenantStatus: 'active',
    tenantSettings: {},
    organizationSettings: {},
    agent: undefined,
  };
}

function say(text: string) {
  return slack.say('T0ACME', { user: 'U0ADA', channel: 'C0HALL', text, app: app.appId });
}

type Received = { channel: OpenChannel } & Parameters<SlackSocketsParts['deliver']>[1];

/** A process of the service; what it does can be changed while it runs. */
function aProcess() {
  const name = newId();
  const one = {
    name,
    takes: 0,
    received: [] as Received[],
    take: async (appId: string) => {
      const held = leases.get(appId);
      if (held && held.holder !== name && held.untilMs > performance.now()) return false;
      leases.set(appId, { holder: name, untilMs: performance.now() + leaseMs });
      return true;
    },
    deliver: async (): Promise<WebhookReply | undefined> => undefined,
    listApps: async () =>
      [...apps].map(([appId, { tenantId, id: channelId }]) => ({ appId, tenantId, channelId })),
    stop: () => sockets.stop(),
    async connected() {
      await eventually(() => expect(slack.sockets.open(app.appId)).toBe(1));
      return one;
    },
  };
  const sockets = startSlackSockets({
    listApps: () => one.listApps(),
    openChannel: async (_, channelId) => [...apps.values()].find(({ id }) => id === channelId),
    lease: {
      leaseMs,
      take(appId) {
        one.takes += 1;
        return one.take(appId);
      },
      async release(appId) {
        if (leases.get(appId)?.holder === name) leases.delete(appId);
      },
    },
    deliver(channel, envelope) {
      one.received.push({ channel, ...envelope });
      return one.deliver();
    },
    apiUrl: slack.apiUrl,
    logger: createLogger('debug', { write: (line) => void logged.push(line) }),
  });
  started.push(sockets);
  return one;
}
