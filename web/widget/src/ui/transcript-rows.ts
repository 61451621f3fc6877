import type { ChatMessage } from '@swarmgate/contract/web-chat.ts';
import type { ChatState } from '../chat/chat-state.ts';
import type { OutboxEntry } from '../chat/outbox.ts';
import type { Turn } from '../chat/turns.ts';

/** What stands in the list, from top to bottom. `begins` a group: another author, or a while later, than the row before. */
export type Row = { key: string; begins: boolean } & (
  | { message: ChatMessage }
  | { turn: Turn }
  | { entry: OutboxEntry }
);

const groupGapMs = 5 * 60_000;

export function transcriptRows({ messages, turns, outbox }: ChatState): Row[] {
  let role = '';
  let atMs = 0;
  const beginsWith = (nextRole: string, nextMs: number) => {
    const begins = nextRole !== role || nextMs - atMs > groupGapMs;
    role = nextRole;
    atMs = nextMs;
    return begins;
  };
  return [
    ...messages.map((message) => {
      return { key: message.id, message, begins: beginsWith(message.role, Date.parse(message.createdAt)) };
    }),
    ...turns.running.map((turn) => ({ key: turn.turnId, turn, begins: beginsWith('agent', atMs) })),
    ...outbox.map((entry) => ({ key: entry.id, entry, begins: beginsWith('visitor', atMs) })),
  ];
}
