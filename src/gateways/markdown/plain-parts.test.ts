import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { clusters, someMarkdown } from '../../../test/support/some-markdown.ts';
import { parseMarkdown } from './parse-markdown.ts';
import { plainParts } from './plain-parts.ts';
import { renderPlainText } from './plain-text.ts';

test('a short answer is one part', () => {
  expect(plainParts('**Yes.**', 1_600)).toEqual(['Yes.']);
});

test.each(['', ' \n\t', '#', '&nbsp;'])('%j shows nothing, and gives a part that can be sent', (markdown) => {
  expect(plainParts(markdown, 1_600)).toEqual(['…']);
});

describe('whatever an agent writes', () => {
  const limits = fc.integer({ min: 60, max: 600 });

  test('each part fits', () => {
    fc.assert(
      fc.property(someMarkdown(), limits, (markdown, lengthMax) => {
        for (const part of plainParts(markdown, lengthMax))
          expect(part.length).toBeLessThanOrEqual(lengthMax);
      }),
    );
  });

  test('nothing is lost, and nothing changes places', () => {
    fc.assert(
      fc.property(someMarkdown(), limits, (markdown, lengthMax) => {
        const whole = solid(withoutMarks(renderPlainText(parseMarkdown(markdown))));
        const parts = solid(plainParts(markdown, lengthMax).map(withoutMarks).join(' '));
        expect(firstMissing(whole, parts)).toBeUndefined();
      }),
    );
  });

  test('no grapheme cluster is torn', () => {
    fc.assert(
      fc.property(someMarkdown(), limits, (markdown, lengthMax) => {
        const whole = countClusters([renderPlainText(parseMarkdown(markdown))]);
        expect(countClusters(plainParts(markdown, lengthMax))).toEqual(whole);
      }),
    );
  });
});

/** Without quote marks, bullets and numbers, which stand before each line or part. */
function withoutMarks(text: string): string {
  return text.replaceAll(/^(?:\s|>|•|\d+\.)+/gm, '');
}

function solid(text: string): string {
  return text.replaceAll(/\s/g, '');
}

/** What of `whole` is not to be found in `parts` in its order; headers and addresses may be there more often. */
function firstMissing(whole: string, parts: string): string | undefined {
  let at = 0;
  for (const character of whole) {
    const found = parts.indexOf(character, at);
    if (found === -1) return whole.slice(whole.indexOf(character));
    at = found + character.length;
  }
  return undefined;
}

function countClusters(texts: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  const segmenter = new Intl.Segmenter('en', { granularity: 'grapheme' });
  for (const text of texts) {
    for (const { segment } of segmenter.segment(text))
      if (clusters.includes(segment)) counts[segment] = (counts[segment] ?? 0) + 1;
  }
  return counts;
}
