import { expect, test } from 'vitest';
import { examine } from './findings.ts';

test('a check says what it found', async () => {
  expect(
    await examine('disk', async () => ({ state: 'warning', says: 'nearly full', mend: 'make room' })),
  ).toEqual({
    check: 'disk',
    state: 'warning',
    says: 'nearly full',
    mend: 'make room',
  });
});

test('a check that breaks is a failure, in the words of what broke it', async () => {
  const failure = { check: 'database', state: 'failure', says: 'It is away.' };
  expect(await examine('database', () => Promise.reject(new Error('It is away.')))).toEqual(failure);
  expect(await examine('database', () => Promise.reject('It is away.'))).toEqual(failure);
});
