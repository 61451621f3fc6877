import { expect, test } from 'vitest';
import { parseActivity } from './activity.ts';
import { isMentioned, textOfActivity } from './inbound-text.ts';

const bot = { id: '28:bot', name: 'Swarm Gate' };
const ann = { id: '29:ann', name: 'Ann' };
const mention = (mentioned: object, text?: string) => ({ type: 'mention', mentioned, ...(text && { text }) });

const read = (text: string, entities: object[]) => {
  const activity = parseActivity(Buffer.from(JSON.stringify({ recipient: bot, text, entities })));
  if (!activity) throw new Error('That is no activity.');
  return { text: textOfActivity(activity), mentioned: isMentioned(activity) };
};

test.each<[string, object[], string, boolean]>([
  ['<at>Swarm Gate</at> Hey', [mention(bot, '<at>Swarm Gate</at>')], 'Hey', true],
  // Not every client writes the entity's own text.
  ['<at>Swarm Gate</at> Hey', [mention(bot)], 'Hey', true],
  ['Hey <at>Swarm Gate</at>', [mention(bot)], 'Hey', true],
  ['<at>Swarm Gate</at>, <at>Swarm Gate</at>&nbsp;Hey', [mention(bot), mention(bot)], 'Hey', true],
  ['ask <at>Swarm Gate</at> to help', [mention(bot)], 'ask @Swarm Gate to help', true],
  ['<at>Swarm Gate</at>', [mention(bot)], '@Swarm Gate', true],
  [
    '<at>Swarm Gate</at> tell <at>Ann</at> about it',
    [mention(bot), mention(ann)],
    'tell @Ann about it',
    true,
  ],
  ['<at>Ann</at> hello', [mention(ann)], '@Ann hello', false],
  ['<at id="0">Ann</at> hello', [], '@Ann hello', false],
  ['no mention of <at>Swarm Gate</at>', [], 'no mention of @Swarm Gate', false],
  ['a &lt; b &amp;&amp; c &gt; d &quot;e&quot; &#39;f&#39;', [], `a < b && c > d "e" 'f'`, false],
  ['&amp;lt;at&amp;gt;', [], '&lt;at&gt;', false],
  ['one\r\ntwo', [], 'one\ntwo', false],
  ['', [mention(bot)], '', true],
  ['Hey', [null as unknown as object, { type: 'mention' }, { type: 'clientInfo' }], 'Hey', false],
])('%s', (text, entities, expected, mentioned) => {
  expect(read(text, entities)).toEqual({ text: expected, mentioned });
});

test('a name that is a pattern, or a replacement, is only a name', () => {
  const odd = { id: '29:odd', name: '$& (.*)' };
  expect(read('hello <at>$& (.*)</at>!', [mention(odd)]).text).toBe('hello @$& (.*)!');
});

test.each([
  ['spaces before the mention', `hi${' '.repeat(100_000)}x<at>Swarm Gate</at>`, [mention(bot)]],
  ['spaces between mentions', `hi${`${' '.repeat(5_000)}x<at>Swarm Gate</at>`.repeat(20)}`, [mention(bot)]],
  ['as many mentions as a body holds', '<at>Swarm Gate</at> '.repeat(5_000), [mention(bot)]],
  [
    'names that hold what the next one looks for',
    'a',
    Array.from({ length: 40 }, () => mention({ id: '29:a', name: 'aa' }, 'a')),
  ],
])('%s cost no time', (_, text, entities) => {
  const began = performance.now();
  const shown = read(text, entities).text;
  expect(performance.now() - began).toBeLessThan(500);
  expect(shown.length).toBeLessThanOrEqual(text.length + 10);
});

test('space of any kind before a mention at the end goes with it', () => {
  expect(read('Hey \n&nbsp; &nbsp;<at>Swarm Gate</at>', [mention(bot)]).text).toBe('Hey');
});
