import fc from 'fast-check';
import { expect, test } from 'vitest';
import { piecesOf } from './pieces.ts';

test('pieces are a few words each', () => {
  expect(piecesOf('one two three four five six')).toEqual(['one two three four ', 'five six']);
});

test('the pieces of any text make up the text again', () => {
  fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => piecesOf(text).join('') === text));
  fc.assert(
    fc.property(
      fc.lorem({ mode: 'sentences' }),
      (text) => piecesOf(` \n${text}\n\n`).join('') === ` \n${text}\n\n`,
    ),
  );
});
