import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { clusters, someMarkdown } from '../../../../test/support/some-markdown.ts';
import { parseMarkdown } from '../../markdown/parse-markdown.ts';
import { contentLengthMax, discordParts, renderDiscord } from './render.ts';

const render = (markdown: string) => renderDiscord(parseMarkdown(markdown));

describe('Markdown as Discord reads it', () => {
  test.each([
    ['**bold** *it* ~~no~~ `code`', '**bold** *it* ~~no~~ `code`'],
    ['# One\n\n#### Four', '# One\n\n**Four**'],
    ['- a\n- b\n  - c', '- a\n- b\n  - c'],
    ['3. a\n4. b', '3. a\n4. b'],
    ['- [x] done\n- [ ] open', '- ☑ done\n- ☐ open'],
    ['> quoted\n> twice', '> quoted\n> twice'],
    ['```ts\nconst a = 1;\n```', '```ts\nconst a = 1;\n```'],
    ['[label](https://a.example/x)', '[label](<https://a.example/x>)'],
    ['https://a.example', '<https://a.example/>'],
    ['![alt](https://a.example/p.png)', '[alt](<https://a.example/p.png>)'],
    ['| a | b |\n|---|---|\n| 1 | 2 |', '```\na | b\n--+--\n1 | 2\n```'],
  ])('%j', (markdown, expected) => expect(render(markdown)).toBe(expected));
});

describe('what an answer quotes stays as it is', () => {
  test.each([
    ['\\*not bold\\* and snake_case_name', '\\*not bold\\* and snake\\_case\\_name'],
    ['<@123> <@&5> <#6> <t:0:R>', '\\<@123\\> \\<@&5\\> \\<#6\\> \\<t:0:R\\>'],
    ['@everyone and @here', '@\u200beveryone and @\u200bhere'],
    ['\\# no heading', '\\# no heading'],
    ['1\\. no list', '1\u200b. no list'],
    ['\\|\\|no spoiler\\|\\|', '\\|\\|no spoiler\\|\\|'],
    ['[javascript](javascript:alert(1))', 'javascript (javascript:alert(1))'],
    ['[https://bank.example](https://evil.example)', '<https://evil.example/>'],
  ])('%j', (markdown, expected) => expect(render(markdown)).toBe(expected));

  test('three backticks inside a code block do not end it', () => {
    const shown = render('````\nbefore\n```\nafter\n````');
    expect(shown.match(/```/g)).toHaveLength(2);
  });
});

test('parts are within the limit, and nothing is torn', () => {
  fc.assert(
    fc.property(someMarkdown(), fc.integer({ min: 1, max: 40 }), (markdown, times) => {
      const parts = discordParts(Array.from({ length: times }, () => markdown).join('\n\n'));
      for (const part of parts) {
        expect(part.length).toBeLessThanOrEqual(contentLengthMax);
        expect((part.match(/```/g) ?? []).length % 2).toBe(0);
        expect(part.trim()).not.toBe('');
      }
      const whole = parts.join('\n');
      for (const cluster of clusters)
        expect(whole.split(cluster).length - 1).toBe((markdown.split(cluster).length - 1) * times);
    }),
    { numRuns: 60 },
  );
}, 60_000);

test('an answer that shows nothing is not empty', () => {
  expect(discordParts('')).toEqual(['…']);
  expect(discordParts('   \n')).toEqual(['…']);
});
