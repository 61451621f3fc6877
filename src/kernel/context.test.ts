import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { currentContext, extendContext, withContext } from './context.ts';

test('is empty outside any work', () => {
  expect(currentContext()).toEqual({});
  extendContext({ tenantId: 'nobody' });
  expect(currentContext()).toEqual({});
});

test('goes along with asynchronous work, and each piece has its own', async () => {
  const piece = (requestId: string) =>
    withContext({ requestId }, async () => {
      await sleep(1);
      extendContext({ tenantId: `tenant of ${requestId}` });
      await sleep(1);
      return currentContext();
    });
  expect(await Promise.all([piece('a'), piece('b')])).toEqual([
    { requestId: 'a', tenantId: 'tenant of a' },
    { requestId: 'b', tenantId: 'tenant of b' },
  ]);
});

test('what is added inside stays inside', () => {
  withContext({ requestId: 'a' }, () => {
    withContext({ tenantId: 't' }, () => {
      extendContext({ conversationId: 'c' });
      expect(currentContext()).toEqual({ requestId: 'a', tenantId: 't', conversationId: 'c' });
    });
    expect(currentContext()).toEqual({ requestId: 'a' });
  });
});
