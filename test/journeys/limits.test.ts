import { expect, test } from 'vitest';
import { sharedService } from '../support/a-service.ts';
import { shopOrigin } from '../support/a-tenant.ts';

const shared = sharedService({
  tenants: [{ settings: { webchat: { messagesPerMinute: 3, sessionsPerMinute: 5 } } }],
});

test('a visitor who writes too much is told to wait, and another is not', async () => {
  const [busy, calm] = [await shared().aVisitor(), await shared().aVisitor()];
  for (const text of ['one', 'two', 'three']) await busy.send(text);

  const refused = await busy.post('four');

  expect(refused.status).toBe(429);
  expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
  expect(refused.headers.get('ratelimit')).toMatch(/^"default";r=0;t=\d+$/);
  expect(await refused.json()).toMatchObject({ code: 'rate_limited' });
  expect(await calm.answerTo(await calm.send('Hello'))).toMatchObject({ text: 'Hello' });
  expect((await busy.history()).filter((message) => message.role === 'visitor')).toHaveLength(3);
});

test('an address that begins too many sessions is told to wait', async () => {
  const begin = () =>
    fetch(`${shared().url}/chat/v1/sessions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', origin: shopOrigin },
      body: JSON.stringify({ key: 'wk_shop' }),
    });
  const statuses: number[] = [];
  for (let attempt = 0; attempt < 6; attempt++) statuses.push((await begin()).status);

  expect(statuses.at(-1)).toBe(429);
});
