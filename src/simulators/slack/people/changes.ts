import type { Delivery } from '../deliver.ts';
import type { Json } from '../json.ts';
import { messageOnWire } from '../message-on-wire.ts';
import type { BotChange, Stage } from '../stage.ts';
import type { Channel, Message } from '../world.ts';
import type { Manner, Teller } from './tell.ts';
import { writtenBlocks } from './written-blocks.ts';

/** What people and bots do with what was said. */
export function createChanges(stage: Stage, teller: Teller) {
  const { world } = stage;

  function find(teamId: string, channelId: string, ts: string): { channel: Channel; message: Message } {
    const channel = world.channel(teamId, channelId);
    const message = channel?.messages.get(ts);
    if (!channel || !message) throw new RangeError(`There is no message ${channelId}/${ts} in ${teamId}.`);
    return { channel, message };
  }

  async function tellAll(channel: Channel, event: Json, manner: Manner): Promise<Delivery[]> {
    const told = [{ event, isShared: channel.isShared }];
    const deliveries = teller.listeners(channel, manner.app).map((actor) => teller.tell(actor, told, manner));
    return (await Promise.all(deliveries)).flat();
  }

  function changeEvent(channel: Channel, subtype: string, fields: Json): Json {
    const ts = stage.timestamp();
    const place = { channel: channel.id, channel_type: channel.type, ts, event_ts: ts };
    return { type: 'message', subtype, hidden: true, ...fields, ...place };
  }

  return {
    async edit(
      teamId: string,
      change: { channel: string; ts: string; text: string } & Manner,
    ): Promise<Delivery[]> {
      const { channel, message } = find(teamId, change.channel, change.ts);
      const before = messageOnWire(stage, message);
      message.text = change.text;
      message.blocks = writtenBlocks(change.text);
      message.editedTs = stage.timestamp();
      message.edits.push(change.text);
      const fields = { message: messageOnWire(stage, message), previous_message: before };
      return tellAll(channel, changeEvent(channel, 'message_changed', fields), change);
    },

    async deleteMessage(
      teamId: string,
      change: { channel: string; ts: string } & Manner,
    ): Promise<Delivery[]> {
      const { channel, message } = find(teamId, change.channel, change.ts);
      const before = messageOnWire(stage, message);
      message.isDeleted = true;
      const fields = { deleted_ts: message.ts, previous_message: before };
      return tellAll(channel, changeEvent(channel, 'message_deleted', fields), change);
    },

    /** `removed`: takes it back. */
    async react(
      teamId: string,
      change: { user: string; channel: string; ts: string; name: string; removed?: boolean } & Manner,
    ): Promise<Delivery[]> {
      const { user, name, removed = false } = change;
      const { channel, message } = find(teamId, change.channel, change.ts);
      world.user(teamId, user);
      const others = message.reactions.filter((one) => one.name !== name);
      const users = (message.reactions.find((one) => one.name === name)?.users ?? []).filter(
        (one) => one !== user,
      );
      if (!removed) users.push(user);
      message.reactions = users.length > 0 ? [...others, { name, users }] : others;
      const event = {
        type: removed ? 'reaction_removed' : 'reaction_added',
        user,
        reaction: name,
        item: { type: 'message', channel: channel.id, ts: message.ts },
        item_user: message.user,
        event_ts: stage.timestamp(),
      };
      return tellAll(channel, event, change);
    },

    /** Tells the apps that a bot has changed or deleted a message of its own. */
    async tellOfBot(change: BotChange, before: Json | undefined): Promise<Delivery[]> {
      const { message, kind } = change;
      const channel = world.channel(message.teamId, message.channelId);
      if (!channel) return [];
      const now = messageOnWire(stage, message);
      const fields =
        kind === 'deleted'
          ? { deleted_ts: message.ts, previous_message: now }
          : { message: now, previous_message: before };
      const subtype = kind === 'deleted' ? 'message_deleted' : 'message_changed';
      return tellAll(channel, changeEvent(channel, subtype, fields), {});
    },
  };
}
