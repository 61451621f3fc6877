import fc from 'fast-check';
import { expect, test } from 'vitest';
import { nextPiece } from './stream-text.ts';

/** What a stream shows after an answer has come in the given pieces. */
function stream(...pieces: string[]): string {
  let text = '';
  let sent = '';
  for (const piece of pieces) {
    text += piece;
    sent += nextPiece(sent, text, false) ?? '';
  }
  for (let more = nextPiece(sent, text, true); more !== undefined; more = nextPiece(sent, text, true))
    sent += more;
  return sent;
}

test('a stream grows by what is new', () => {
  expect(nextPiece('', 'Hello', false)).toBe('Hello');
  expect(nextPiece('Hello', 'Hello there', false)).toBe(' there');
  expect(nextPiece('Hello there', 'Hello there', false)).toBeUndefined();
});

test('a text that has changed before its end is left to the final text', () => {
  expect(nextPiece('Hello', 'Good morning', true)).toBeUndefined();
});

test.each(['<!here>', '<!channel|x>', '<@U123>', '<#C123>', '@channel', '@here', '@Everyone', '@HERE'])(
  '%s calls nobody, wherever the pieces of the answer end',
  (mention) => {
    const text = `Hello ${mention} and others`;
    for (let at = 0; at <= text.length; at++) {
      const shown = stream(text.slice(0, at), text.slice(at));
      expect(shown).not.toMatch(/<[!@#]|@(?:channel|here|everyone)/i);
      expect(shown.replaceAll('\u2060', '')).toBe(text);
    }
  },
);

test('what means nothing to Slack stays as it is', () => {
  const text = 'a < b, <https://example.com>, me@example.com @chan <b>';
  expect(stream(...text)).toBe(text);
});

test('one call takes 4,000 characters and a stream 11,000', () => {
  const text = 'x'.repeat(20_000);
  expect(nextPiece('', text, false)).toHaveLength(4_000);
  expect(stream(text)).toHaveLength(11_000);
  expect(nextPiece('x'.repeat(11_000), text, true)).toBeUndefined();
});

test('a bound never stands inside a character', () => {
  const text = `${'x'.repeat(3_999)}😀${'y'.repeat(10)}`;
  expect(nextPiece('', text, false)).toBe('x'.repeat(3_999));
  expect(stream(text)).toBe(text);
});

test('however an answer comes, its stream shows the same', () => {
  const word = fc.constantFrom('<', '!', '@', '#', 'here', 'channel', 'every', 'one', 'a', ' ', '😀', '>');
  fc.assert(
    fc.property(fc.array(word, { maxLength: 40 }), (pieces) => {
      expect(stream(...pieces)).toBe(stream(pieces.join('')));
      expect(stream(...pieces)).not.toMatch(/<[!@#]|@(?:channel|here|everyone)/i);
    }),
  );
});
