import { expect, test } from 'vitest';
import { createLogger } from '#kernel/logger.ts';
import { prettyDestination } from './pretty-log.ts';

function aTerminal() {
  const shown: string[] = [];
  return {
    logger: createLogger('debug', prettyDestination({ write: (text: string) => shown.push(text) })),
    shown,
  };
}

test('a line is time, level, message and the fields behind it', () => {
  const { logger, shown } = aTerminal();
  logger.warn({ turnId: 't', attempt: 2, roles: ['api'] }, 'a turn failed');
  expect(shown).toEqual([
    expect.stringMatching(/^\d\d:\d\d:\d\d warn {2}a turn failed turnId=t attempt=2 roles=\["api"\]\n$/),
  ]);
});

test('an error is its message', () => {
  const { logger, shown } = aTerminal();
  logger.error({ err: new Error('it is away') }, 'a sweep failed');
  expect(shown.join('')).toMatch(/a sweep failed \(it is away\)\n$/);
});

test('what came from outside stays one visible line', () => {
  const { logger, shown } = aTerminal();
  logger.info({ path: '/\u001b[2J\u009b31m\r\n12:00:00 info  all is well\u0007' }, 'a request was refused');
  expect(shown).toHaveLength(1);
  expect(shown[0]).toMatch(/path=\/\\x1b\[2J\\x9b31m\\x0d\\x0a12:00:00 info {2}all is well\\x07\n$/);
});
