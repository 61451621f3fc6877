import type { ModelMessage } from '#models/model.ts';
import type { HistoryEntry } from './agent.ts';
import { estimateTokens } from './estimate-tokens.ts';

/** What the wire puts around each message. */
const tokensPerMessage = 4;

/**
 * Chooses what a model reads: the newest entries that fit into `tokensMax`, then the message to answer, which always
 * goes along. Only what was said in the conversation gets in, as `user` or `assistant`: a text of a visitor can never
 * become an instruction, and what the system said about itself is not for the model.
 *
 * The first message is the visitor's and the roles alternate, because some models insist on both.
 */
export function chooseHistory(
  history: readonly HistoryEntry[],
  message: string,
  tokensMax: number,
): ModelMessage[] {
  const chosen: ModelMessage[] = [{ role: 'user', text: message }];
  let tokens = estimateTokens(message) + tokensPerMessage;
  for (const { role, text } of history.toReversed()) {
    if (role === 'system' || text.trim() === '') continue;
    tokens += estimateTokens(text) + tokensPerMessage;
    if (tokens > tokensMax) break;
    chosen.unshift({ role: role === 'visitor' ? 'user' : 'assistant', text });
  }
  const first = chosen.findIndex(({ role }) => role === 'user');
  return joinNeighbours(chosen.slice(first));
}

function joinNeighbours(messages: readonly ModelMessage[]): ModelMessage[] {
  const joined: ModelMessage[] = [];
  for (const message of messages) {
    const last = joined.at(-1);
    if (last?.role === message.role)
      joined[joined.length - 1] = { ...last, text: `${last.text}\n\n${message.text}` };
    else joined.push(message);
  }
  return joined;
}
