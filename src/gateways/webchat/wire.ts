import type { ChatMessage, MessageSource } from '@swarmgate/contract/web-chat.ts';
import { toWire } from '#domain/ids.ts';
import type { TranscriptMessage } from '../journey.ts';

/** A message of the transcript as the visitor sees it. */
export function toChatMessage(message: TranscriptMessage): ChatMessage {
  const sources = message.content['sources'] as MessageSource[] | undefined;
  return {
    id: toWire('message', message.id),
    sequence: message.sequence,
    role: message.role,
    text: message.text,
    ...(message.inReplyToId && { inReplyTo: toWire('message', message.inReplyToId) }),
    ...(sources && { sources }),
    ...(message.clientId && { clientId: message.clientId }),
    createdAt: message.createdAt.toISOString(),
  };
}
