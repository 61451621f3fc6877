import { expect, test, vi } from 'vitest';
import { StorageUnavailableError } from '#tenancy/scope-errors.ts';
import { busy, createCallTogether, inOrder } from './call-together.ts';

/** Calls of which the first is under way while the others come, so that those go together. */
async function callThree(answer: (item: number) => string | typeof busy, failure?: Error) {
  const together = vi.fn(async (items: readonly number[]) => {
    await new Promise(setImmediate);
    if (failure && items.length > 1) throw failure;
    return items.map(answer);
  });
  const alone = vi.fn(async (item: number) => `${item} alone`);
  const call = createCallTogether<number, string>({ together, alone });
  const results = await Promise.allSettled([call(1), call(2), call(3)]);
  return {
    batches: together.mock.calls.map(([items]) => items),
    alone: alone.mock.calls.flat(),
    results: results.map((one) => (one.status === 'fulfilled' ? one.value : one.reason)),
  };
}

const said = (item: number) => `${item} said`;

test('what comes meanwhile goes together', async () => {
  expect(await callThree(said)).toEqual({
    batches: [[1], [2, 3]],
    alone: [],
    results: ['1 said', '2 said', '3 said'],
  });
});

test('what is busy goes alone', async () => {
  const called = await callThree((item) => (item === 3 ? busy : said(item)));
  expect(called).toMatchObject({ alone: [3], results: ['1 said', '2 said', '3 alone'] });
});

test('each of a batch that was refused goes alone', async () => {
  const called = await callThree(said, new TypeError('one is bad'));
  expect(called).toMatchObject({ alone: [2, 3], results: ['1 said', '2 alone', '3 alone'] });
});

test('a batch that nobody knows the end of is not said again', async () => {
  const away = new StorageUnavailableError(new Error('away'));
  expect(await callThree(said, away)).toMatchObject({ alone: [], results: ['1 said', away, away] });
});

test('rows come in the order of their items, and none may be missing', () => {
  const rows = [
    { ordinal: 2, value: 'b' },
    { ordinal: 1, value: 'a' },
  ];
  expect(inOrder(rows, 2, ({ value }) => value)).toEqual(['a', 'b']);
  expect(() => inOrder(rows, 3, ({ value }) => value)).toThrow('A batch of 3 was answered with 2 rows.');
});
