import type { Agent, AgentEvent, AgentTurn } from '#agents/agent.ts';

/** What an agent does with one turn. */
export type Script = (turn: AgentTurn, signal: AbortSignal) => AsyncIterable<AgentEvent>;

/** An agent that plays what a test tells it, and keeps every turn that it was handed. Hand it over by `wrapAgents`. */
export function scriptedAgent(script: Script) {
  const turns: AgentTurn[] = [];
  const agent: Agent = {
    reply(turn, signal) {
      turns.push(turn);
      return script(turn, signal);
    },
  };
  return { agent, turns };
}

/** Says a text piece by piece and ends. */
export async function* say(...pieces: string[]): AsyncGenerator<AgentEvent> {
  for (const delta of pieces) yield { kind: 'text', delta };
  yield done(pieces.join(''));
}

/** The last event of an answer. */
export function done(text: string): AgentEvent {
  return { kind: 'done', text, sources: [], usage: {}, model: 'test/scripted' };
}
