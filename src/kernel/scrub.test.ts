import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { scrub } from './scrub.ts';

const letters = fc.stringMatching(/^[A-Za-z0-9]{24,48}$/);
const hex = fc.stringMatching(/^[0-9a-f]{32}$/);

/** Each listed form of a secret, with the part of it that must not be readable afterwards. */
const secrets: Readonly<Record<string, fc.Arbitrary<{ text: string; secret: string }>>> = {
  'a Slack bot token': letters.map((key) => whole(`xoxb-${key}`)),
  'a Slack user token': letters.map((key) => whole(`xoxp-123-${key}`)),
  'a Slack app token': letters.map((key) => whole(`xapp-1-${key}`)),
  'an OpenAI key': letters.map((key) => whole(`sk-proj-${key}`)),
  'an Anthropic key': letters.map((key) => whole(`sk-ant-api03-${key}`)),
  'a Google key': letters.map((key) => whole(`AIza${key}`)),
  'a key of ours': letters.map((key) => whole(`sgk_${key}`)),
  'a secret of a webhook': letters.map((key) => whole(`whsec_${key}+/==`)),
  'a Twilio key': hex.map((key) => whole(`SK${key}`)),
  'a JWT': fc.tuple(letters, letters, letters).map((parts) => whole(`eyJ${parts.join('.')}`)),
  'a bearer token': letters.map((key) => ({ text: `Authorization: Bearer ${key}`, secret: key })),
  'a basic credential': letters.map((key) => ({ text: `basic ${key}==`, secret: key })),
  'a bot token': letters.map((key) => ({ text: `Bot ${key}`, secret: key })),
  'a link to a file': fc
    .stringMatching(/^[A-Za-z0-9_-]{60,120}$/)
    .map((key) => ({ text: `https://host/files/${key}`, secret: key })),
  'the password of a URL': letters.map((key) => ({ text: `postgres://user:${key}@host/db`, secret: key })),
  'the password of a URL without a user': letters.map((key) => ({
    text: `redis://:${key}@host`,
    secret: key,
  })),
};

function whole(secret: string) {
  return { text: secret, secret };
}

/** What may stand right before a secret: anything but a letter or digit, which would make it part of a longer word. */
const before = fc.string({ unit: 'binary', maxLength: 40 }).map((text) => text.replace(/[A-Za-z0-9]$/, ' '));
const after = fc.string({ unit: 'binary', maxLength: 40 }).map((text) => text.replace(/^[A-Za-z0-9]/, ' '));

describe('takes out', () => {
  test.each(Object.entries(secrets))('%s, wherever it stands in a line', (_, arbitrary) => {
    fc.assert(
      fc.property(before, arbitrary, after, (left, { text, secret }, right) => {
        expect(scrub(`${left}${text}${right}`)).not.toContain(secret);
      }),
    );
  });

  test.each(Object.entries(secrets))('%s, wherever it stands in a value of a JSON line', (_, arbitrary) => {
    fc.assert(
      fc.property(before, arbitrary, after, (left, { text, secret }, right) => {
        const line = scrub(JSON.stringify({ msg: `${left}${text}${right}`, nested: [{ key: text }] }));
        expect(line).not.toContain(secret);
        expect(() => JSON.parse(line)).not.toThrow();
      }),
    );
  });

  test('every one of several', () => {
    expect(scrub('sk-aaaaaaaaaaaaaaaa and xoxb-bbbbbbbb, sk-cccccccccccccccc')).toBe(
      '[secret] and [secret], [secret]',
    );
  });
});

describe('leaves', () => {
  test.each([
    'answered',
    '0198c0de-0000-7000-8000-000000000001',
    'task-0198c0de-0000-7000-8000-000000000001',
    'wk_demo',
    'https://acme.example/path?x=1',
    'postgres://postgres@127.0.0.1:5432/postgres',
    'SKIP LOCKED',
    'a bot is a bot',
    '12:34:56 user@host',
  ])('%s as it is', (text) => {
    expect(scrub(text)).toBe(text);
  });
});

test('takes no longer on a line that is made to be slow', () => {
  const startedAt = performance.now();
  for (const unit of ['://', 'eyJaaaaaa.', 'Bearer ', '\\n', ':', 'sk-', 'xoxb-'])
    scrub(unit.repeat(1_000_000 / unit.length));
  expect(performance.now() - startedAt).toBeLessThan(5_000);
});
