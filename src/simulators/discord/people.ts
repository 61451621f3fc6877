import { messageOnWire } from './message-on-wire.ts';
import type { Stage } from './stage.ts';
import type { Json, SimulatedMessage } from './world.ts';

export type Said = { id: string; channelId: string };

export type SayOptions = {
  user: string;
  text: string;
  /** The message that it replies to. */
  replyTo?: string;
  files?: readonly { name: string; contentType: string; bytes: Buffer }[];
};

/** What people do. Each is told to the apps at once, and resolves when those have answered where Discord waits. */
export function createPeople(stage: Stage) {
  const { world, sockets, interactions } = stage;

  function write(
    channelId: string,
    { user, text, replyTo, files = [] }: SayOptions,
    id?: string,
  ): SimulatedMessage {
    const attachments = files.map(({ name, contentType, bytes }) => {
      const fileId = world.snowflake();
      stage.files.set(fileId, { bytes, contentType });
      return {
        ...{ id: fileId, filename: name, content_type: contentType, size: bytes.length },
        url: `${stage.url()}/attachments/${fileId}/${encodeURIComponent(name)}`,
      };
    });
    return world.addMessage(world.channel(channelId), {
      ...{ author: user, content: text, replyTo, attachments, ...(id !== undefined && { id }) },
    });
  }

  const say = (channelId: string, options: SayOptions): Said => {
    const message = write(channelId, options);
    sockets.tellMessage('MESSAGE_CREATE', message);
    return { id: message.id, channelId };
  };

  return {
    say,
    /** In the direct messages with the bot of an app. */
    tellBot: (appId: string, options: SayOptions): Said =>
      say(world.directChannel(appId, options.user).id, options),
    /** A post of a forum: a thread, and its first message of the same id. */
    post(forumId: string, options: SayOptions & { title?: string }): Said {
      const forum = world.channel(forumId);
      const id = world.snowflake();
      const thread = world.addChannel({
        ...{ id, type: 11, name: options.title ?? 'A post', guildId: forum.guildId, parentId: forum.id },
      });
      sockets.tellThread(thread, options.user);
      const message = write(thread.id, options, id);
      sockets.tellMessage('MESSAGE_CREATE', message);
      return { id, channelId: thread.id };
    },
    /** Discord tells of a message once more. */
    repeat({ id, channelId }: Said): void {
      const message = world.channel(channelId).messages.get(id);
      if (message) sockets.tellMessage('MESSAGE_CREATE', message);
    },
    edit({ id, channelId }: Said, text: string): void {
      const message = world.channel(channelId).messages.get(id);
      if (!message) throw new TypeError(`There is no message ${id}.`);
      Object.assign(message, { content: text, editedAt: new Date(stage.now()).toISOString() });
      sockets.tellMessage('MESSAGE_UPDATE', message);
    },
    remove({ id, channelId }: Said): void {
      const message = world.channel(channelId).messages.get(id);
      if (!message) throw new TypeError(`There is no message ${id}.`);
      message.deleted = true;
      sockets.tellDeletion(message);
    },
    react({ id, channelId }: Said, user: string, name: string, added = true): void {
      const message = world.channel(channelId).messages.get(id);
      if (message) sockets.tellReaction(name, user, message, added);
    },

    /** A slash command; `options` are its texts by name. */
    command: (
      appId: string,
      channelId: string,
      user: string,
      name: string,
      options: Record<string, string> = {},
    ) =>
      interactions.tell(appId, channelId, user, {
        type: 2,
        data: {
          ...{ id: world.snowflake(), name, type: 1 },
          options: Object.entries(options).map(([of, value]) => ({ name: of, type: 3, value })),
        },
      }),
    /** A command of a message's menu. */
    messageCommand(appId: string, { id, channelId }: Said, user: string, name: string) {
      const message = world.channel(channelId).messages.get(id);
      const resolved = message ? messageOnWire(world, message, world.app(appId)) : {};
      const data = {
        id: world.snowflake(),
        name,
        type: 3,
        target_id: id,
        resolved: { messages: { [id]: resolved } },
      };
      return interactions.tell(appId, channelId, user, { type: 2, data });
    },
    autocomplete: (appId: string, channelId: string, user: string, name: string, typed: string) =>
      interactions.tell(appId, channelId, user, {
        type: 4,
        data: { name, type: 1, options: [{ name: 'question', type: 3, value: typed, focused: true }] },
      }),
    /** Presses a button, or chooses `values` in a menu. */
    press(
      appId: string,
      { id, channelId }: Said,
      user: string,
      customId: string,
      values?: readonly string[],
    ) {
      const message = world.channel(channelId).messages.get(id);
      if (!message) throw new TypeError(`There is no message ${id}.`);
      return interactions.tell(appId, channelId, user, {
        type: 3,
        data: { custom_id: customId, component_type: values ? 3 : 2, ...(values && { values }) },
        sourceId: id,
        message: messageOnWire(world, message, world.app(appId)),
      });
    },
    submit: (
      appId: string,
      channelId: string,
      user: string,
      customId: string,
      fields: Record<string, string>,
    ) =>
      interactions.tell(appId, channelId, user, {
        type: 5,
        data: {
          custom_id: customId,
          components: Object.entries(fields).map(([name, value]) => ({
            ...{ type: 1, components: [{ type: 4, custom_id: name, value }] },
          })),
        } as Json,
      }),
    ping: (appId: string) => {
      const { interactionsUrl = '' } = world.app(appId);
      return interactions.post(
        appId,
        interactionsUrl,
        JSON.stringify({ type: 1, application_id: appId, id: '1' }),
      );
    },
  };
}
