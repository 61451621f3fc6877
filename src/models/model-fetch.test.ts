import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { ForbiddenUrlError } from '#kernel/url-guard.ts';
import { createModelFetch } from './model-fetch.ts';

const address = 'http://model.example/v1';

test('a body without end is stopped', async () => {
  let sentBytes = 0;
  const endless = new ReadableStream<Uint8Array>({
    pull(controller) {
      sentBytes += 1_048_576;
      controller.enqueue(new Uint8Array(1_048_576));
    },
  });
  const response = await createModelFetch('m', async () => new Response(endless), 1_000)(address);

  await expect(response.arrayBuffer()).rejects.toMatchObject({ failure: 'bad_request' });
  expect(sentBytes).toBeLessThan(40 * 1_048_576);
});

test('a reader that takes its time is not mistaken for a silent provider', async () => {
  const response = await createModelFetch('m', async () => new Response('hello'), 30)(address);

  await delay(90);

  expect(await response.text()).toBe('hello');
});

test('a keep-alive that is no event counts as a sign of life', async () => {
  const keptAlive = new ReadableStream<Uint8Array>({
    async start(controller) {
      for (let beat = 0; beat < 10; beat++) {
        controller.enqueue(new TextEncoder().encode(': still here\n'));
        await delay(50);
      }
      controller.close();
    },
  });
  const response = await createModelFetch('m', async () => new Response(keptAlive), 350)(address);

  expect(await response.text()).toHaveLength(130);
});

test('what the network says is named by its code only', async () => {
  const refused = new TypeError('fetch failed', {
    cause: Object.assign(new Error('connect 10.1.2.3'), { code: 'ECONNREFUSED' }),
  });
  const fetch = createModelFetch('openai/m', () => Promise.reject(refused), 1_000);

  await expect(fetch(address)).rejects.toMatchObject({
    failure: 'unavailable',
    message: 'openai/m cannot be reached (ECONNREFUSED).',
  });
});

test('an address that the guard refuses is a matter of configuration', async () => {
  const fetch = createModelFetch(
    'compatible/m',
    () => Promise.reject(new ForbiddenUrlError('x is not public.')),
    1_000,
  );

  await expect(fetch(address)).rejects.toMatchObject({ failure: 'not_configured', retry: 'never' });
});
