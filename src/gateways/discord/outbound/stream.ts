import type { OpenChannel, ReplyStream, StreamTarget } from '../../gateway.ts';
import { GatewayError, PostTakenOverError } from '../../gateway-error.ts';
import { createPacedWriter } from '../../paced-writer.ts';
import { settingsOf } from '../channel.ts';
import { type DiscordMessageId, readMessageId, writeMessageId } from '../places.ts';
import type { Destination, DestinationFinder } from './destination.ts';
import type { DiscordPosts } from './posts.ts';
import { draftMark } from './reconcile.ts';
import { discordParts } from './render.ts';
import { originOf } from './send.ts';

export type DiscordStreamParts = { posts: DiscordPosts; destinations: DestinationFinder };

const findMs = 5_000;
/** One call may take so long: it is only a preview, and the answer waits for it when it is complete. */
const callMs = 5_000;
/** Five edits in five seconds are taken; a stream leaves some of them to final texts. */
const intervalMs = 1_300;
const streamBurst = 3;
/** More than a post can show; the rest comes with the finished answer. */
const shownLengthMax = 4_000;

/**
 * Shows an answer while it is written: a post that is edited again and again. What goes wrong takes nothing from the
 * answer: the final text is sent whole.
 */
export async function openDiscordStream(
  { posts, destinations }: DiscordStreamParts,
  channel: OpenChannel,
  target: StreamTarget,
  keepExternalId: (number: number, externalId: string) => Promise<void>,
): Promise<ReplyStream> {
  if (settingsOf(channel).streaming === false) return { show() {}, async close() {} };
  const to = await destinations.find(channel, target, AbortSignal.timeout(findMs));
  const [known] = target.externalIds;
  let id = known === undefined ? undefined : readMessageId(known);
  let isStuck = false;
  let shown = '';

  return createPacedWriter({
    intervalMs: () => intervalMs,
    async write(text) {
      const [content = ''] = discordParts(`${text.slice(0, shownLengthMax)}${draftMark}`);
      if (isStuck || content === shown) return;
      const part = { content, embeds: [], components: [] };
      if (id === undefined) {
        const origin = { ...originOf(target), part: 1 };
        id = await posts.post(to, part, origin, AbortSignal.timeout(callMs)).catch((error: unknown) => {
          isStuck = error instanceof GatewayError && error.mayHaveArrived;
          throw error;
        });
        await keep(posts, to, id, keepExternalId);
      } else {
        const options = { signal: AbortSignal.timeout(callMs), burst: streamBurst };
        isStuck = (await posts.edit(to, id, part, options)) === 'gone';
      }
      shown = content;
    },
  });
}

/** A post that is not recorded would stay for ever, unless whoever goes on with the answer has found it. */
async function keep(
  posts: DiscordPosts,
  to: Destination,
  id: DiscordMessageId,
  keepExternalId: (number: number, externalId: string) => Promise<void>,
): Promise<void> {
  await keepExternalId(1, writeMessageId(id)).catch(async (error: unknown) => {
    // What an interaction shows is the same post for whoever goes on.
    const isTheirs = to.ticket !== undefined || error instanceof PostTakenOverError;
    if (!isTheirs) await posts.remove(to, id, AbortSignal.timeout(callMs)).catch(() => {});
    throw error;
  });
}
