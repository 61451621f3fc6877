import { randomUUID } from 'node:crypto';
import type { Delivery } from '../deliver.ts';
import type { Json } from '../json.ts';
import { messageOnWire } from '../message-on-wire.ts';
import type { Stage } from '../stage.ts';
import { keepFile } from '../stored-file.ts';
import type { Channel, Message } from '../world.ts';
import type { Manner, Teller, Told } from './tell.ts';
import { writtenBlocks } from './written-blocks.ts';

/** What people say. */

export type Saying = {
  user: string;
  /** Absent: the direct messages with the app. A channel that is not there is made. */
  channel?: string;
  /** In Slack's notation: `<@U…>` mentions, and `<`, `>` and `&` are escaped. */
  text: string;
  threadTs?: string;
  /** A reply that the channel sees as well. */
  broadcast?: boolean;
  files?: readonly SaidFile[];
  /** The time stamp that Slack gives it; the next one when absent. */
  ts?: string;
  /** Said by another bot, by its id, and not by a person. */
  botId?: string;
  /** The workspace that the person is from, in a channel shared by several organizations (Slack Connect). */
  fromTeamId?: string;
} & Manner;

export type SaidFile = {
  name: string;
  contentType: string;
  content: Buffer | string;
  /** The event holds no more than the file's id (Slack Connect): the app has to ask for the rest. */
  isBare?: boolean;
};

export type Said = { ts: string; channel: string; deliveries: Delivery[] };

export function createConversations(stage: Stage, teller: Teller) {
  const { world } = stage;

  function placeOf(teamId: string, { user, channel, app, fromTeamId }: Saying): Channel {
    if (channel === undefined) {
      world.user(teamId, user, fromTeamId === undefined ? {} : { fromTeamId });
      return world.directChannel(teamId, user, teller.actor(teamId, app).installation.botUserId);
    }
    const known = world.channel(teamId, channel);
    if (known) return known;
    const isDirect = channel.startsWith('D');
    const members = isDirect ? [user, teller.actor(teamId, app).installation.botUserId] : undefined;
    return world.addChannel(teamId, {
      id: channel,
      ...(members && { members }),
      isShared: fromTeamId !== undefined,
    });
  }

  function write(teamId: string, saying: Saying): { channel: Channel; message: Message; bare: Set<string> } {
    const { user, text, threadTs, ts = stage.timestamp(), botId, fromTeamId, files = [] } = saying;
    if (fromTeamId !== undefined) world.workspace(fromTeamId);
    const channel = placeOf(teamId, saying);
    if (botId === undefined) world.user(teamId, user, fromTeamId === undefined ? {} : { fromTeamId });
    const bare = new Set<string>();
    const fileIds = files.map(({ name, contentType, content, isBare }) => {
      const bytes = Buffer.from(content);
      const { id } = keepFile(stage, { teamId, name, contentType, bytes, sizeBytes: bytes.length, user });
      if (isBare) bare.add(id);
      return id;
    });
    const message = world.addMessage(channel, {
      ts,
      text,
      threadTs,
      user: botId === undefined ? user : undefined,
      botId,
      subtype: subtypeOf(saying),
      blocks: botId === undefined ? writtenBlocks(text) : undefined,
      clientMessageId: botId === undefined ? randomUUID() : undefined,
      fileIds,
    });
    return { channel, message, bare };
  }

  /** Everything that each app hears of a message: the message, and its twin where it mentions the bot. */
  async function tellOfMessage(
    channel: Channel,
    message: Message,
    bare: ReadonlySet<string>,
    saying: Manner & { fromTeamId?: string },
  ): Promise<Delivery[]> {
    const event = withBareFiles(messageOnWire(stage, message), bare);
    const deliveries = teller.listeners(channel, saying.app).map((actor) => {
      const { botUserId } = actor.installation;
      const around = {
        ...(saying.fromTeamId !== undefined && { fromTeamId: saying.fromTeamId }),
        isShared: channel.isShared,
      };
      const place = {
        channel: channel.id,
        event_ts: message.ts,
        ...(saying.fromTeamId !== undefined && {
          user_team: saying.fromTeamId,
          source_team: saying.fromTeamId,
        }),
      };
      const told: Told[] = [{ ...around, event: { ...event, ...place, channel_type: channel.type } }];
      const isMention = channel.type !== 'im' && message.text.includes(`<@${botUserId}`);
      const { subtype: _subtype, ...mention } = event;
      if (isMention) told.push({ ...around, event: { ...mention, ...place, type: 'app_mention' } });
      return teller.tell(actor, told, saying);
    });
    return (await Promise.all(deliveries)).flat();
  }

  async function say(teamId: string, saying: Saying): Promise<Said> {
    const { channel, message, bare } = write(teamId, saying);
    const deliveries = await tellOfMessage(channel, message, bare, saying);
    return { ts: message.ts, channel: channel.id, deliveries };
  }

  return {
    tellOfMessage,
    say,

    /** Several messages, written in this order; `reorder` tells of the last one first, each after the one before. */
    async sayAll(
      teamId: string,
      sayings: readonly Saying[],
      manner: { reorder?: boolean } = {},
    ): Promise<Said[]> {
      const written = sayings.map((saying) => ({ saying, ...write(teamId, saying) }));
      const tellOne = async ({
        saying,
        channel,
        message,
        bare,
      }: (typeof written)[number]): Promise<Said> => ({
        ts: message.ts,
        channel: channel.id,
        deliveries: await tellOfMessage(channel, message, bare, saying),
      });
      if (!manner.reorder) return Promise.all(written.map(tellOne));
      const said: Said[] = [];
      for (const one of written.toReversed()) said.unshift(await tellOne(one));
      return said;
    },
  };
}

function subtypeOf({ botId, files = [], broadcast }: Saying): string | undefined {
  if (botId !== undefined) return 'bot_message';
  if (files.length > 0) return 'file_share';
  return broadcast ? 'thread_broadcast' : undefined;
}

function withBareFiles(event: Json, bare: ReadonlySet<string>): Json {
  const files = event['files'];
  if (!Array.isArray(files) || bare.size === 0) return event;
  return {
    ...event,
    files: files.map((file: Json) =>
      bare.has(String(file['id']))
        ? { id: file['id'], created: file['created'], file_access: 'check_file_info' }
        : file,
    ),
  };
}
