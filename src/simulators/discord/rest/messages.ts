import { messageOnWire } from '../message-on-wire.ts';
import { DiscordRefusal, invalidForm, missingAccess, missingPermissions, unknown } from '../refusal.ts';
import type { SimulatedApp, SimulatedChannel, SimulatedMessage } from '../world.ts';
import { type Call, type Route, textOf } from './call.ts';
import { readContent } from './content.ts';

/** How long a nonce is remembered: "the past few minutes". */
const nonceMs = 5 * 60_000;

export function appOf({ app }: Call): SimulatedApp {
  if (!app) throw new TypeError('A call without its app.');
  return app;
}

/** The channel that a call names, if its bot may see it. */
export function channelOf(call: Call): SimulatedChannel {
  const { stage, parameters } = call;
  const app = appOf(call);
  const channel = stage.world.channels.get(parameters[0] ?? '');
  if (!channel) throw unknown('Channel');
  if (stage.world.sees(app.id, channel)) return channel;
  stage.judge.violations.push(
    `the token of ${app.id} was used for channel ${channel.id}, which it does not see`,
  );
  throw missingAccess();
}

/** The same, where the bot may also write. */
function writableChannelOf(call: Call): SimulatedChannel {
  const channel = channelOf(call);
  if (!call.stage.world.mayWrite(appOf(call).id, channel)) throw missingPermissions();
  return channel;
}

function messageOf(channel: SimulatedChannel, id: string | undefined): SimulatedMessage {
  const message = channel.messages.get(id ?? '');
  if (!message || message.deleted) throw unknown('Message');
  return message;
}

function ownMessageOf(call: Call): SimulatedMessage {
  const message = messageOf(channelOf(call), call.parameters[1]);
  if (message.appId !== appOf(call).id)
    throw new DiscordRefusal(403, 50_005, 'Cannot edit a message authored by another user');
  return message;
}

export function editMessage(call: Call, message: SimulatedMessage): void {
  const content = readContent(call, false);
  const { body, stage } = call;
  if (body['content'] !== undefined)
    Object.assign(message, { content: content.content, calls: content.calls });
  if (body['components'] !== undefined) message.components = content.components;
  if (body['embeds'] !== undefined) message.embeds = content.embeds;
  if (content.attachments.length > 0) message.attachments.push(...content.attachments);
  message.loading = false;
  message.edits += 1;
  message.editedAt = new Date(stage.now()).toISOString();
  stage.sockets.tellMessage('MESSAGE_UPDATE', message);
}

export const messageRoutes: readonly Route[] = [
  {
    method: 'POST',
    path: /^\/channels\/(\d+)\/messages$/,
    auth: 'bot',
    answer(call) {
      const { stage, body } = call;
      const app = appOf(call);
      const channel = writableChannelOf(call);
      if (channel.type === 15)
        throw new DiscordRefusal(400, 50_008, 'Cannot send messages in a non-text channel');
      const content = readContent(call, true);
      if (content.nonce === undefined || body['enforce_nonce'] !== true)
        stage.judge.violations.push(`a post of ${app.id} without nonce and enforce_nonce`);
      const known = [...channel.messages.values()].find(
        (one) =>
          one.appId === app.id && one.nonce === content.nonce && stage.now() - one.createdAtMs < nonceMs,
      );
      if (known && content.nonce !== undefined)
        return { status: 200, body: messageOnWire(stage.world, known, app) };
      const replyTo = textOf((body['message_reference'] as { message_id?: unknown } | undefined)?.message_id);
      const message = stage.world.addMessage(channel, {
        ...content,
        author: app.id,
        appId: app.id,
        replyTo: replyTo || undefined,
      });
      stage.sockets.tellMessage('MESSAGE_CREATE', message);
      return { status: 200, body: messageOnWire(stage.world, message, app) };
    },
  },
  {
    method: 'GET',
    path: /^\/channels\/(\d+)\/messages$/,
    auth: 'bot',
    answer(call) {
      const { stage, query } = call;
      const app = appOf(call);
      const limit = Number(query.get('limit') ?? 50);
      if (limit < 1 || limit > 100) throw invalidForm('limit');
      const [after, before] = [query.get('after'), query.get('before')];
      const channel = channelOf(call);
      // Without the permission the answer is empty, and no refusal.
      const mayRead = !channel.withoutHistory.has(app.id);
      const found = [...channel.messages.values()].filter(
        ({ id, deleted, ephemeral }) =>
          mayRead &&
          !deleted &&
          !ephemeral &&
          (after === null || BigInt(id) > BigInt(after)) &&
          (before === null || BigInt(id) < BigInt(before)),
      );
      // With `after` the oldest of them, else the newest; newest first either way.
      const chosen = after === null ? found.slice(-limit) : found.slice(0, limit);
      // The nonce stands in the answer to a post and in its event; what is fetched later has none.
      const body = chosen
        .toReversed()
        .map((one) => messageOnWire(stage.world, { ...one, nonce: undefined }, app, app.messageContent));
      return { status: 200, body };
    },
  },
  {
    method: 'PATCH',
    path: /^\/channels\/(\d+)\/messages\/(\d+)$/,
    auth: 'bot',
    answer(call) {
      const message = ownMessageOf(call);
      editMessage(call, message);
      return { status: 200, body: messageOnWire(call.stage.world, message, appOf(call)) };
    },
  },
  {
    method: 'DELETE',
    path: /^\/channels\/(\d+)\/messages\/(\d+)$/,
    auth: 'bot',
    answer(call) {
      const message = ownMessageOf(call);
      message.deleted = true;
      call.stage.sockets.tellDeletion(message);
      return { status: 204 };
    },
  },
  {
    method: 'POST',
    path: /^\/channels\/(\d+)\/typing$/,
    auth: 'bot',
    answer(call) {
      writableChannelOf(call);
      return { status: 204 };
    },
  },
  {
    method: 'POST',
    path: /^\/channels\/(\d+)\/messages\/(\d+)\/threads$/,
    auth: 'bot',
    answer(call) {
      const { stage, body } = call;
      const channel = writableChannelOf(call);
      const message = messageOf(channel, call.parameters[1]);
      const name = textOf(body['name']);
      if (name === '' || name.length > 100) throw invalidForm('name: Must be between 1 and 100 in length.');
      if (channel.type !== 0)
        throw new DiscordRefusal(400, 50_024, 'Cannot execute action on this channel type');
      if (stage.world.channels.has(message.id))
        throw new DiscordRefusal(400, 160_004, 'A thread has already been created for this message');
      const thread = stage.world.addChannel({
        ...{ id: message.id, type: 11, name, guildId: channel.guildId, parentId: channel.id },
      });
      stage.sockets.tellThread(thread, appOf(call).id);
      return {
        status: 201,
        body: { id: thread.id, type: 11, name, guild_id: thread.guildId, parent_id: channel.id },
      };
    },
  },
];
