import type { Uuid } from '#domain/ids.ts';
import { deltaLengthMax, type LiveUpdates } from '#events/live.ts';
import type { Gateway, OpenChannel, ReplyStream, StreamTarget } from '#gateways/gateway.ts';
import { PostTakenOverError } from '#gateways/gateway-error.ts';
import { LeaseLostError } from './hold-lease.ts';
import type { OpenTurn, TurnJournal } from './turn-journal.ts';

export type ReplyStreamParts = {
  live: LiveUpdates;
  journal: TurnJournal;
  gateway: Gateway;
  openChannel: (
    tenantId: OpenTurn['tenantId'],
    channelId: OpenTurn['channel']['id'],
  ) => Promise<OpenChannel | undefined>;
};

/** Pieces are sent together at this pace: smooth to the eye, few enough for every transport. */
const flushIntervalMs = 40;

/** Shows an answer while it is being written: to open pages, and on the platform where it can. */
export function openReplyStream(parts: ReplyStreamParts, turn: OpenTurn) {
  const { live } = parts;
  let text = '';
  let shownLength = 0;
  let timer: NodeJS.Timeout | undefined;
  let postTimer: NodeJS.Timeout | undefined;
  let post: Promise<ReplyStream | undefined> | undefined;
  let deliveryId: Uuid | undefined;

  const sendDeltas = (from: number) => {
    for (let offset = from; offset < text.length; offset += deltaLengthMax) {
      const piece = text.slice(offset, offset + deltaLengthMax);
      live.publish(turn, { kind: 'delta', turnId: turn.turnId, attempt: turn.attempt, offset, text: piece });
    }
  };

  // A post that cannot be opened or updated takes nothing from the answer: the delivery sends it whole.
  const showPost = () => void post?.then((stream) => stream?.show(text)).catch(() => {});

  const flush = () => {
    timer = undefined;
    sendDeltas(shownLength);
    shownLength = text.length;
    showPost();
  };

  const beginPost = () => {
    post = openPost(parts, turn, (id) => {
      deliveryId = id;
    });
    post.catch(() => {}); // close() looks at it
    showPost();
  };

  return {
    get text() {
      return text;
    },
    append(delta: string): void {
      text += delta;
      postTimer ??= setTimeout(beginPost, parts.gateway.capabilities.streamAfterMs ?? 0);
      timer ??= setTimeout(flush, flushIntervalMs);
    },
    /** Sends the text so far again, for a reader who has just come. */
    resend(): void {
      sendDeltas(0);
    },
    async close(): Promise<void> {
      // What is ready so soon is sent at once and whole.
      clearTimeout(postTimer);
      if (timer) {
        clearTimeout(timer);
        flush();
      }
      const stream = await post?.catch((error: unknown) => {
        if (error instanceof LeaseLostError) throw error;
        return undefined;
      });
      await stream?.close();
    },
    /**
     * The lease is lost: whoever has it now may have finished the answer before a call of ours showed less of it. To be
     * called once it is closed.
     */
    async giveUp(): Promise<void> {
      if (deliveryId === undefined) return;
      await post?.then((stream) => stream?.takeAway?.()).catch(() => {});
      await parts.journal.editAgain(turn, deliveryId);
    },
  };
}

// The draft and its delivery are committed before the platform hears anything, and each id of a post before the
// platform hears more: a rerun finds the post and edits it.
async function openPost(
  { journal, gateway, openChannel }: ReplyStreamParts,
  turn: OpenTurn,
  onBegin: (deliveryId: Uuid) => void,
): Promise<ReplyStream | undefined> {
  if (gateway.capabilities.streaming !== 'post' || !gateway.openStream) return undefined;
  if (gateway.mayStream?.(turn) === false) return undefined;
  const channel = await openChannel(turn.tenantId, turn.channel.id);
  if (channel?.status !== 'active') return undefined;
  // A post that begins now would stand before the answer to an earlier message for ever.
  if (await journal.hasUnsent(turn)) return undefined;
  const stream = await journal.openStream(turn);
  if (!stream) throw new LeaseLostError();
  // There may be a post whose id was lost. The delivery looks for it; another one would stay beside it.
  if (stream.begun && stream.externalIds.length === 0) return undefined;
  onBegin(stream.deliveryId);
  const target = describeTarget(turn, stream.externalIds);
  let made: string | undefined;
  const post = await gateway.openStream(channel, target, async (number, externalId) => {
    made = externalId;
    if (await journal.keepStreamPart(turn, stream.deliveryId, number, externalId)) return;
    // A process that was frozen here: whoever has the turn now may have found the post, and written the answer into it.
    const isTakenOver = await journal.hasPart(turn, stream.deliveryId, externalId);
    throw isTakenOver ? new PostTakenOverError() : new LeaseLostError();
  });
  return {
    show: post.show,
    async close() {
      await post.close();
      // What an attempt before this one has left, this one cannot know.
      if (stream.begun || !post.leftNothing?.()) return;
      if (!(await journal.clearStreamDoubt(turn, stream.deliveryId))) throw new LeaseLostError();
    },
    async takeAway() {
      if (made === undefined || !post.takeAway) return;
      if (!(await journal.hasPart(turn, stream.deliveryId, made))) await post.takeAway();
    },
  };
}

export function describeTarget(turn: OpenTurn, externalIds: readonly string[]): StreamTarget {
  return {
    turnId: turn.turnId,
    attempt: turn.attempt,
    conversationId: turn.conversationId,
    conversationExternalId: turn.conversationExternalId,
    participantExternalId: turn.participant.externalId,
    externalIds,
  };
}
