import { Refusal } from './refusal.ts';
import type { Conversation, Post, World } from './world.ts';

type Fields = Readonly<Record<string, unknown>>;
type Info = { streamType: unknown; streamId: unknown; streamSequence: unknown };

/** What an activity says of the stream that it belongs to; `undefined`: of none. */
export function streamInfoOf({ entities }: Fields): Info | undefined {
  const list: unknown[] = Array.isArray(entities) ? entities : [];
  const found = list.map((entity) => entity as Fields).find((entity) => entity['type'] === 'streaminfo');
  if (!found) return undefined;
  return {
    streamType: found['streamType'],
    streamId: found['streamId'],
    streamSequence: found['streamSequence'],
  };
}

const lifetimeMs = 2 * 60_000;
const intervalMsMin = 1_000;

type Stream = { post: Post; sequence: number; beganAtMs: number; lastAtMs: number };

export type Streams = ReturnType<typeof createStreams>;

/**
 * Streaming as Teams has it: in chats with one person, each piece with all before it, numbered from 1, not more than one
 * a second, ended by a message without a number.
 *
 * @see https://learn.microsoft.com/microsoftteams/platform/bots/streaming-ux
 */
export function createStreams({ world, now }: { world: World; now: () => number }) {
  const streams = new Map<string, Stream>();

  return {
    take(conversation: Conversation, activity: Fields, info: Info, newPost: () => Post): Post {
      if (conversation.scope !== 'personal') throw notAllowed('only in chats with one person');
      const text = String(activity['text'] ?? '');
      if (info.streamType === 'streaming' && info.streamId === undefined) return begin(text, info, newPost);

      const stream = streams.get(String(info.streamId));
      if (!stream?.post.isStreaming || stream.post.conversationId !== conversation.id)
        throw notAllowed('there is no such stream');
      if (now() - stream.beganAtMs > lifetimeMs) {
        stream.post.isStreaming = false;
        throw notAllowed('it has lasted too long');
      }
      if (!text.startsWith(stream.post.text))
        throw new Refusal(400, 'BadArgument', { 'x-what': 'not cumulative' });
      if (info.streamType === 'final') {
        if (activity['type'] !== 'message' || info.streamSequence !== undefined)
          throw new Refusal(400, 'BadSyntax', {
            'x-what': 'the end of a stream is a message without a number',
          });
        stream.post.isStreaming = false;
      } else {
        if (activity['type'] !== 'typing' || info.streamSequence !== stream.sequence + 1)
          throw new Refusal(400, 'BadSyntax', { 'x-what': 'the number of a piece' });
        if (now() - stream.lastAtMs < intervalMsMin)
          throw new Refusal(429, 'ContentStreamSequenceOrderPreConditionFailed');
        stream.sequence += 1;
        stream.lastAtMs = now();
      }
      stream.post.text = text;
      stream.post.versions.push(text);
      return stream.post;
    },
    /** Ends all of them as time does. */
    expire(): void {
      for (const { post } of streams.values()) post.isStreaming = false;
    },
  };

  function begin(text: string, { streamSequence }: Info, newPost: () => Post): Post {
    if (streamSequence !== 1) throw new Refusal(400, 'BadSyntax', { 'x-what': 'a stream begins with 1' });
    if (text === '') throw new Refusal(400, 'BadSyntax', { 'x-what': 'a stream begins with a text' });
    const post = newPost();
    post.isStreaming = true;
    world.posts.push(post);
    streams.set(post.id, { post, sequence: 1, beganAtMs: now(), lastAtMs: now() });
    return post;
  }
}

function notAllowed(what: string): Refusal {
  return new Refusal(403, 'ContentStreamNotAllowed', { 'x-what': what });
}
