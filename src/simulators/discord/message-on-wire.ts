import type { Json, SimulatedApp, SimulatedMessage, World } from './world.ts';

/**
 * A message as Discord tells of it to one app. Without the privileged intent the app reads the content only of what
 * mentions it, of direct messages and of its own.
 */
export function messageOnWire(world: World, message: SimulatedMessage, app: SimulatedApp, sees = true): Json {
  const channel = world.channel(message.channelId);
  const mentions = [...message.content.matchAll(/<@!?(\d+)>/g)].map(([, id = '']) => id);
  const replied = message.replyTo === undefined ? undefined : channel.messages.get(message.replyTo);
  const mentioned = [...new Set([...mentions, ...(replied && !replied.deleted ? [replied.author] : [])])];
  const roles = [...message.content.matchAll(/<@&(\d+)>/g)].map(([, id = '']) => id);
  const isOpen =
    sees || channel.guildId === undefined || message.appId === app.id || mentioned.includes(app.id);
  return {
    id: message.id,
    type: message.replyTo === undefined ? 0 : 19,
    channel_id: message.channelId,
    ...(channel.guildId !== undefined && { guild_id: channel.guildId, member: { roles: [], nick: null } }),
    author: userOnWire(world, message.author),
    content: isOpen ? message.content : '',
    timestamp: new Date(message.createdAtMs).toISOString(),
    edited_timestamp: message.editedAt,
    mentions: mentioned.map((id) => userOnWire(world, id)),
    mention_roles: roles,
    mention_everyone: false,
    attachments: isOpen ? message.attachments : [],
    embeds: isOpen ? message.embeds : [],
    components: isOpen ? message.components : [],
    pinned: false,
    tts: false,
    flags: message.ephemeral ? 64 : 0,
    ...(message.nonce !== undefined && { nonce: message.nonce }),
    ...(message.replyTo !== undefined && {
      message_reference: { channel_id: message.channelId, message_id: message.replyTo },
      ...(replied && { referenced_message: messageOnWire(world, { ...replied, replyTo: undefined }, app) }),
    }),
  };
}

export function userOnWire({ apps }: World, id: string): Json {
  const isBot = apps.has(id);
  return {
    id,
    username: isBot ? `bot-${id}` : `user-${id}`,
    global_name: isBot ? null : `User ${id}`,
    discriminator: '0',
    ...(isBot && { bot: true }),
  };
}
