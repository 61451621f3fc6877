import { afterEach, describe, expect, test, vi } from 'vitest';
import { createChatModels } from './chat-models.ts';
import { ModelError } from './model.ts';

const request = { instructions: '', messages: [{ role: 'user' as const, text: 'hello' }] };
const signal = new AbortController().signal;

afterEach(() => {
  vi.useRealTimers();
});

test.each([
  ['mistral/large', /names no model/],
  ['gpt-5', /names no model/],
  ['openai/', /is not the name of a model/],
  ['google/../../secrets', /is not the name of a model/],
  ['openai/gpt 5', /is not the name of a model/],
])('%s cannot be opened', (name, message) => {
  expect(() => createChatModels({ platform: { openai: { apiKey: 'k' } } }).open(name)).toThrow(message);
});

test.each(['openai/gpt-5', 'anthropic/claude-opus-4-7', 'google/gemini-2.5-flash', 'compatible/llama3'])(
  '%s without key or address is not configured',
  (name) => {
    const open = () => createChatModels({ platform: {} }).open(name);

    expect(open).toThrow(ModelError);
    expect(open).toThrow(expect.objectContaining({ failure: 'not_configured', retry: 'never' }));
  },
);

test('a name may hold slashes, tags and dots', () => {
  const models = createChatModels({ platform: { compatible: { baseUrl: 'http://127.0.0.1:11434' } } });

  expect(models.open('compatible/meta-llama/Llama-3.3-70B:free').name).toBe(
    'compatible/meta-llama/Llama-3.3-70B:free',
  );
});

test('a base URL that is none is not configured', () => {
  const open = () => createChatModels({ platform: {} }).open('compatible/llama3', { baseUrl: 'localhost' });

  expect(open).toThrow(expect.objectContaining({ failure: 'not_configured' }));
});

describe('the address', () => {
  test.each([
    ['openai/m', undefined, 'https://api.openai.com/v1/responses'],
    ['anthropic/m', undefined, 'https://api.anthropic.com/v1/messages'],
    [
      'google/m',
      undefined,
      'https://generativelanguage.googleapis.com/v1beta/models/m:streamGenerateContent?alt=sse',
    ],
    ['openai/m', 'http://proxy.internal/', 'http://proxy.internal/v1/responses'],
    ['anthropic/m', 'http://proxy.internal', 'http://proxy.internal/v1/messages'],
    [
      'google/m',
      'http://proxy.internal',
      'http://proxy.internal/v1beta/models/m:streamGenerateContent?alt=sse',
    ],
    ['compatible/m', 'http://127.0.0.1:11434', 'http://127.0.0.1:11434/v1/chat/completions'],
    ['compatible/m', 'https://host/api/v2/', 'https://host/api/v2/chat/completions'],
  ])('of %s under %s is %s', async (name, baseUrl, expected) => {
    const called: string[] = [];
    const fetch: typeof globalThis.fetch = async (input) => {
      called.push(String(input));
      return new Response('', { status: 500 });
    };
    const access = { apiKey: 'k', ...(baseUrl && { baseUrl }) };
    const models = createChatModels({ platform: { [name.split('/')[0] ?? '']: access }, fetch });

    await expect(drain(models.open(name).stream(request, signal))).rejects.toThrow(ModelError);

    expect(called).toEqual([expected]);
  });

  test('is never read from the environment behind our back', async () => {
    vi.stubEnv('OPENAI_BASE_URL', 'http://somewhere.else/v1');
    vi.stubEnv('OPENAI_API_KEY', 'sk-from-the-environment');
    const fetch = vi.fn<typeof globalThis.fetch>(async () => new Response('', { status: 500 }));
    const models = createChatModels({ platform: {}, fetch });

    expect(() => models.open('openai/m')).toThrow(expect.objectContaining({ failure: 'not_configured' }));
    await expect(drain(models.open('openai/m', { apiKey: 'own' }).stream(request, signal))).rejects.toThrow(
      ModelError,
    );

    expect(fetch.mock.calls[0]?.[0]).toBe('https://api.openai.com/v1/responses');
    vi.unstubAllEnvs();
  });
});

test('a provider that sends nothing is given up after 60 s, unless told otherwise', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  const silent: typeof fetch = (_, init) =>
    new Promise((_, failed) => init?.signal?.addEventListener('abort', () => failed(init.signal?.reason)));
  const models = createChatModels({ platform: { openai: { apiKey: 'k' } }, fetch: silent });
  let ended: unknown;
  drain(models.open('openai/m').stream(request, signal)).catch((error: unknown) => {
    ended = error;
  });

  await vi.advanceTimersByTimeAsync(59_999);
  expect(ended).toBeUndefined();
  await vi.advanceTimersByTimeAsync(1);
  await vi.waitFor(() => expect(ended).toMatchObject({ failure: 'timeout' }));
});

async function drain(events: AsyncIterable<unknown>): Promise<void> {
  for await (const _ of events);
}
