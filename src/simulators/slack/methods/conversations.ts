import type { Arguments } from '../arguments.ts';
import { newSlackId } from '../identifiers.ts';
import type { Json } from '../json.ts';
import { messageOnWire } from '../message-on-wire.ts';
import { refuseArgument, SlackRefusal } from '../refusal.ts';
import { type Channel, compareTimestamps, hasExactly, inOrder, isMember, type Message } from '../world.ts';
import { findChannel, findMessage, findOwnChannel } from './lookup.ts';
import type { BotCall, Method } from './method.ts';

/** Opening and reading (https://docs.slack.dev/reference/methods?query=conversations). */
export const conversationMethods: Readonly<Record<string, Method>> = {
  'conversations.open': { token: 'bot', tier: 3, scope: 'im:write', run: open },
  'conversations.history': { token: 'bot', tier: 3, isFormOnly: true, run: history },
  'conversations.replies': { token: 'bot', tier: 3, isFormOnly: true, run: replies },
};

function open(call: BotCall): Json {
  const { stage, args, installation } = call;
  const users = (args.text('users') ?? '').split(',').filter((user) => user !== '');
  if (users.length === 0) throw new SlackRefusal('users_list_not_supplied');
  if (users.length > 8) throw new SlackRefusal('too_many_users');
  const teams = stage.installations.teamsOf(installation);
  const teamId = teams.find((team) => users.every((user) => stage.world.workspace(team).users.has(user)));
  if (teamId === undefined) {
    const others = stage.world.teamsWhere((workspace) => users.some((user) => workspace.users.has(user)));
    if (others.some((other) => !teams.includes(other)))
      call.violation(`names users of ${others.join(', ')}: ${users.join(', ')}`);
    throw new SlackRefusal('user_not_found');
  }
  const [first = '', ...others] = users;
  const channel =
    others.length === 0
      ? stage.world.directChannel(teamId, first, installation.botUserId)
      : groupOf(call, teamId, [...users, installation.botUserId]);
  return { channel: { id: channel.id } };
}

function groupOf({ stage }: BotCall, teamId: string, members: readonly string[]): Channel {
  for (const channel of stage.world.workspace(teamId).channels.values()) {
    if (channel.type === 'mpim' && hasExactly(channel, members)) return channel;
  }
  return stage.world.addChannel(teamId, { id: newSlackId('G'), type: 'mpim', members });
}

function history(call: BotCall): Json {
  const channel = findChannel(call, call.args.required('channel'));
  requireHistoryScope(call, channel);
  if (!isMember(channel, call.installation.botUserId)) throw new SlackRefusal('not_in_channel');
  const top = inOrder(channel).filter(
    ({ threadTs, subtype, isDeleted }) =>
      !isDeleted && (threadTs === undefined || subtype === 'thread_broadcast'),
  );
  const { page, next } = pageOf(top.reverse(), call.args, 100);
  return { ...listOf(call, page, next), pin_count: 0 };
}

function replies(call: BotCall): Json {
  const { args } = call;
  const channel = findOwnChannel(call, args.required('channel'));
  requireHistoryScope(call, channel);
  const ts = args.required('ts');
  const named = channel.messages.get(ts) ?? findMessage(call, channel, ts, 'thread_not_found');
  const first = named.threadTs ?? named.ts;
  const thread = inOrder(channel).filter(
    (message) => !message.isDeleted && (message.ts === first || message.threadTs === first),
  );
  if (thread.length === 0) throw new SlackRefusal('thread_not_found');
  const { page, next } = pageOf(thread, args, 1_000);
  return listOf(call, page, next);
}

function listOf({ stage, args }: BotCall, page: Message[], next: string | undefined): Json {
  return {
    messages: page.map((message) =>
      messageOnWire(stage, message, { withMetadata: args.isTrue('include_all_metadata') }),
    ),
    has_more: next !== undefined,
    ...(next !== undefined && { response_metadata: { next_cursor: next } }),
  };
}

function pageOf(messages: Message[], args: Arguments, limitMax: number) {
  const oldest = args.text('oldest');
  const latest = args.text('latest');
  const isEdge = (ts: string) => args.isTrue('inclusive') && (ts === oldest || ts === latest);
  const cursor = readCursor(args.text('cursor'));
  const limit = Math.min(Number(args.text('limit') ?? 100), limitMax);
  if (!Number.isInteger(limit) || limit < 1) throw refuseArgument('invalid_arguments', 'limit is no number');
  const within = messages.filter(
    ({ ts }) =>
      isEdge(ts) ||
      ((oldest === undefined || compareTimestamps(ts, oldest) > 0) &&
        (latest === undefined || compareTimestamps(ts, latest) < 0)),
  );
  const rest = within.slice(cursor);
  const hasMore = rest.length > limit;
  return {
    page: rest.slice(0, limit),
    next: hasMore ? Buffer.from(`offset:${cursor + limit}`).toString('base64') : undefined,
  };
}

function readCursor(cursor: string | undefined): number {
  if (cursor === undefined) return 0;
  const match = /^offset:(\d+)$/.exec(Buffer.from(cursor, 'base64').toString());
  if (!match) throw new SlackRefusal('invalid_cursor');
  return Number(match[1]);
}

const historyScopes = {
  channel: 'channels:history',
  group: 'groups:history',
  im: 'im:history',
  mpim: 'mpim:history',
} as const;

function requireHistoryScope({ installation }: BotCall, { type }: Channel): void {
  const needed = historyScopes[type];
  if (installation.scopes?.includes(needed) === false)
    throw new SlackRefusal('missing_scope', { needed, provided: installation.scopes.join(',') });
}
