import type { OpenChannel, ReplyStream, StreamTarget } from '../../gateway.ts';
import { GatewayError } from '../../gateway-error.ts';
import { createPacedWriter } from '../../paced-writer.ts';
import type { Pacer } from '../../pacer.ts';
import { settingsOf } from '../channel.ts';
import { writeMessageId } from '../places.ts';
import type { TeamsTexts } from '../texts.ts';
import type { TeamsApi } from './api.ts';
import { firstText } from './compose-parts.ts';
import type { Conversations, Destination } from './conversations.ts';
import { takeTurn } from './pacing.ts';
import type { TeamsPosts } from './posts.ts';
import type { ShownTexts } from './shown-texts.ts';

export type TeamsStreamParts = {
  api: TeamsApi;
  posts: TeamsPosts;
  conversations: Conversations;
  pacer: Pacer;
  shown: ShownTexts;
  texts: TeamsTexts;
};

const findMs = 5_000;
const callMs = 5_000;
/** A piece's turn is worth so much waiting; streams leave the rest of what Teams takes at once to answers. */
const turnMs = 1_000;
const streamBurst = 4;
/** Teams asks for 1.5 to 2 s between two pieces. */
const intervalMs = 1_600;
/** Teams ends a stream after two minutes; it is ended here before, and the finished answer takes its place. */
const lifetimeMs = 110_000;

const hidden: ReplyStream = { show() {}, async close() {}, leftNothing: () => true };

/**
 * Shows an answer while it is written, in chats with one person, by Teams' own streaming: each piece holds all before it,
 * the last one is the message. What goes wrong takes nothing from the answer: the final text is sent whole. In a rerun
 * nothing is streamed: the message of the first run is edited then.
 *
 * @see https://learn.microsoft.com/microsoftteams/platform/bots/streaming-ux
 */
export async function openTeamsStream(
  parts: TeamsStreamParts,
  channel: OpenChannel,
  target: StreamTarget,
  keepExternalId: (number: number, externalId: string) => Promise<void>,
): Promise<ReplyStream> {
  if (settingsOf(channel).streaming === false || target.externalIds.length > 0) return hidden;
  const place = target.conversationExternalId;
  const to = await parts.conversations.find(channel, place, AbortSignal.timeout(findMs)).catch(ignoreRefusal);
  if (!to) return hidden;
  const stream = createStream(parts, channel, to, keepExternalId);
  let latest: string | undefined;
  const writer = createPacedWriter({ intervalMs: () => intervalMs, write: stream.write });
  return {
    show(text) {
      latest = text;
      writer.show(text);
    },
    async close() {
      await writer.close();
      await stream.close(latest);
    },
    leftNothing: stream.leftNothing,
    takeAway: stream.takeAway,
  };
}

function createStream(
  { api, posts, pacer, shown, texts }: TeamsStreamParts,
  channel: OpenChannel,
  to: Destination,
  keepExternalId: (number: number, externalId: string) => Promise<void>,
) {
  const startedAt = performance.now();
  let streamId: string | undefined;
  let sequence = 0;
  let sent = '';
  /** Nothing more can be added: Teams has ended the stream, or nobody knows what has arrived. */
  let isStuck = false;
  /** A post was asked for, and nobody has said that there is none. */
  let mayBeThere = false;

  const send = (activity: object, signal: AbortSignal) =>
    api.call(channel, to.serviceUrl, 'adding', signal, (connector, call) =>
      connector.create(call, to.conversationId, activity),
    );

  return {
    async write(text: string): Promise<void> {
      const next = extend(sent, firstText(text, texts));
      if (isStuck || next === undefined || performance.now() - startedAt > lifetimeMs) return;
      await takeTurn(pacer, channel, to.conversationId, AbortSignal.timeout(turnMs), streamBurst);
      const piece = pieceOf(next, streamId, sequence + 1);
      const { id } = await send(piece, AbortSignal.timeout(callMs)).catch((error: unknown) => {
        isStuck = error instanceof GatewayError && (error.mayHaveArrived || error.retry === 'never');
        mayBeThere ||= !(error instanceof GatewayError) || error.mayHaveArrived;
        throw error;
      });
      mayBeThere = true;
      sequence += 1;
      sent = next;
      if (streamId !== undefined) return;
      if (!id) {
        isStuck = true;
        return;
      }
      streamId = id;
      // A message that is not recorded would stay for ever: whoever goes on with the answer makes another one.
      await keepExternalId(1, externalIdOf(to, id)).catch(async (error: unknown) => {
        isStuck = true;
        await finish(sent).catch(ignoreRefusal);
        await takeAway();
        throw error;
      });
    },

    async close(text: string | undefined): Promise<void> {
      if (streamId === undefined || isStuck) return;
      await finish(extend(sent, firstText(text ?? '', texts)) ?? sent).catch(ignoreRefusal);
    },

    leftNothing: () => !mayBeThere,
    takeAway,
  };

  async function takeAway(): Promise<void> {
    if (streamId === undefined) return;
    await posts.remove(channel, to, streamId, AbortSignal.timeout(callMs)).catch(ignoreRefusal);
  }

  async function finish(text: string): Promise<void> {
    if (streamId === undefined) return;
    const signal = AbortSignal.timeout(callMs);
    await takeTurn(pacer, channel, to.conversationId, signal);
    await send(finalOf(text, streamId), signal);
    shown.remember(externalIdOf(to, streamId), text);
  }
}

/** Teams refuses a piece that does not begin with what was shown; `undefined`: there is none that does. */
function extend(sent: string, text: string): string | undefined {
  return text.length > sent.length && text.startsWith(sent) ? text : undefined;
}

function externalIdOf({ conversationId }: Destination, id: string): string {
  return writeMessageId({ conversationId, id });
}

// Teams reads what it is about from the entity, and in older clients from `channelData`.
function pieceOf(text: string, streamId: string | undefined, streamSequence: number): object {
  const info = { streamType: 'streaming', streamSequence, ...(streamId !== undefined && { streamId }) };
  return {
    type: 'typing',
    textFormat: 'markdown',
    text,
    channelData: info,
    entities: [{ type: 'streaminfo', ...info }],
  };
}

function finalOf(text: string, streamId: string): object {
  const info = { streamType: 'final', streamId };
  return {
    type: 'message',
    textFormat: 'markdown',
    text,
    channelData: info,
    entities: [{ type: 'streaminfo', ...info }],
  };
}

function ignoreRefusal(error: unknown): undefined {
  if (!(error instanceof GatewayError)) throw error;
}
