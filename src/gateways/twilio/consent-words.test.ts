import { describe, expect, test } from 'vitest';
import { readConsentWord } from './consent-words.ts';

describe('without words of its own', () => {
  test.each([
    ...[
      'STOP',
      'stop',
      'Stopall',
      'UNSUBSCRIBE',
      'cancel',
      'END',
      'quit',
      'revoke',
      'OPTOUT',
      'opt out',
      'Opt-Out',
    ],
    ...['  stop\n', 'STOP!', '"stop"', '…stop…', '🛑 STOP', 'ＳＴＯＰ', 'opt   out', 'stop\u200b', '(Stop.)'],
  ])('%j stops', (text) => expect(readConsentWord(text, {})).toBe('stop'));

  test.each(['START', 'unstop', 'Start.'])('%j starts again', (text) =>
    expect(readConsentWord(text, {})).toBe('start'),
  );

  test.each(['HELP', 'info', 'help?'])('%j asks for help', (text) =>
    expect(readConsentWord(text, {})).toBe('help'),
  );

  test.each([
    ...['please stop', 'stop it', 'bus stop', 'stop, now', 'endings', 'do not cancel', 'non-stop', 'st op'],
    ...['start over', 'help me', 'the end', '', ' ', '!!!', '?'],
  ])('%j is an ordinary message', (text) => expect(readConsentWord(text, {})).toBeUndefined());

  test('YES is an answer to a question', () => {
    for (const text of ['yes', 'YES', 'Yes!']) expect(readConsentWord(text, {})).toBeUndefined();
  });
});

describe('with words of its own', () => {
  const own = { stopWords: ['Arrêt', 'STOPP!'], startWords: ['yes', 'Los geht’s'], helpWords: ['?', 'aide'] };

  test.each([
    ['arrêt', 'stop'],
    ['ARRÊT'.normalize('NFD'), 'stop'],
    ['stopp', 'stop'],
    ['STOPP!', 'stop'],
    ['Yes.', 'start'],
    ['los geht’s', 'start'],
    ['?', 'help'],
    ['Aide', 'help'],
  ])('%j is known', (text, word) => expect(readConsentWord(text, own)).toBe(word));

  test('those that everybody knows are known all the same', () => {
    expect(readConsentWord('stop', own)).toBe('stop');
    expect(readConsentWord('start', own)).toBe('start');
    expect(readConsentWord('info', own)).toBe('help');
  });

  test('none of them keeps anybody from stopping', () => {
    expect(readConsentWord('cancel', { startWords: ['cancel'], helpWords: ['cancel'] })).toBe('stop');
  });

  test('a word of spaces or nothing matches no message', () => {
    for (const text of ['', ' ', '!', 'hello'])
      expect(readConsentWord(text, { stopWords: [' ', ''] })).toBeUndefined();
  });
});

test('a long text is no word, whatever it ends in, and is not searched for one', () => {
  expect(readConsentWord(`STOP${'!'.repeat(200_000)}`, {})).toBeUndefined();
  expect(readConsentWord(`a${'!'.repeat(200_000)}a`, {})).toBeUndefined();
});
