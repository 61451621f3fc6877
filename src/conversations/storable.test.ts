import fc from 'fast-check';
import { expect, test } from 'vitest';
import { storableJson, storableText } from './storable.ts';

test('text stays as it is', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), (text) => {
      expect(storableText(text)).toBe(text.replaceAll('\u0000', '\uFFFD'));
    }),
  );
});

test.each([
  ['a\u0000b', 'a\uFFFDb'],
  ['half a pair \ud83d', 'half a pair \uFFFD'],
  ['\ude00 the other half', '\uFFFD the other half'],
  ['a whole one 😀', 'a whole one 😀'],
  // What only looks like an escape is somebody's text.
  [String.raw`\u0000 and \ud83d`, String.raw`\u0000 and \ud83d`],
])('%j is kept as %j', (text, kept) => {
  expect(storableText(text)).toBe(kept);
  expect(JSON.parse(storableJson({ deep: [{ text }] }))).toEqual({ deep: [{ text: kept }] });
});

test('JSON has no escape that a database would refuse', () => {
  const anyUnits = fc.array(fc.nat({ max: 0xffff })).map((units) => String.fromCharCode(...units));
  fc.assert(
    fc.property(fc.array(fc.record({ text: anyUnits })), (value) => {
      const json = storableJson(value);
      expect(JSON.parse(json)).toHaveLength(value.length);
      expect(json.replaceAll('\\\\', '')).not.toMatch(/\\u(?:0000|d[89a-f])/i);
    }),
  );
});
