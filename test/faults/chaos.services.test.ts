import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { describeBreach, describeRun } from '../chaos/report.ts';
import { playRun, type RunOptions, usualRun } from '../chaos/run.ts';
import { openStage, type Stage } from '../chaos/stage.ts';

/** The short set of `npm run test:faults`: less is said, and seeds were chosen so that different things happen. */
const short: RunOptions = {
  ...usualRun,
  ...{ talkMs: 2_500, conversations: 3, messages: 3, faultsMax: 3, outageMsMax: 2_000 },
  // Beside other tests a start alone takes seconds. The long set holds the bar.
  recoveryMsMax: 30_000,
};

/**
 * 14: a worker dies between Slack's answer and its record, and another one's clock is an hour off. 35: a process dies before
 * it has woken anybody, and the ways to the api and to Postgres break off.
 */
const seeds = [14, 35];

let stage: Stage;
beforeAll(async () => {
  // What a run that was cut off has left goes with the tests' own databases.
  stage = await openStage(inject('migratedTemplate').prefix);
}, 120_000);
afterAll(() => stage?.close());

test.each(seeds)(
  'seed %i: nothing is lost, nothing is answered twice, and everything goes on',
  async (seed) => {
    const { result } = await playRun(stage, seed, short);
    const { breaches } = result.verdict;
    expect(breaches, [describeRun(result), ...breaches.map(describeBreach)].join('\n')).toEqual([]);
  },
  120_000,
);
