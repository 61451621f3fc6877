import { describe, expect, test } from 'vitest';
import { withContext } from './context.ts';
import { createLogger, type LogFields } from './logger.ts';

const secret = 'sk-proj-aaaaaaaaaaaaaaaaaaaaaaaa';
const visitorText = 'my cat is called Whiskers';

function aLogger(level = 'debug') {
  const lines: string[] = [];
  return { logger: createLogger(level, { write: (line) => void lines.push(line) }), lines };
}

/** The one line that logging left, read. */
function logged(fields: object, message = 'something happened'): Record<string, unknown> {
  const { logger, lines } = aLogger();
  logger.info(fields as LogFields, message);
  expect(lines).toHaveLength(1);
  return JSON.parse(lines[0] ?? '') as Record<string, unknown>;
}

describe('a line', () => {
  test('says when, how bad, what, and the fields that it was given', () => {
    const line = logged({ turnId: 't', attempt: 2, roles: ['api', 'worker'] });
    expect(line).toEqual({
      level: 'info',
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
      msg: 'something happened',
      turnId: 't',
      attempt: 2,
      roles: ['api', 'worker'],
    });
  });

  test('carries the ids of the work that it belongs to', () => {
    const { logger, lines } = aLogger();
    withContext({ requestId: 'r' }, () => withContext({ tenantId: 't' }, () => logger.warn({}, 'now')));
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({ level: 'warn', requestId: 'r', tenantId: 't' });
  });

  test('is left out below the level', () => {
    const { logger, lines } = aLogger('warn');
    logger.info({}, 'not important');
    expect(lines).toEqual([]);
  });

  test('stays one line, whatever stands in it', () => {
    const { logger, lines } = aLogger();
    logger.info({ path: '/a\n{"level":"fatal"}\r\u2028\u0000\u001b[31m' }, 'a request');
    expect(lines).toHaveLength(1);
    expect([...(lines[0]?.trimEnd() ?? '')].filter((character) => character < ' ')).toEqual([]);
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({ level: 'info' });
  });

  test('has bounded fields', () => {
    const line = logged({ path: 'x'.repeat(100_000), err: new Error('y'.repeat(100_000)) });
    expect(JSON.stringify(line).length).toBeLessThan(10_000);
  });
});

describe('what does not belong into a line is left out of it', () => {
  test.each<[string, object]>([
    ['headers', { headers: { 'x-api-key': 'hunter2hunter2', cookie: 'session=hunter2hunter2' } }],
    ['a header', { 'x-api-key': 'hunter2hunter2' }],
    ['a secret by its name', { apiKey: 'hunter2hunter2', password: 'hunter2hunter2' }],
    ['a secret deep inside', { request: { body: { config: [{ key: 'hunter2hunter2' }] } } }],
    [
      'a secret inside a named field',
      { reason: { token: 'hunter2hunter2' }, roles: [{ key: 'hunter2hunter2' }] },
    ],
    ['a message', { text: 'hunter2hunter2', message: { text: 'hunter2hunter2' }, body: 'hunter2hunter2' }],
  ])('%s', (_, fields) => {
    const line = logged(fields);
    expect(JSON.stringify(line)).not.toContain('hunter2');
    expect(line['leftOut']).toEqual(Object.keys(fields));
  });

  test('and refused by the compiler', () => {
    const { logger, lines } = aLogger();
    // @ts-expect-error no such field
    logger.info({ headers: 'x' }, 'a request');
    // @ts-expect-error not a plain value
    logger.info({ reason: { text: 'x' } }, 'a request');
    expect(lines).toHaveLength(2);
  });
});

describe('a secret by its form is taken out', () => {
  test.each<[string, object, string]>([
    ['of the message', {}, `the key ${secret} was refused`],
    ['of a field', { reason: `refused ${secret}` }, 'refused'],
    ['of a list', { roles: [secret] }, 'refused'],
    ['of an error’s message and stack', { err: new Error(`Bad key:\n${secret}`) }, 'refused'],
    ['of an error’s code', { err: Object.assign(new Error('Bad'), { code: secret }) }, 'refused'],
    [
      'of a cause',
      { err: new Error('Bad', { cause: new Error('Worse', { cause: new Error(secret) }) }) },
      'refused',
    ],
    ['of what is no error', { err: `thrown: ${secret}` }, 'refused'],
  ])('%s', (_, fields, message) => {
    const { logger, lines } = aLogger();
    logger.error(fields as LogFields, message);
    expect(lines.join('')).toContain('[secret]');
    expect(lines.join('')).not.toContain('aaaaaaaa');
  });
});

describe('an error', () => {
  test('is its type, code, message, stack and causes', () => {
    const error = Object.assign(new TypeError('Bad', { cause: new RangeError('Worse') }), { code: 'E_BAD' });
    expect(logged({ err: error })['err']).toEqual({
      type: 'TypeError',
      code: 'E_BAD',
      message: 'Bad',
      stack: expect.stringMatching(/^\s+at .*logger\.test\.ts/),
      cause: { type: 'RangeError', message: 'Worse', stack: expect.any(String) },
    });
  });

  test('keeps what a library hung on it to itself', () => {
    const error = Object.assign(new Error('Failed'), {
      config: { headers: { authorization: 'hunter2' } },
      response: { body: visitorText },
      detail: `Failing row contains (${visitorText})`,
      where: visitorText,
    });
    const line = JSON.stringify(logged({ err: error }));
    expect(line).not.toContain('hunter2');
    expect(line).not.toContain(visitorText);
  });

  test('with a circle of causes ends', () => {
    const error = new Error('a');
    error.cause = new Error('b', { cause: error });
    expect(JSON.stringify(logged({ err: error })).length).toBeLessThan(30_000);
  });
});
