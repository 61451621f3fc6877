import type { AgentDefinition, AgentEvent, AgentTurn, JournalledStep } from '#agents/agent.ts';

/** A turn that asks `message`; what it keeps in its journal is put into `kept`. */
export function aTurn(
  message: string,
  agent: Partial<AgentDefinition> = {},
  more: Partial<AgentTurn> & { kept?: JournalledStep[] } = {},
): AgentTurn {
  const { kept = [], ...turn } = more;
  return {
    tenantId: '0198c0de-0000-7000-8000-000000000001',
    conversationId: '0198c0de-0000-7000-8000-000000000002',
    turnId: '0198c0de-0000-7000-8000-000000000003',
    agent: {
      id: 'agent',
      slug: 'default',
      name: 'Agent',
      model: 'builtin/echo',
      instructions: '',
      settings: {},
      ...agent,
    },
    message: { id: '0198c0de-0000-7000-8000-000000000004', text: message },
    history: [],
    steps: [],
    keepStep: async (step) => void kept.push(step),
    ...turn,
  };
}

/** Everything that an agent said, and the last word apart. */
export async function listenTo(events: AsyncIterable<AgentEvent>) {
  const deltas: string[] = [];
  for await (const event of events) {
    if (event.kind === 'done') return { deltas, answer: event };
    deltas.push(event.delta);
  }
  throw new Error('The agent ended without "done".');
}
