import { parseArgs } from 'node:util';
import { type RunOptions, usualRun } from './run.ts';

export type Command = {
  /** Of the first run; each further one has the next. */
  seed: number;
  runs: number;
  options: RunOptions;
  /** The command that repeats one run. */
  again(seed: number): string;
};

/** Reads what stands behind `npm run test:faults --`. Ends the process when it makes no sense. */
export function readCommand(argv: string[]): Command {
  const { values } = parseArgs({
    args: argv,
    options: {
      seed: { type: 'string', default: '1' },
      runs: { type: 'string', default: '1' },
      /** How long people talk, and within which faults begin. */
      'talk-seconds': { type: 'string', default: String(usualRun.talkMs / 1_000) },
      /** How long the longest outages are. */
      'outage-seconds': { type: 'string', default: String(usualRun.outageMsMax / 1_000) },
      /** How many there are at most in a run. */
      faults: { type: 'string', default: String(usualRun.faultsMax) },
    },
  });
  const number = (name: keyof typeof values) => wholeNumber(name, values[name]);
  const { seed: _seed, runs: _runs, ...others } = values;
  const kept = Object.entries(others).map(([name, value]) => `--${name} ${value}`);
  return {
    seed: number('seed'),
    runs: number('runs'),
    options: {
      ...usualRun,
      talkMs: number('talk-seconds') * 1_000,
      outageMsMax: number('outage-seconds') * 1_000,
      faultsMax: number('faults'),
    },
    again: (seed) => `npm run test:faults -- --seed ${seed} --runs 1 ${kept.join(' ')}`,
  };
}

function wholeNumber(name: string, text: string): number {
  const number = Number(text);
  if (Number.isSafeInteger(number) && number > 0) return number;
  console.error(`--${name} wants a whole number above 0, and got "${text}"`);
  process.exit(2);
}
