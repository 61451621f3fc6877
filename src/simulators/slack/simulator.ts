import type { AddressInfo } from 'node:net';
import { createApprovals } from './approvals.ts';
import type { Approver } from './authorize-page.ts';
import { createDeliverer, type Delivery } from './deliver.ts';
import { createFaults } from './faults.ts';
import { createTimestamps } from './identifiers.ts';
import { createInstallations, type Installed, type InstallOptions } from './installations.ts';
import { createInteractivity } from './interactivity.ts';
import { createJudge } from './judge.ts';
import { createLimits, type LimitOptions } from './limits.ts';
import { messageOnWire } from './message-on-wire.ts';
import { createChanges } from './people/changes.ts';
import { createConversations } from './people/conversations.ts';
import { createInteractions } from './people/interactions.ts';
import { createOccasions } from './people/occasions.ts';
import { createTeller } from './people/tell.ts';
import { type RawRequest, sendRaw } from './raw-request.ts';
import { type SeenMessage, seenMessage } from './seen-message.ts';
import { createSlackServer } from './server.ts';
import { createSockets } from './socket-mode.ts';
import type { BotChange, Stage } from './stage.ts';
import { createWorld, inOrder, type Message } from './world.ts';

export type SlackSimulatorOptions = {
  /** Any free one when absent. */
  port?: number;
  /** Loopback when absent. */
  host?: string;
  limits?: LimitOptions;
  /** Before each repetition of an event; Slack's own: 0, one minute, five minutes. */
  retryDelaysMs?: readonly number[];
  /** Until when an app has to answer; Slack's own, three seconds, when absent. */
  deadlineMs?: number;
  /** How long a message may be streamed; five minutes when absent, as observed. */
  streamLifetimeMs?: number;
  /** Whether an app hears what its own bot does, as with Slack. */
  echoesBots?: boolean;
  now?: () => number;
};

export type SlackSimulator = Awaited<ReturnType<typeof startSlackSimulator>>;

const streamLifetimeMs = 5 * 60_000;

/**
 * A strict stand-in for Slack on loopback: the Web API, OAuth, files and Socket Mode that apps call, and the people whose
 * messages and clicks reach the apps, signed as Slack signs them. It checks what Slack checks, keeps every call, and
 * fails as it is told to. What somebody does resolves when the apps have been told, repetitions included.
 */
