import type { Agent, AgentEvent } from './agent.ts';
import { piecesOf } from './pieces.ts';

/** `builtin/echo`: answers with the text that it was sent, to test a channel. */
export const echoAgent: Agent = {
  async *reply({ message, agent }, signal): AsyncGenerator<AgentEvent, void> {
    signal.throwIfAborted();
    for (const delta of piecesOf(message.text)) yield { kind: 'text', delta };
    yield { kind: 'done', text: message.text, sources: [], usage: {}, model: agent.model };
  },
};
