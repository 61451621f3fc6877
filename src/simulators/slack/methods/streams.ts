import { checkMessageBlocks } from '../content/check-blocks.ts';
import { markdownLengthMax, readMetadata } from '../content/read-content.ts';
import { isJson, type Json, textOf } from '../json.ts';
import { messageOnWire } from '../message-on-wire.ts';
import { refuseArgument, SlackRefusal } from '../refusal.ts';
import { visibleText } from '../visible-text.ts';
import type { Channel, Message } from '../world.ts';
import { clearStatus } from './assistant.ts';
import { isStreaming } from './chat.ts';
import { findMessage, findOwnChannel, findThread } from './lookup.ts';
import type { BotCall, Method } from './method.ts';

/** A message that is written while it is read (https://docs.slack.dev/reference/methods/chat.startStream). */
export const streamMethods: Readonly<Record<string, Method>> = {
  'chat.startStream': { token: 'bot', tier: 2, scope: 'chat:write', run: start },
  'chat.appendStream': { token: 'bot', tier: 4, scope: 'chat:write', run: append },
  'chat.stopStream': { token: 'bot', tier: 2, scope: 'chat:write', run: stop },
};

function start(call: BotCall): Json {
  const { stage, args, app, installation } = call;
  const channel = findOwnChannel(call, args.required('channel'));
  const threadTs = findThread(call, channel, args.required('thread_ts'));
  if (channel.type !== 'im') checkRecipient(call, channel);
  const { markdown, blocks } = readPiece(call);
  const message = stage.world.addMessage(channel, {
    ts: stage.timestamp(),
    text: markdown,
    markdown,
    blocks,
    threadTs,
    user: installation.botUserId,
    botId: installation.botId,
    appId: app.appId,
    stream: { startedAtMs: stage.now(), isOpen: true },
  });
  clearStatus(stage.judge, message);
  stage.announce({ kind: 'posted', message });
  return { channel: channel.id, ts: message.ts };
}

/** Many people are there, so it has to be said who is answered. */
function checkRecipient({ stage, args }: BotCall, channel: Channel): void {
  const team = args.text('recipient_team_id');
  const user = args.text('recipient_user_id');
  if (team === undefined) throw new SlackRefusal('missing_recipient_team_id');
  if (user === undefined) throw new SlackRefusal('missing_recipient_user_id');
  if (!stage.world.workspaces.has(team)) throw new SlackRefusal('team_not_found');
  if (stage.world.workspace(channel.teamId).users.get(user)?.teamId !== team)
    throw new SlackRefusal('user_not_found');
}

function append(call: BotCall): Json {
  const message = openStream(call);
  const { markdown, blocks } = readPiece(call);
  if (markdown === '' && !blocks && !hasChunks(call)) throw new SlackRefusal('no_text');
  grow(message, markdown, blocks);
  return { channel: message.channelId, ts: message.ts };
}

function stop(call: BotCall): Json {
  const { stage, args } = call;
  const message = openStream(call);
  const before = structuredClone(message);
  const { markdown, blocks } = readPiece(call);
  const metadata = readMetadata(args);
  const last = args.list('blocks', 'invalid_blocks');
  if (last) checkMessageBlocks(last, 'msg_blocks_too_many');
  if (markdown !== '' || blocks || last) grow(message, markdown, [...(blocks ?? []), ...(last ?? [])]);
  if (metadata && Object.keys(metadata).length > 0) message.metadata = metadata;
  if (message.stream) message.stream.isOpen = false;
  stage.announce({ kind: 'changed', message, before });
  return { channel: message.channelId, ts: message.ts, message: messageOnWire(stage, message) };
}

function openStream(call: BotCall): Message {
  const { args } = call;
  const channel = findOwnChannel(call, args.required('channel'));
  const message = findMessage(call, channel, args.required('ts'));
  if (message.botId !== call.installation.botId) throw new SlackRefusal('message_not_owned_by_app');
  if (!isStreaming(call, message)) throw new SlackRefusal('message_not_in_streaming_state');
  return message;
}

function grow(message: Message, markdown: string, blocks: Json[] | undefined): void {
  message.markdown = (message.markdown ?? '') + markdown;
  message.text = message.markdown;
  if (blocks && blocks.length > 0) message.blocks = [...(message.blocks ?? []), ...blocks];
  message.edits.push(visibleText(message));
}

type Piece = { markdown: string; blocks: Json[] | undefined };

function readPiece(call: BotCall): Piece {
  const { args } = call;
  const chunks = args.list('chunks', 'invalid_chunks') ?? [];
  const parts = [args.text('markdown_text') ?? ''];
  const blocks: Json[] = [];
  for (const chunk of chunks) {
    if (chunk['type'] === 'markdown_text') parts.push(requireChunkText(chunk['text']));
    else if (chunk['type'] === 'blocks') blocks.push(...readBlocks(chunk['blocks']));
    else if (chunk['type'] === 'plan_update') requireChunkText(chunk['title']);
    else if (chunk['type'] === 'task_update') checkTask(chunk);
    else throw refuseArgument('invalid_chunks', `unsupported type: ${textOf(chunk['type'])}`);
  }
  const markdown = parts.join('');
  if (markdown.length > markdownLengthMax) throw new SlackRefusal('msg_too_long');
  return { markdown, blocks: blocks.length > 0 ? blocks : undefined };
}

function hasChunks({ args }: BotCall): boolean {
  return (args.list('chunks') ?? []).length > 0;
}

function readBlocks(value: unknown): Json[] {
  if (!Array.isArray(value) || !value.every(isJson))
    throw refuseArgument('invalid_chunks', 'blocks must be a list');
  checkMessageBlocks(value, 'msg_blocks_too_many');
  return value;
}

function checkTask(chunk: Json): void {
  requireChunkText(chunk['id']);
  requireChunkText(chunk['title']);
  if (!['pending', 'in_progress', 'complete', 'error'].includes(textOf(chunk['status'])))
    throw refuseArgument('invalid_chunks', 'unknown status of a task');
}

function requireChunkText(value: unknown): string {
  if (typeof value !== 'string' || value === '') throw refuseArgument('invalid_chunks', 'text is missing');
  return value;
}
