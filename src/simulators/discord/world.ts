import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { createSnowflakes } from './snowflakes.ts';

/** Everything that the stand-in knows: apps, servers, channels, messages, people. */

export type Json = { [name: string]: unknown };

export type SimulatedApp = {
  id: string;
  botToken: string;
  clientSecret: string;
  publicKey: string;
  privateKey: KeyObject;
  /** Where interactions go; without one they come by the socket. */
  interactionsUrl?: string | undefined;
  /** Whether the switch "Message Content Intent" is on. */
  messageContent: boolean;
  redirectUris: string[];
  commands: Json[];
};

export type SimulatedGuild = {
  id: string;
  name: string;
  members: Set<string>;
  /** The roles of bots that are in it, by application. */
  bots: Map<string, { roleId: string; joinedAt: string }>;
};

/** 0 text, 1 direct, 11 thread, 15 forum. */
export type ChannelType = 0 | 1 | 11 | 15;

export type SimulatedChannel = {
  id: string;
  type: ChannelType;
  name: string;
  guildId: string | undefined;
  parentId: string | undefined;
  /** Of direct messages: the person, and the bot that they are with. */
  direct: { user: string; appId: string } | undefined;
  messages: Map<string, SimulatedMessage>;
  /** Apps whose bot may read here and not write; of a thread its channel says so as well. */
  silenced: Set<string>;
  /** Apps whose bot does not see it, and those whose bot may not read what was said before. */
  hidden: Set<string>;
  withoutHistory: Set<string>;
};

export type SimulatedMessage = {
  id: string;
  channelId: string;
  author: string;
  /** The app whose bot wrote it. */
  appId: string | undefined;
  /** Made by an interaction's token. */
  interactionId: string | undefined;
  content: string;
  nonce: string | undefined;
  replyTo: string | undefined;
  components: Json[];
  embeds: Json[];
  attachments: Json[];
  ephemeral: boolean;
  /** Still "thinking": a deferred answer without a content. */
  loading: boolean;
  /** Whom it calls, as Discord would. */
  calls: string[];
  edits: number;
  editedAt: string | null;
  deleted: boolean;
  createdAtMs: number;
};

export type World = ReturnType<typeof createWorld>;

export function createWorld(now: () => number) {
  const snowflake = createSnowflakes(now);
  const apps = new Map<string, SimulatedApp>();
  const guilds = new Map<string, SimulatedGuild>();
  const channels = new Map<string, SimulatedChannel>();

  function addChannel(given: Partial<SimulatedChannel> & { type: ChannelType }): SimulatedChannel {
    const channel: SimulatedChannel = {
      id: snowflake(),
      name: 'general',
      guildId: undefined,
      parentId: undefined,
      direct: undefined,
      messages: new Map(),
      ...{ silenced: new Set(), hidden: new Set(), withoutHistory: new Set() },
      ...given,
    };
    channels.set(channel.id, channel);
    return channel;
  }

  return {
    snowflake,
    apps,
    guilds,
    channels,
    addChannel,

    addApp(given: { id: string } & Partial<SimulatedApp>): SimulatedApp {
      const keys = generateKeyPairSync('ed25519');
      const app: SimulatedApp = {
        botToken: `token-of-${given.id}`,
        clientSecret: `secret-of-${given.id}`,
        publicKey: keys.publicKey.export({ format: 'der', type: 'spki' }).subarray(-32).toString('hex'),
        privateKey: keys.privateKey,
        messageContent: true,
        redirectUris: [],
        commands: [],
        ...given,
      };
      apps.set(app.id, app);
      return app;
    },

    addGuild(given: { id: string; name?: string; members?: readonly string[] }): SimulatedGuild {
      const { id, name = `Server ${given.id}`, members = [] } = given;
      const guild: SimulatedGuild = { id, name, members: new Set(members), bots: new Map() };
      guilds.set(id, guild);
      return guild;
    },

    app(id: string): SimulatedApp {
      const app = apps.get(id);
      if (!app) throw new TypeError(`There is no app ${id}.`);
      return app;
    },

    appByToken: (token: string | undefined) =>
      token === undefined ? undefined : [...apps.values()].find((app) => app.botToken === token),

    channel(id: string): SimulatedChannel {
      const channel = channels.get(id);
      if (!channel) throw new TypeError(`There is no channel ${id}.`);
      return channel;
    },

    directChannel(appId: string, user: string): SimulatedChannel {
      const known = [...channels.values()].find(
        ({ direct }) => direct?.appId === appId && direct.user === user,
      );
      return known ?? addChannel({ type: 1, name: '', direct: { appId, user } });
    },

    /** Whether the bot of an app may see a channel. */
    sees(appId: string, { guildId, direct, hidden, parentId }: SimulatedChannel): boolean {
      if (guildId === undefined) return direct?.appId === appId;
      if (hidden.has(appId) || channels.get(parentId ?? '')?.hidden.has(appId)) return false;
      return guilds.get(guildId)?.bots.has(appId) ?? false;
    },

    /** Whether it may write there. */
    mayWrite(appId: string, { silenced, parentId }: SimulatedChannel): boolean {
      return !silenced.has(appId) && !(channels.get(parentId ?? '')?.silenced.has(appId) ?? false);
    },

    addMessage(
      channel: SimulatedChannel,
      given: Pick<SimulatedMessage, 'author' | 'content'> & Partial<SimulatedMessage>,
    ): SimulatedMessage {
      const message: SimulatedMessage = {
        id: snowflake(),
        channelId: channel.id,
        appId: undefined,
        interactionId: undefined,
        nonce: undefined,
        replyTo: undefined,
        components: [],
        embeds: [],
        attachments: [],
        ephemeral: false,
        loading: false,
        calls: [],
        edits: 0,
        editedAt: null,
        deleted: false,
        createdAtMs: now(),
        ...given,
      };
      channel.messages.set(message.id, message);
      return message;
    },
  };
}
