import type { ChatEvent } from '@swarmgate/contract/web-chat.ts';
import type { ChatState } from './chat-state.ts';
import { mergeMessages } from './transcript.ts';
import { answerArrived, changeTurn, deltaArrived } from './turns.ts';

/** What an event of the stream changes in the conversation. */
export function applyEvent({ messages, turns }: ChatState, { event, data }: ChatEvent): Partial<ChatState> {
  switch (event) {
    case 'message':
    case 'message.updated': {
      const isKnown = messages.some(({ sequence }) => sequence === data.sequence);
      const answers = data.inReplyTo !== undefined && !isKnown;
      return { messages: mergeMessages(messages, [data]), turns: answers ? answerArrived(turns) : turns };
    }
    case 'delta':
      return { turns: deltaArrived(turns, data) };
    case 'typing':
      return { turns: changeTurn(turns, data.turnId, () => ({})) };
    case 'turn':
      return { turns: changeTurn(turns, data.turnId, () => ({ isEnding: data.state !== 'started' })) };
  }
}
