import type { ChatMessage } from '@swarmgate/contract/web-chat.ts';

/**
 * Puts messages into a transcript in the order of their sequence. They may come twice and in any order: from a page of
 * history, from the stream, as the answer to a send. The later version of a message wins.
 */
export function mergeMessages(
  transcript: readonly ChatMessage[],
  added: readonly ChatMessage[],
): ChatMessage[] {
  const bySequence = new Map([...transcript, ...added].map((message) => [message.sequence, message]));
  return [...bySequence.values()].sort((a, b) => a.sequence - b.sequence);
}

/** How many messages from the other side stand after the last one that the visitor has read. */
export function countUnread(transcript: readonly ChatMessage[], readSequence: number): number {
  return transcript.filter((message) => message.role !== 'visitor' && message.sequence > readSequence).length;
}

export function lastSequence(transcript: readonly ChatMessage[]): number {
  return transcript.at(-1)?.sequence ?? 0;
}
