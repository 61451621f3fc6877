import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { countSegments, readSegments } from './segments.ts';

describe('a text in the alphabet of GSM', () => {
  test.each([
    ['nothing', '', 1],
    ['160 characters', 'a'.repeat(160), 1],
    ['161', 'a'.repeat(161), 2],
    ['306', 'a'.repeat(306), 2],
    ['307', 'a'.repeat(307), 3],
    ['1,600', 'a'.repeat(1_600), 11],
    ['160 accents and signs of it', 'äñ£¿Ωé\n@_'.repeat(18).slice(0, 160), 1],
    ['80 of the extension, which count twice', '€'.repeat(80), 1],
    ['81 of them', '€'.repeat(81), 2],
    // 153 is odd: the last septet of each segment stays empty.
    ['152 of them', '€'.repeat(152), 2],
    ['153 of them', '€'.repeat(153), 3],
    ['all of the extension', '^{}\\[~]|€\f', 1],
  ])('%s', (_, text, segments) => expect(countSegments(text)).toBe(segments));
});

describe('any other text', () => {
  test.each([
    ['70 units', 'я'.repeat(70), 1],
    ['71', 'я'.repeat(71), 2],
    ['134', 'я'.repeat(134), 2],
    ['135', 'я'.repeat(135), 3],
    ['69 plain letters and one that is not of the alphabet', `${'a'.repeat(69)}ç`, 1],
    ['70 and one', `${'a'.repeat(70)}ç`, 2],
    ['35 emoji, of two units each', '👋'.repeat(35), 1],
    ['36', '👋'.repeat(36), 2],
    // 33 pairs and one unit that stays empty in each segment.
    ['66', '👋'.repeat(66), 2],
    ['67', '👋'.repeat(67), 3],
    ['a curly quotation mark', `${'a'.repeat(150)}’`, 3],
  ])('%s', (_, text, segments) => expect(countSegments(text)).toBe(segments));
});

test('a longer text never has fewer segments, and none holds more than it can', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: 'grapheme', maxLength: 500 }),
      fc.string({ maxLength: 50 }),
      (text, more) => {
        const segments = countSegments(text);
        expect(countSegments(text + more)).toBeGreaterThanOrEqual(segments);
        expect(segments).toBeGreaterThanOrEqual(Math.ceil(text.length / 160));
        expect(segments).toBeLessThanOrEqual(Math.max(1, Math.ceil((text.length * 2) / 66)));
      },
    ),
  );
});

test('a count of Twilio’s is one when it is a number above nothing', () => {
  expect(['1', '7', '0', '', 'x', '-1', '1.5', undefined].map(readSegments)).toEqual([
    1,
    7,
    ...Array.from({ length: 6 }, () => undefined),
  ]);
});