export async function startSlackSimulator(options: SlackSimulatorOptions = {}) {
  const { port = 0, host = '127.0.0.1', now = Date.now, echoesBots = true, deadlineMs = 3_000 } = options;
  const closing = new AbortController();
  const background = new Set<Promise<unknown>>();
  let url = '';
  let approver: Approver | undefined;

  const world = createWorld();
  const judge = createJudge();
  const sockets = createSockets({ url: () => url, deadlineMs });
  const stage: Stage = {
    world,
    judge,
    sockets,
    now,
    installations: createInstallations(world, now),
    files: new Map(),
    interactivity: createInteractivity(now),
    approvals: createApprovals(now),
    limits: createLimits(options.limits ?? {}, now),
    faults: createFaults(),
    timestamp: createTimestamps(now),
    url: () => url,
    streamLifetimeMs: options.streamLifetimeMs ?? streamLifetimeMs,
    announce,
  };
  const deliver = createDeliverer({
    sockets,
    now,
    deadlineMs,
    retryDelaysMs: options.retryDelaysMs ?? [0, 50, 100],
    signal: closing.signal,
  });
  const teller = createTeller(stage, deliver);
  const { tellOfMessage, ...conversations } = createConversations(stage, teller);
  const { tellOfBot, ...changes } = createChanges(stage, teller);
  const interactions = createInteractions(stage, teller, deliver);
  const occasions = createOccasions(stage, teller);

  function announce(change: BotChange): void {
    if (!echoesBots) return;
    const before = change.kind === 'changed' ? messageOnWire(stage, change.before) : undefined;
    const told = (change.kind === 'posted' ? tellOfPost(change.message) : tellOfBot(change, before)).finally(
      () => background.delete(told),
    );
    background.add(told);
  }

  async function tellOfPost(message: Message): Promise<Delivery[]> {
    const channel = world.channel(message.teamId, message.channelId);
    return channel ? tellOfMessage(channel, message, new Set(), {}) : [];
  }

  const server = createSlackServer(stage, () => approver);
  await new Promise<void>((listening, failed) => {
    server.once('error', failed);
    server.listen(port, host, listening);
  });
  url = `http://${host}:${(server.address() as AddressInfo).port}`;

  const { installations } = stage;
  const install = (
    appId: string,
    place: { teamId: string } | { enterpriseId: string },
    how?: InstallOptions,
  ): Installed => {
    const { installation, token } = installations.install(appId, place, how);
    return { botToken: token.value, botUserId: installation.botUserId, botId: installation.botId };
  };
  const messages = (teamId: string, channel: string): SeenMessage[] =>
    inOrder(world.channel(teamId, channel)).map(seenMessage);

  return {
    url,
    apiUrl: `${url}/api/`,
    authorizeUrl: `${url}/oauth/v2/authorize`,

    // the world
    addWorkspace: world.addWorkspace,
    addApp: installations.addApp,
    addUser: world.user,
    addChannel: world.addChannel,
    install: (appId: string, teamId: string, how?: InstallOptions) => install(appId, { teamId }, how),
    /** In every workspace of an enterprise (Enterprise Grid). */
    installEnterprise: (appId: string, enterpriseId: string, how?: InstallOptions) =>
      install(appId, { enterpriseId }, how),
    /** `place`: a workspace, or an enterprise. The app is not told. */
    uninstall: (appId: string, place: string) => void installations.uninstall(appId, place),
    /** The app is not told. */
    revokeToken: (botToken: string) => void installations.revoke(botToken),
    /** The channel of a person's direct messages with an app. */
    directChannel: (teamId: string, user: string, appId?: string): string => {
      world.user(teamId, user);
      return world.directChannel(teamId, user, teller.actor(teamId, appId).installation.botUserId).id;
    },
    /** Who approves installations at {@link authorizeUrl}, and for what. */
    approveAs: (next: Approver | undefined) => {
      approver = next;
    },

    // what people do
    ...conversations,
    ...changes,
    ...interactions,
    ...occasions,
    /** Any request to an app, with a signature that is right unless it is told otherwise. */
    raw: (appId: string, request: RawRequest) => sendRaw(deliver, installations.app(appId), now(), request),

    // Slack on a bad day
    fail: stage.faults.fail,
    mend: stage.faults.clear,
    changeLimits: stage.limits.change,
    sockets: {
      open: sockets.count,
      most: sockets.most,
      disconnect: sockets.disconnect,
      drop: sockets.drop,
    },

    // the judge
    calls: judge.calls,
    callsOf: (method: string) => judge.calls.filter((call) => call.method === method),
    violations: judge.violations,
    rateLimited: () => judge.rateLimited,
    ephemerals: judge.ephemerals,
    assistantThreads: judge.assistantThreads,
    views: judge.views,
    messages,
    /** The channels of a workspace, those of direct messages too. */
    channelsOf: (teamId: string): string[] => [...world.workspace(teamId).channels.keys()],
    /** The first message of a thread and its replies. */
    thread: (teamId: string, channel: string, threadTs: string) =>
      messages(teamId, channel).filter((one) => one.ts === threadTs || one.threadTs === threadTs),
    /** What bots have posted and not deleted; of one thread when that is given. */
    posts: (teamId: string, channel: string, threadTs?: string) =>
      messages(teamId, channel).filter(
        (one) =>
          one.botId !== undefined &&
          one.appId !== undefined &&
          !one.deleted &&
          (threadTs === undefined || one.threadTs === threadTs),
      ),
    /** Resolves when the apps have been told of everything that bots have done. */
    async settled(): Promise<void> {
      while (background.size > 0) await Promise.all(background);
    },

    async close(): Promise<void> {
      closing.abort();
      sockets.close();
      server.closeAllConnections();
      await server[Symbol.asyncDispose]();
      await Promise.allSettled(background);
    },
  };
}
