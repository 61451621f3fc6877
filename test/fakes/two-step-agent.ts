import { setTimeout as sleep } from 'node:timers/promises';
import type { Agent } from '#agents/agent.ts';
import { done } from './scripted-agent.ts';

/** Where the agent stands in a turn. */
export type TwoStepPoint = 'mid-turn' | 'between-steps' | 'while-streaming';

/** Long enough for what was said to be on its way to the pages. */
const speakingMsDefault = 150;

/**
 * Looks something up, keeps that as a step, and streams an answer. Notes each step that it really runs, and says where
 * it stands.
 */
export function twoStepAgent(
  note: (line: string) => void,
  stand: (at: TwoStepPoint) => void,
  speakingMs = speakingMsDefault,
): Agent {
  return {
    async *reply(turn) {
      const { text } = turn.message;
      stand('mid-turn');
      if (!turn.steps.some(({ number }) => number === 1)) {
        note(`looked up ${text}`);
        await turn.keepStep({ number: 1, kind: 'retrieval', output: { found: text } });
      }
      stand('between-steps');
      note(`answered ${text}`);
      yield { kind: 'text', delta: 'You said: ' };
      await sleep(speakingMs);
      stand('while-streaming');
      yield { kind: 'text', delta: text };
      yield done(`You said: ${text}`);
    },
  };
}
