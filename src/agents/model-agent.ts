import { texts } from '#locales/en.ts';
import { type ChatModel, type ChatModels, ModelError, type ModelUsage } from '#models/model.ts';
import type { Agent, AgentEvent, AgentSettings, AgentTurn, JournalledStep } from './agent.ts';
import { chooseHistory } from './choose-history.ts';
import { agentDefaults } from './defaults.ts';

/** What the one step of a turn leaves in the journal. */
type ModelStep = { text: string; usage: ModelUsage; model: string };

type Bounds = AgentSettings & Required<Pick<AgentSettings, keyof typeof agentDefaults>>;

/**
 * Answers with a language model: the agent's instructions, as much history as its budget holds, and the message. A turn
 * is one step. It is journalled before the turn ends, so that a rerun after a crash hands out the answer that is paid
 * for instead of buying another.
 */
export function createModelAgent(models: ChatModels): Agent {
  return {
    async *reply(turn, signal): AsyncGenerator<AgentEvent, void> {
      signal.throwIfAborted();
      const finished = readStep(turn.steps.find(({ number }) => number === 1));
      if (finished) yield { kind: 'text', delta: finished.text };
      const { text, usage, model } = finished ?? (yield* runStep(models, turn, signal));
      yield { kind: 'done', text, sources: [], usage, model };
    },
  };
}

async function* runStep(
  models: ChatModels,
  turn: AgentTurn,
  signal: AbortSignal,
): AsyncGenerator<AgentEvent, ModelStep> {
  const { agent } = turn;
  const bounds = { ...agentDefaults, ...agent.settings };
  const model = models.open(agent.model, agent.access);
  const deadline = startDeadline(model.name, bounds.turnTimeoutMs);
  try {
    const step = yield* ask(model, turn, bounds, AbortSignal.any([signal, deadline.signal]));
    await turn.keepStep({ number: 1, kind: 'model', output: step });
    return step;
  } finally {
    deadline.clear();
  }
}

async function* ask(
  model: ChatModel,
  { agent, history, message }: AgentTurn,
  bounds: Bounds,
  signal: AbortSignal,
): AsyncGenerator<AgentEvent, ModelStep> {
  const { historyTokensMax, outputTokensMax, idleTimeoutMs } = bounds;
  const messages = chooseHistory(history, message.text, historyTokensMax);
  const request = {
    instructions: agent.instructions,
    messages,
    idleTimeoutMs,
    ...(outputTokensMax !== undefined && { outputTokensMax }),
  };
  let text = '';
  for await (const event of model.stream(request, signal)) {
    if (event.kind === 'text') {
      text += event.delta;
      yield event;
      continue;
    }
    const isCutOff = event.finishReason === 'length';
    if (text.trim() === '') throw emptyAnswer(model.name, isCutOff);
    if (isCutOff) {
      const notice = `\n\n${texts.cutOff}`;
      text += notice;
      yield { kind: 'text', delta: notice };
    }
    return { text, usage: event.usage, model: model.name };
  }
  throw new ModelError('interrupted', `${model.name} ended its answer without saying so.`);
}

function startDeadline(name: string, turnTimeoutMs: number): { signal: AbortSignal; clear: () => void } {
  const controller = new AbortController();
  const giveUp = () =>
    controller.abort(new ModelError('timeout', `${name} did not finish within ${turnTimeoutMs} ms.`));
  const timer = setTimeout(giveUp, turnTimeoutMs);
  return { signal: controller.signal, clear: () => clearTimeout(timer) };
}

// An empty message to the visitor would be silence. A model that spent its bound on thinking would do so again.
function emptyAnswer(name: string, isCutOff: boolean): ModelError {
  return isCutOff
    ? new ModelError('bad_request', `${name} reached its outputTokensMax before the first word.`)
    : new ModelError('interrupted', `${name} sent an empty answer.`);
}

// The journal holds what an earlier process wrote, perhaps of another version: what does not fit is run again.
function readStep(step: JournalledStep | undefined): ModelStep | undefined {
  if (step?.kind !== 'model' || typeof step.output !== 'object' || step.output === null) return undefined;
  const { text, usage, model } = step.output as Partial<ModelStep>;
  if (typeof text !== 'string' || typeof model !== 'string') return undefined;
  return { text, model, usage: usage ?? {} };
}
