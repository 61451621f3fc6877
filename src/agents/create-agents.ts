import { type ChatModels, ModelError } from '#models/model.ts';
import type { Agent, KnowledgeSearch } from './agent.ts';
import { createAnswersAgent } from './answers/answers-agent.ts';
import { echoAgent } from './echo-agent.ts';
import { createModelAgent } from './model-agent.ts';

export type AgentsParts = { models: ChatModels; knowledge: KnowledgeSearch };

/** Makes the one agent that answers for all: whom a turn goes to is told by its agent's `model`. */
export function createAgents({ models, knowledge }: AgentsParts): Agent {
  const builtIn: Readonly<Record<string, Agent>> = {
    'builtin/echo': echoAgent,
    'builtin/answers': createAnswersAgent(knowledge),
  };
  const modelAgent = createModelAgent(models);

  const agentFor = (model: string) => {
    if (!model.startsWith('builtin/')) return modelAgent;
    const agent = builtIn[model];
    if (!agent) throw new ModelError('not_configured', `There is no built-in agent "${model}".`);
    return agent;
  };

  return {
    async *reply(turn, signal) {
      yield* agentFor(turn.agent.model).reply(turn, signal);
    },
  };
}
