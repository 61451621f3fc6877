import { newSlackId } from './identifiers.ts';
import type { Json } from './json.ts';

/** The workspaces of the simulated Slack, with their people, channels and messages. */

export type ChannelType = 'channel' | 'group' | 'im' | 'mpim';

export type Workspace = {
  teamId: string;
  name: string;
  domain: string;
  enterpriseId: string | undefined;
  /** By id. `teamId` is another one's for people of a shared channel. */
  users: Map<string, { id: string; name: string; teamId: string }>;
  channels: Map<string, Channel>;
};

export type Channel = {
  id: string;
  teamId: string;
  type: ChannelType;
  name: string;
  /** Users and bot users; `everyone`: nobody has said who. */
  members: Set<string> | 'everyone';
  /** Other organizations are in it (Slack Connect). */
  isShared: boolean;
  messages: Map<string, Message>;
};

export type Message = {
  ts: string;
  teamId: string;
  channelId: string;
  threadTs: string | undefined;
  user: string | undefined;
  botId: string | undefined;
  appId: string | undefined;
  subtype: string | undefined;
  /** In Slack's own notation, escaped. */
  text: string;
  blocks: Json[] | undefined;
  /** What came as `markdown_text` or was streamed; shown instead of `text`. */
  markdown: string | undefined;
  metadata: Json | undefined;
  fileIds: string[];
  reactions: { name: string; users: string[] }[];
  clientMessageId: string | undefined;
  /** What a person read after each change. */
  edits: string[];
  editedTs: string | undefined;
  isDeleted: boolean;
  stream: { startedAtMs: number; isOpen: boolean } | undefined;
};

export type NewMessage = Pick<Message, 'ts' | 'text'> &
  Partial<Omit<Message, 'ts' | 'text' | 'teamId' | 'channelId'>>;

export type World = ReturnType<typeof createWorld>;

export function createWorld() {
  const workspaces = new Map<string, Workspace>();

  function workspace(teamId: string): Workspace {
    return workspaces.get(teamId) ?? addWorkspace({ teamId });
  }

  function addWorkspace(options: { teamId: string; name?: string; enterpriseId?: string }): Workspace {
    const { teamId, name = `Workspace ${teamId}`, enterpriseId } = options;
    if (workspaces.has(teamId)) throw new RangeError(`There is a workspace ${teamId} already.`);
    const added: Workspace = {
      teamId,
      name,
      domain: teamId.toLowerCase(),
      enterpriseId,
      users: new Map(),
      channels: new Map(),
    };
    workspaces.set(teamId, added);
    return added;
  }

  function user(teamId: string, id: string, options: { name?: string; fromTeamId?: string } = {}) {
    const { users } = workspace(teamId);
    const known = users.get(id);
    if (known && options.name === undefined) return known;
    const added = { id, name: options.name ?? id.toLowerCase(), teamId: options.fromTeamId ?? teamId };
    users.set(id, added);
    return added;
  }

  function addChannel(
    teamId: string,
    options: {
      id?: string;
      type?: ChannelType;
      name?: string;
      members?: readonly string[];
      isShared?: boolean;
    } = {},
  ): Channel {
    const { id = newSlackId('C'), members, isShared = false } = options;
    const type = options.type ?? typeByLetter(id);
    const { channels } = workspace(teamId);
    if (channels.has(id)) throw new RangeError(`There is a channel ${id} in ${teamId} already.`);
    const added: Channel = {
      id,
      teamId,
      type,
      name: options.name ?? id.toLowerCase(),
      members: members ? new Set(members) : 'everyone',
      isShared,
      messages: new Map(),
    };
    for (const member of members ?? []) user(teamId, member);
    channels.set(id, added);
    return added;
  }

  return {
    workspaces,
    addWorkspace,
    workspace,
    user,
    addChannel,

    channel(teamId: string, id: string): Channel | undefined {
      return workspaces.get(teamId)?.channels.get(id);
    },

    /** The channel of direct messages between two; made when they never spoke. */
    directChannel(teamId: string, userId: string, botUserId: string): Channel {
      const pair = [userId, botUserId];
      for (const channel of workspace(teamId).channels.values()) {
        if (channel.type === 'im' && hasExactly(channel, pair)) return channel;
      }
      return addChannel(teamId, { id: newSlackId('D'), type: 'im', members: pair });
    },

    addMessage(channel: Channel, message: NewMessage): Message {
      if (channel.messages.has(message.ts))
        throw new RangeError(`There is a message ${message.ts} in ${channel.id} already.`);
      const added: Message = {
        threadTs: undefined,
        user: undefined,
        botId: undefined,
        appId: undefined,
        subtype: undefined,
        blocks: undefined,
        markdown: undefined,
        metadata: undefined,
        fileIds: [],
        reactions: [],
        clientMessageId: undefined,
        edits: [],
        editedTs: undefined,
        isDeleted: false,
        stream: undefined,
        ...message,
        teamId: channel.teamId,
        channelId: channel.id,
      };
      channel.messages.set(added.ts, added);
      return added;
    },

    /** Every workspace, of whoever, that has something. */
    teamsWhere(has: (workspace: Workspace) => boolean): string[] {
      return [...workspaces.values()].filter(has).map(({ teamId }) => teamId);
    },
  };
}

export function isMember(channel: Channel, userId: string): boolean {
  return channel.members === 'everyone' || channel.members.has(userId);
}

/** Whether these are the members, and nobody else. */
export function hasExactly({ members }: Channel, wanted: readonly string[]): boolean {
  if (members === 'everyone' || members.size !== new Set(wanted).size) return false;
  return wanted.every((member) => members.has(member));
}

/** Messages in order of their time stamps, deleted ones too. */
export function inOrder(channel: Channel | undefined): Message[] {
  return [...(channel?.messages.values() ?? [])].sort((a, b) => compareTimestamps(a.ts, b.ts));
}

export function compareTimestamps(a: string, b: string): number {
  return Number(a) - Number(b) || a.localeCompare(b);
}

function typeByLetter(id: string): ChannelType {
  if (id.startsWith('D')) return 'im';
  return id.startsWith('G') ? 'group' : 'channel';
}
