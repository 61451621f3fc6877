import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createBatcher } from './batcher.ts';

/** A batcher whose runs end when the test says so. */
function aBatcher(sizeMax = 100) {
  const runs: { inputs: readonly number[]; end: PromiseWithResolvers<(string | Error)[]> }[] = [];
  const ask = createBatcher<number, string>((inputs) => {
    const end = Promise.withResolvers<(string | Error)[]>();
    runs.push({ inputs, end });
    return end.promise;
  }, sizeMax);
  const answer = (inputs: readonly number[]) => inputs.map((input) => `${input}!`);
  const endRun = async (index: number) => {
    runs[index]?.end.resolve(answer(runs[index].inputs));
    await new Promise(setImmediate);
  };
  return { ask, runs, endRun };
}

test('the first call goes at once and alone; those behind it go together', async () => {
  const { ask, runs, endRun } = aBatcher();
  const answers = [ask(1), ask(2), ask(3)];
  expect(runs.map(({ inputs }) => inputs)).toEqual([[1]]);
  await endRun(0);
  expect(runs.map(({ inputs }) => inputs)).toEqual([[1], [2, 3]]);
  await endRun(1);
  expect(await Promise.all(answers)).toEqual(['1!', '2!', '3!']);
  const last = ask(4);
  await endRun(2);
  expect(await last).toBe('4!');
});

test('a batch is no larger than it may be', async () => {
  const { ask, runs, endRun } = aBatcher(2);
  const answers = [0, 1, 2, 3, 4].map(ask);
  for (const index of [0, 1, 2]) await endRun(index);
  expect(runs.map(({ inputs }) => inputs)).toEqual([[0], [1, 2], [3, 4]]);
  expect(await Promise.all(answers)).toHaveLength(5);
});

test('one failure among the answers is one caller’s', async () => {
  const { ask, runs, endRun } = aBatcher();
  const first = ask(1);
  const [good, bad] = [ask(2), ask(3)];
  await endRun(0);
  runs[1]?.end.resolve(['2!', new RangeError('bad row')]);
  await expect(bad).rejects.toThrow(RangeError);
  expect(await Promise.all([first, good])).toEqual(['1!', '2!']);
});

test('a run that fails fails its callers, and nobody after them', async () => {
  const { ask, runs, endRun } = aBatcher();
  const first = ask(1);
  const second = ask(2);
  runs[0]?.end.reject(new Error('away'));
  await expect(first).rejects.toThrow('away');
  await endRun(1);
  expect(await second).toBe('2!');
});

test('a run that throws at once is no different', async () => {
  const ask = createBatcher<number, string>(() => {
    throw new Error('at once');
  }, 10);
  await expect(Promise.allSettled([ask(1), ask(2)])).resolves.toMatchObject([
    { status: 'rejected' },
    { status: 'rejected' },
  ]);
});

test('everybody gets their own answer, however the calls come', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.scheduler(),
      fc.integer({ min: 1, max: 5 }),
      fc.integer({ min: 1, max: 30 }),
      async (s, sizeMax, count) => {
        const run = s.scheduleFunction(async (inputs: readonly number[]) =>
          inputs.map((input) => `${input}!`),
        );
        const ask = createBatcher<number, string>(run, sizeMax);
        const answers = Promise.all(
          Array.from({ length: count }, (_, input) => s.schedule(Promise.resolve(input)).then(ask)),
        );
        await s.waitFor(answers);
        expect(await answers).toEqual(Array.from({ length: count }, (_, input) => `${input}!`));
      },
    ),
    { numRuns: 50 },
  );
});
