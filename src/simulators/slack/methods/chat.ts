import { readContent, readMetadata } from '../content/read-content.ts';
import type { Json } from '../json.ts';
import { messageOnWire } from '../message-on-wire.ts';
import { SlackRefusal } from '../refusal.ts';
import { visibleText } from '../visible-text.ts';
import { type Channel, isMember, type Message } from '../world.ts';
import { clearStatus } from './assistant.ts';
import { findChannel, findMessage, findOwnChannel, findThread } from './lookup.ts';
import type { BotCall, Method } from './method.ts';

/** Posting, changing and deleting (https://docs.slack.dev/reference/methods?query=chat). */
export const chatMethods: Readonly<Record<string, Method>> = {
  'chat.postMessage': {
    token: 'bot',
    tier: 4,
    scope: 'chat:write',
    limit: ({ stage, app, args, installation }) =>
      stage.limits.post(
        app.appId,
        installation.teamId ?? installation.enterpriseId ?? '',
        args.text('channel') ?? '',
      ),
    run: post,
  },
  'chat.postEphemeral': { token: 'bot', tier: 4, scope: 'chat:write', run: postEphemeral },
  'chat.update': { token: 'bot', tier: 3, scope: 'chat:write', run: update },
  'chat.delete': { token: 'bot', tier: 3, scope: 'chat:write', run: remove },
};

function post(call: BotCall): Json {
  const { stage, args, app, installation } = call;
  const channel = placeOfPost(call, args.required('channel'));
  const content = readContent(args);
  const metadata = readMetadata(args);
  const thread = args.text('thread_ts');
  const threadTs = thread === undefined ? undefined : findThread(call, channel, thread);
  const message = stage.world.addMessage(channel, {
    ...content,
    ts: stage.timestamp(),
    threadTs,
    user: installation.botUserId,
    botId: installation.botId,
    appId: app.appId,
    metadata: metadata && Object.keys(metadata).length > 0 ? metadata : undefined,
    subtype: threadTs !== undefined && args.isTrue('reply_broadcast') ? 'thread_broadcast' : undefined,
  });
  clearStatus(stage.judge, message);
  stage.announce({ kind: 'posted', message });
  return { channel: channel.id, ts: message.ts, message: messageOnWire(stage, message) };
}

/** A user's id stands for the direct messages with them. */
function placeOfPost(call: BotCall, id: string): Channel {
  if (!/^[UW]/.test(id)) return findOwnChannel(call, id);
  const { stage, installation } = call;
  const teamId = stage.installations
    .teamsOf(installation)
    .find((team) => stage.world.workspace(team).users.has(id));
  if (teamId !== undefined) return stage.world.directChannel(teamId, id, installation.botUserId);
  const owners = stage.world.teamsWhere(({ users }) => users.has(id));
  if (owners.length > 0) call.violation(`names the user ${id} of ${owners.join(', ')}`);
  throw new SlackRefusal('channel_not_found');
}

function postEphemeral(call: BotCall): Json {
  const { stage, args } = call;
  const channel = findOwnChannel(call, args.required('channel'));
  const user = args.required('user');
  const known = stage.world.workspace(channel.teamId).users.has(user);
  if (!known || !isMember(channel, user)) throw new SlackRefusal('user_not_in_channel');
  const { text, blocks, markdown } = readContent(args);
  const thread = args.text('thread_ts');
  const ts = stage.timestamp();
  stage.judge.ephemerals.push({
    teamId: channel.teamId,
    channel: channel.id,
    user,
    ts,
    threadTs: thread === undefined ? undefined : findThread(call, channel, thread),
    text: markdown ?? text,
    blocks,
  });
  return { message_ts: ts };
}

function update(call: BotCall): Json {
  const { stage, args } = call;
  const channel = findOwnChannel(call, args.required('channel'));
  const message = findMessage(call, channel, args.required('ts'));
  if (message.botId !== call.installation.botId) throw new SlackRefusal('cant_update_message');
  if (isStreaming(call, message)) throw new SlackRefusal('streaming_state_conflict');
  const content = readContent(args);
  const metadata = readMetadata(args);
  if (replacesRichText(message.blocks, content.blocks)) throw new SlackRefusal('block_mismatch');

  const before = structuredClone(message);
  // Blocks that are not given are taken away with the text that is given instead.
  Object.assign(message, content);
  if (metadata !== undefined) message.metadata = Object.keys(metadata).length > 0 ? metadata : undefined;
  message.editedTs = stage.timestamp();
  message.edits.push(visibleText(message));
  stage.announce({ kind: 'changed', message, before });
  return { channel: channel.id, ts: message.ts, text: message.text, message: messageOnWire(stage, message) };
}

/** Closes a stream first that Slack has closed by now. */
export function isStreaming({ stage }: BotCall, { stream }: Message): boolean {
  if (stream?.isOpen && stage.now() - stream.startedAtMs >= stage.streamLifetimeMs) stream.isOpen = false;
  return stream?.isOpen === true;
}

function replacesRichText(before: Json[] | undefined, after: Json[] | undefined): boolean {
  const isRich = ({ type }: Json) => type === 'rich_text';
  return before?.some(isRich) === true && after !== undefined && !after.some(isRich);
}

function remove(call: BotCall): Json {
  const { stage, args } = call;
  const channel = findChannel(call, args.required('channel'));
  const message = findMessage(call, channel, args.required('ts'));
  if (message.botId !== call.installation.botId) throw new SlackRefusal('cant_delete_message');
  message.isDeleted = true;
  stage.announce({ kind: 'deleted', message });
  return { channel: channel.id, ts: message.ts };
}
