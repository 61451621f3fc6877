import type { ChatMessage, SessionResponse } from '@swarmgate/contract/web-chat.ts';
import type { OutboxEntry } from './outbox.ts';
import { noTurns, type Turns } from './turns.ts';

/** All that the panel shows of a conversation. */
export type ChatState = {
  /** `refused`: the gateway will not have this page or this visitor, `refusal` says why. */
  status: 'idle' | 'starting' | 'ready' | 'refused';
  refusal: string;
  /** Whether the event stream is open. */
  isConnected: boolean;
  agent: SessionResponse['agent'] | undefined;
  conversationId: string;
  messages: readonly ChatMessage[];
  hasOlder: boolean;
  outbox: readonly OutboxEntry[];
  turns: Turns;
  readSequence: number;
};

export const emptyConversation = {
  messages: [],
  hasOlder: false,
  turns: noTurns,
  readSequence: 0,
} as const satisfies Partial<ChatState>;

export const initialState: ChatState = {
  ...emptyConversation,
  status: 'idle',
  refusal: '',
  isConnected: false,
  agent: undefined,
  conversationId: '',
  outbox: [],
};
