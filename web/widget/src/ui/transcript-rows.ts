import type { ChatMessage } from '@swarmgate/contract/web-chat.ts';
import type { ChatState } from '../chat/chat-state.ts';
import type { OutboxEntry } from '../chat/outbox.ts';
import type { Turn } from '../chat/turns.ts';
import { isSameDay } from './times.ts';

/** What stands in the list, from top to bottom. `beginsGroup`: another author, or a while later, than the row before. */
export type Row =
  | { kind: 'day'; key: string; iso: string }
  | { kind: 'message'; key: string; message: ChatMessage; beginsGroup: boolean }
  | { kind: 'draft'; key: string; turn: Turn; beginsGroup: boolean }
  | { kind: 'outgoing'; key: string; entry: OutboxEntry; beginsGroup: boolean };

const groupGapMs = 5 * 60_000;

export function transcriptRows({ messages, turns, outbox }: ChatState, now = new Date()): Row[] {
  const rows: Row[] = [];
  let previous: { role: string; at: Date } | undefined;
  for (const message of messages) {
    const at = new Date(message.createdAt);
    const isNewDay = previous ? !isSameDay(previous.at, at) : !isSameDay(now, at);
    if (isNewDay) rows.push({ kind: 'day', key: `day ${message.sequence}`, iso: message.createdAt });
    const isLater = !previous || at.getTime() - previous.at.getTime() > groupGapMs;
    const beginsGroup = isNewDay || isLater || previous?.role !== message.role;
    rows.push({ kind: 'message', key: message.id, message, beginsGroup });
    previous = { role: message.role, at };
  }
  let role = previous?.role;
  for (const turn of turns.running) {
    rows.push({ kind: 'draft', key: turn.turnId, turn, beginsGroup: role !== 'agent' });
    role = 'agent';
  }
  for (const entry of outbox) {
    rows.push({ kind: 'outgoing', key: entry.id, entry, beginsGroup: role !== 'visitor' });
    role = 'visitor';
  }
  return rows;
}
