import type { ChatEvent } from '@swarmgate/contract/web-chat.ts';
import type { ChatState } from './chat-state.ts';
import { mergeMessages } from './transcript.ts';
import { answerArrived, deltaArrived, turnEnding, turnStarted } from './turns.ts';

/** What an event of the stream changes in the conversation. */
export function applyEvent({ messages, turns }: ChatState, { event, data }: ChatEvent): Partial<ChatState> {
  switch (event) {
    case 'message':
      return {
        messages: mergeMessages(messages, [data]),
        ...(data.inReplyTo !== undefined && { turns: answerArrived(turns) }),
      };
    case 'message.updated':
      return { messages: mergeMessages(messages, [data]) };
    case 'delta':
      return { turns: deltaArrived(turns, data) };
    case 'typing':
      return { turns: turnStarted(turns, data.turnId) };
    case 'turn':
      return {
        turns: data.state === 'started' ? turnStarted(turns, data.turnId) : turnEnding(turns, data.turnId),
      };
  }
}
