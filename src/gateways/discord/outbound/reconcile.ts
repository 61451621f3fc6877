import { GatewayError } from '../../gateway-error.ts';
import { snowflakeAt, writeMessageId } from '../places.ts';
import type { DiscordApi } from './api.ts';
import type { DiscordPart } from './compose.ts';
import type { Destination } from './destination.ts';

/** Our clock and Discord's may differ by so much. */
const skewMs = 60_000;
const lookedAtMax = 100;
/** What a stream puts behind a text that goes on. */
export const draftMark = ' …';

export type Missing = {
  /** As they will be posted, from `firstNumber` on. */
  parts: readonly DiscordPart[];
  nonces: readonly string[];
  /** The first of them may have been posted as a draft: the beginning of the answer, or of an earlier try at it. */
  mayBeDraft: boolean;
  /** Ids of posts of this message that are recorded. */
  known: readonly string[];
  since: Date;
  /**
   * Whether a post is recorded as another message's. `undefined`: that cannot be told, because others whose records are
   * not ours to read post here too; what is known only by what it says is then nobody's for certain.
   */
  isOthers: ((externalId: string) => Promise<boolean>) | undefined;
};

/**
 * Finds the posts of a message whose sending was interrupted too long ago for its nonce to be known: by the nonce where
 * Discord tells it (a message that is fetched anew mostly has none), by the whole text where no other message has the post,
 * and a draft by its being the beginning of what is to be said. `complete` false: something of ours may stand there all the same, because Discord did
 * not let us look, because there was too much to look at, or because a draft or the same text is left that may be this message's.
 */
export async function findPosts(
  api: DiscordApi,
  { app, channel }: Destination,
  missing: Missing,
  signal: AbortSignal,
): Promise<{ ids: string[]; complete: boolean }> {
  const query = { after: snowflakeAt(missing.since.getTime() - skewMs), limit: String(lookedAtMax) };
  const call = { method: 'GET', route: `/channels/${channel}/messages`, query } as const;
  let messages: FoundMessage[];
  try {
    messages = await api.call<FoundMessage[]>(app, call, signal);
  } catch (error) {
    if (!(error instanceof GatewayError) || error.code === 'gateway_not_now') throw error;
    return { ids: [], complete: false };
  }
  const ours = messages
    .filter(({ author }) => author?.id === app.applicationId)
    .map((message) => ({ ...message, name: writeMessageId({ channel, id: message.id }) }))
    .filter(({ name }) => !missing.known.includes(name))
    .toReversed();
  const orphans = await orphanedDrafts(ours, missing);
  const ids: string[] = [];
  let isSame = false;
  for (const [index, part] of missing.parts.entries()) {
    const left = ours.filter(({ name }) => !ids.includes(name));
    const same = left.filter(({ content }) => content === part.content);
    const found =
      left.find(({ nonce }) => nonce !== undefined && nonce === missing.nonces[index]) ??
      (await firstOfNobody(same, missing)) ??
      (index === 0 && missing.isOthers ? orphans.find((draft) => begins(draft, missing.parts)) : undefined);
    if (!found) {
      isSame = !missing.isOthers && same.length > 0;
      break;
    }
    ids.push(found.name);
  }
  const isAnyLeft = orphans.some(({ name }) => !ids.includes(name));
  return { ids, complete: messages.length < lookedAtMax && !isAnyLeft && !isSame };
}

type FoundMessage = { id: string; content: string; nonce?: string; author?: { id?: string } };
type Ours = FoundMessage & { name: string };

/** The first post that is no other message's for certain: two answers may say the same. */
async function firstOfNobody(posts: readonly Ours[], { isOthers }: Missing): Promise<Ours | undefined> {
  if (!isOthers) return undefined;
  for (const post of posts) if (!(await isOthers(post.name))) return post;
  return undefined;
}

/** Posts of ours that look like something still being written, or like the beginning of this answer, and are no other's. */
async function orphanedDrafts(
  ours: readonly Ours[],
  { parts, mayBeDraft, isOthers }: Missing,
): Promise<Ours[]> {
  if (!mayBeDraft) return [];
  const orphans: Ours[] = [];
  for (const post of ours) {
    const isDraft = post.content.endsWith(draftMark);
    // A long draft fills its post, and its mark would stand in the next one.
    if (!isDraft && !(isOthers && begins(post, parts) && post.content !== parts[0]?.content)) continue;
    if (!(await isOthers?.(post.name))) orphans.push(post);
  }
  return orphans;
}

/** Whether a draft is the beginning of an answer. Signs are left out: a format that is not closed yet is written otherwise. */
function begins({ content }: FoundMessage, parts: readonly DiscordPart[]): boolean {
  const beginning = wordsOf(content);
  return beginning !== '' && wordsOf(parts.map((part) => part.content).join('')).startsWith(beginning);
}

function wordsOf(text: string): string {
  return text.replaceAll(/[^\p{L}\p{N}]/gu, '');
}
