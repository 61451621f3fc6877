import { newId, type Uuid } from '#domain/ids.ts';
import type { FileStore } from '#files/file-store.ts';
import type { OpenChannel, OutboundMessage, StreamTarget, WebhookGateway } from '#gateways/gateway.ts';
import { createPacer, type Pacer } from '#gateways/pacer.ts';
import { createSlackGateway, type SlackTexts } from '#gateways/slack/index.ts';
import { createPaceInProcess } from '#metering/pace-in-process.ts';
import { type SlackSimulator, startSlackSimulator } from '#simulators/slack/simulator.ts';

export const slackTexts: SlackTexts = {
  working: 'is writing …',
  sources: 'Sources',
  home: {
    about: (agent) => `${agent} answers questions here.`,
    ways: ['Send a direct message.', 'Mention it in a channel.'],
    nobody: 'Nobody is set up to answer here yet.',
  },
  suggestions: { title: 'Begin with', prompts: [{ title: 'What can you do?', message: 'What can you do?' }] },
  question: { title: 'Ask', label: 'Your question', submit: 'Ask', close: 'Cancel' },
};

export type SlackWorkspaceOptions = {
  simulator?: Parameters<typeof startSlackSimulator>[0];
  /** What the app was granted; everything when absent. */
  scopes?: readonly string[];
  /** Where the app is called. */
  app?: { eventsUrl?: string; commandsUrl?: string };
  settings?: Record<string, unknown>;
  pacer?: Pacer;
  files?: Pick<FileStore, 'open'>;
};

export type SlackWorkspace = Awaited<ReturnType<typeof aSlackWorkspace>>;

/** A workspace of the simulated Slack with our app in it, a question in a channel, and the gateway that answers. */
export async function aSlackWorkspace(options: SlackWorkspaceOptions = {}) {
  const slack: SlackSimulator = await startSlackSimulator({ echoesBots: false, ...options.simulator });
  const team = 'T1';
  slack.addWorkspace({ teamId: team });
  slack.addApp({
    appId: 'A1',
    signingSecret: 'secret',
    ...options.app,
    ...(options.scopes && { scopes: options.scopes }),
  });
  const { botToken } = slack.install('A1', team);
  slack.addUser(team, 'U1');
  slack.addChannel(team, { id: 'C1' });
  const { ts: threadTs } = await slack.say(team, { user: 'U1', channel: 'C1', text: 'A question' });
  const direct = slack.directChannel(team, 'U1');

  const gateway: WebhookGateway = createSlackGateway({
    sharedApp: { appId: 'A1', signingSecret: 'secret' },
    apiUrl: slack.apiUrl,
    pacer: options.pacer ?? createPacer(createPaceInProcess()),
    files: options.files ?? { open: async () => Promise.reject(new Error('There is no file.')) },
    texts: slackTexts,
    fetch: async () => Promise.reject(new Error('Nothing is fetched from elsewhere.')),
  });

  const channel: OpenChannel = {
    ...{ tenantId: newId(), id: newId(), platform: 'slack', key: 'ck_test', secrets: { botToken } },
    settings: { workspace: team, replies: 'thread', streaming: true, ...options.settings },
    ...{ version: 1, status: 'active', statusReason: undefined, tenantStatus: 'active' },
    ...{ tenantSettings: {}, organizationSettings: {} },
    agent: { name: 'Ada', model: 'builtin/echo', settings: {} },
  };
  const places = { thread: `C1/${threadTs}`, channel: 'C1', direct: '@U1' };

  return {
    ...{ slack, team, gateway, channel, threadTs, direct, places },

    message(more: Partial<OutboundMessage> = {}): OutboundMessage {
      return {
        ...{ deliveryId: newId(), messageId: newId(), turnId: newId(), attempt: 1, interrupted: false },
        ...{ role: 'agent', text: 'An answer', content: {}, attachments: [], createdAt: new Date() },
        ...{ lastInboundAt: new Date(), conversationId: newId(), conversationExternalId: places.thread },
        ...{ participantExternalId: 'U1', externalIds: [] },
        ...more,
      };
    },

    target(more: Partial<StreamTarget> = {}): StreamTarget {
      return {
        ...{ turnId: newId(), attempt: 1, conversationId: newId(), conversationExternalId: places.thread },
        ...{ participantExternalId: 'U1', externalIds: [] },
        ...more,
      };
    },

    /** Sends, with the ids of parts as they were kept. */
    async send(message: OutboundMessage, signal: AbortSignal = new AbortController().signal) {
      const kept = new Map<number, string>();
      const keepPart = async (number: number, externalId: string) => void kept.set(number, externalId);
      const result = await gateway.send(channel, message, { signal, keepPart });
      return { ...result, kept: [...kept.values()] };
    },

    /** What people read in a place, post by post. */
    read(at: string, thread?: string): string[] {
      return slack.posts(team, at, thread).map(({ finalText }) => finalText);
    },

    [Symbol.asyncDispose]: async () => slack.close(),
  };
}

/** A pacer that lets everything pass and keeps what it was asked for. */
export function anOpenPacer() {
  const taken: { key: string; intervalMs: number }[] = [];
  const pacer: Pacer = { take: async (key, intervalMs) => void taken.push({ key, intervalMs }) };
  return { pacer, taken };
}

/** Files that are only here. */
export function filesOf(files: Record<Uuid, { name: string; contentType: string; text: string }>) {
  const open: FileStore['open'] = async (_tenantId, id) => {
    const file = files[id];
    if (!file) throw new Error('There is no such file.');
    const bytes = Buffer.from(file.text);
    return { ...file, id, sizeBytes: bytes.length, sha256: '', bytes: new Blob([bytes]).stream() };
  };
  return { open };
}
