import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { mentions, toPlainText } from './inbound-text.ts';

const bots = new Set(['UBOT']);

test.each([
  ['a call of the bot is left out', '<@UBOT> Hey', 'Hey'],
  ['with what stands between', ' <@UBOT>: <@UBOT|swarm>, hey', 'hey'],
  ['in the middle it stays', 'ask <@UBOT> or <@UBOT|swarm>', 'ask @UBOT or @swarm'],
  ['a call alone stays', '<@UBOT>', '@UBOT'],
  ['somebody else is named', '<@U1> and <@U2|ann>', '@U1 and @ann'],
  ['a channel by its name', '<#C1|general>', '#general'],
  ['a channel whose name is kept back', '<#C1|> <#C2>', '#C1 #C2'],
  ['everybody here', '<!here> <!channel|channel> <!everyone|@everyone>', '@here @channel @everyone'],
  ['a group', '<!subteam^S1|@team> <!subteam^S2>', '@team @S2'],
  ['a date', '<!date^1392734382^{date}^https://a.example/|Feb 18>', 'Feb 18'],
  [
    'a link with a label',
    '<https://a.example/x?b=1&amp;c=2|the page>',
    'the page (https://a.example/x?b=1&c=2)',
  ],
  ['a bare link', 'see <https://a.example/x>', 'see https://a.example/x'],
  [
    'an address that Slack made a link of',
    '<http://a.example|a.example> <mailto:a@b.example|a@b.example>',
    'a.example a@b.example',
  ],
  ['characters that Slack escapes', 'a &lt; b &amp;&amp; c &gt; d', 'a < b && c > d'],
  ['what was written as an entity', '&amp;lt;@U1&amp;gt;', '&lt;@U1&gt;'],
  ['what only looks like a mention', '&lt;@U1&gt;', '<@U1>'],
  ['other entities are none', '&nbsp; &quot;', '&nbsp; &quot;'],
  ['formatting stays', '*bold* _it_ `<@U1|ann>`', '*bold* _it_ `@ann`'],
  ['what is not closed', 'a <@U1 b < c', 'a <@U1 b < c'],
  ['what is empty', '<> <|> <|x> <@> <!>', '<>  x @ @'],
])('%s', (_, text, plain) => {
  expect(toPlainText(text, bots)).toBe(plain);
});

test('what somebody writes comes through as it was written', () => {
  const asSlackSends = (text: string) =>
    text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), (written) => {
      expect(toPlainText(asSlackSends(written), bots)).toBe(written.trim());
    }),
  );
});

test('any text is read, and in time', () => {
  const piece = fc.constantFrom('<', '>', '|', '@', '#', '!', '^', '&amp;', '<@UBOT>', 'UBOT', ' ', 'a');
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 200 }), (pieces) => {
      expect(typeof toPlainText(pieces.join(''), bots)).toBe('string');
    }),
  );
  const startedAt = performance.now();
  for (const attack of ['<', '<@UBOT>', '<a|', '&amp', '<@UBOT|'])
    toPlainText(attack.repeat(200_000 / attack.length), bots);
  expect(performance.now() - startedAt).toBeLessThan(1_000);
});

describe('a text mentions somebody', () => {
  test.each(['<@UBOT>', 'hey <@UBOT|swarm>!', '<@U1> <@UBOT>'])('%s', (text) => {
    expect(mentions(text, bots)).toBe(true);
  });

  test.each(['', '@UBOT', '&lt;@UBOT&gt;', '<@UBOTHER>', '<@U1|UBOT>', '<#UBOT>'])('not %j', (text) => {
    expect(mentions(text, bots)).toBe(false);
  });
});
