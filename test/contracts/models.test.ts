import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { createGuardedFetch } from '#kernel/guarded-fetch.ts';
import { type ChatModelsParts, createChatModels } from '#models/chat-models.ts';
import { type ModelAccess, ModelError, type ModelEvent, type ModelRequest } from '#models/model.ts';
import { type ModelServer, modelServerUsage, startModelServer } from '../fakes/model-server.ts';

const prompt = 'What did the purple walrus say?';
const question: ModelRequest = {
  instructions: 'Be brief.',
  messages: [
    { role: 'user', text: 'Hello' },
    { role: 'assistant', text: 'Hello, how can I help?' },
    { role: 'user', text: prompt },
  ],
};

let server: ModelServer;
beforeAll(async () => {
  server = await startModelServer();
});
afterAll(() => server.close());
afterEach(() => {
  server.requests.length = 0;
  vi.restoreAllMocks();
});

describe.each(['openai', 'anthropic', 'google', 'compatible'] as const)('%s', (provider) => {
  const name = `${provider}/test-model`;
  const access = (): ModelAccess => ({ apiKey: server.key, baseUrl: server.url });

  const ask = (
    more: Partial<ChatModelsParts> = {},
    signal = new AbortController().signal,
    request = question,
  ) =>
    createChatModels({ platform: { [provider]: access() }, ...more })
      .open(name)
      .stream(request, signal);

  test('an answer arrives in the pieces that the provider sent, and ends with the usage that it reported', async () => {
    server.next({ kind: 'answer', pieces: ['The ', 'walrus ', 'said ', 'hello.'] });

    const events = await collect(ask());

    expect(textsOf(events)).toEqual(['The ', 'walrus ', 'said ', 'hello.']);
    expect(events.at(-1)).toEqual({ kind: 'done', finishReason: 'stop', usage: modelServerUsage });
  });

  test('pieces are handed on while the provider still writes', async () => {
    server.next({ kind: 'silent', pieces: ['first'] });

    const answer = ask()[Symbol.asyncIterator]();

    expect((await answer.next()).value).toEqual({ kind: 'text', delta: 'first' });
    await answer.return?.();
  });

  test('whoever stops listening closes the connection', async () => {
    server.next({ kind: 'silent', pieces: ['first'] });

    for await (const _ of ask()) break;

    await vi.waitFor(() => expect(server.requests.at(-1)?.isAborted).toBe(true));
  });

  test('an answer that reached its bound says so', async () => {
    server.next({ kind: 'answer', pieces: ['half'], finish: 'length' });

    expect((await collect(ask())).at(-1)).toMatchObject({ kind: 'done', finishReason: 'length' });
  });

  test('instructions travel apart from what visitors wrote, which never takes their role', async () => {
    await collect(ask({}, undefined, { ...question, outputTokensMax: 321 }));

    const body = server.requests.at(-1)?.body ?? {};
    const { system, ...rest } = splitInstructions(body);
    expect(JSON.stringify(system)).toContain('Be brief.');
    expect(JSON.stringify(system)).not.toContain('walrus');
    expect(JSON.stringify(rest)).toContain(prompt);
    expect(JSON.stringify(body)).toContain('321');
  });

  test.each([
    [{ 'retry-after': '7' }, 7_000],
    [{ 'retry-after-ms': '1500', 'retry-after': '7' }, 1_500],
    [{}, undefined],
  ])('429 with %j is rate limited, and not tried again here', async (headers, retryAfterMs) => {
    server.next({ kind: 'status', status: 429, headers, code: 'rate_limit_exceeded' });

    expect(await failureOf(ask())).toMatchObject({ failure: 'rate_limited', retry: 'later', retryAfterMs });
    expect(server.requests).toHaveLength(1);
  });

  test.each([500, 503, 529])('%i is unavailable, and not tried again here', async (status) => {
    server.next({ kind: 'status', status });

    expect(await failureOf(ask())).toMatchObject({ failure: 'unavailable', retry: 'later' });
    expect(server.requests).toHaveLength(1);
  });

  test.each([
    [400, 'bad_request'],
    [404, 'bad_request'],
    [422, 'bad_request'],
    [402, 'refused_key'],
    [403, 'refused_key'],
  ])('%i needs a change first', async (status, failure) => {
    server.next({ kind: 'status', status });

    expect(await failureOf(ask())).toMatchObject({ failure, retry: 'never' });
  });

  test('an account without credit is no rate limit', async () => {
    server.next({ kind: 'status', status: 429, code: 'insufficient_quota' });

    expect(await failureOf(ask())).toMatchObject({ failure: 'refused_key', retry: 'never' });
  });

  test('a wrong key is refused, and shown nowhere', async () => {
    const error = vi.spyOn(console, 'error');
    const wrongKey = 'sk-wrong-9876543210fedcba';

    const failure = await failureOf(ask({ platform: { [provider]: { ...access(), apiKey: wrongKey } } }));

    expect(failure).toMatchObject({ failure: 'refused_key', retry: 'never', code: 'model_refused_key' });
    expect(everythingIn(failure)).not.toContain(wrongKey);
    expect(everythingIn(failure)).not.toContain('walrus');
    expect(error).not.toHaveBeenCalled();
  });

  test.each(['cut', 'ended', 'malformed'] as const)(
    'an answer that is %s in the middle is never a finished one',
    async (by) => {
      server.next({ kind: 'broken', pieces: ['half an ', 'answer'], by });

      const { events, error } = await collectUntilError(ask());

      expect(textsOf(events).join('')).toBe('half an answer');
      expect(events.every((event) => event.kind === 'text')).toBe(true);
      expect(error).toMatchObject({ failure: 'interrupted', retry: 'later' });
      expect(everythingIn(error)).not.toContain('walrus');
    },
  );

  test.each(['cut', 'ended', 'malformed'] as const)(
    'an answer that is %s before its first word is interrupted',
    async (by) => {
      server.next({ kind: 'broken', pieces: [], by });

      expect(await failureOf(ask())).toMatchObject({ failure: 'interrupted' });
    },
  );

  test('an overload that is reported in mid answer is unavailable', async () => {
    server.next({ kind: 'broken', pieces: ['half'], by: 'overloaded' });

    expect(await failureOf(ask())).toMatchObject({ failure: 'unavailable' });
  });

  test('an overload that is reported instead of an answer is unavailable', async () => {
    server.next({ kind: 'broken', pieces: [], by: 'overloaded' });

    expect(await failureOf(ask())).toMatchObject({ failure: 'unavailable' });
  });

  test('a filtered answer is not handed on as a whole one', async () => {
    server.next({ kind: 'answer', pieces: ['I '], finish: 'content-filter' });

    expect(await failureOf(ask())).toMatchObject({ failure: 'filtered', retry: 'never' });
  });

  test.each([[undefined], [['half an answer']]])(
    'silence after %j ends in a timeout and closes the connection',
    async (pieces) => {
      server.next({ kind: 'silent', ...(pieces && { pieces }) });

      expect(await failureOf(ask({ idleTimeoutMs: 150 }))).toMatchObject({
        failure: 'timeout',
        retry: 'later',
      });
      await vi.waitFor(() => expect(server.requests.at(-1)?.isAborted).toBe(true));
    },
  );

  test('slow is not silent: an answer may take longer than the bound of silence', async () => {
    server.next({ kind: 'answer', pieces: [...'abcdefghij'], delayMs: 100 });

    expect(textsOf(await collect(ask({ idleTimeoutMs: 700 })))).toHaveLength(10);
  });

  test('a request may bring its own bound of silence', async () => {
    server.next({ kind: 'silent' });

    expect(await failureOf(ask({}, undefined, { ...question, idleTimeoutMs: 100 }))).toMatchObject({
      failure: 'timeout',
    });
  });

  test.each([[undefined], [['first']]])(
    'an abort after %j ends the call at once with its own reason',
    async (pieces) => {
      const abort = new AbortController();
      const reason = new Error('the lease was lost');
      server.next({ kind: 'silent', ...(pieces && { pieces }) });
      const ended = collectUntilError(ask({}, abort.signal));
      await vi.waitFor(() => expect(server.requests).toHaveLength(1));

      const abortedAt = performance.now();
      abort.abort(reason);

      expect((await ended).error).toBe(reason);
      expect(performance.now() - abortedAt).toBeLessThan(1_000);
      await vi.waitFor(() => expect(server.requests.at(-1)?.isAborted).toBe(true));
    },
  );

  test('a signal that is aborted already sends nothing', async () => {
    const reason = new Error('too late');

    expect((await collectUntilError(ask({}, AbortSignal.abort(reason)))).error).toBe(reason);
    expect(server.requests).toHaveLength(0);
  });

  test('a server that is not there is unavailable', async () => {
    const failure = await failureOf(
      ask({ platform: { [provider]: { apiKey: 'k', baseUrl: 'http://127.0.0.1:9/' } } }),
    );

    expect(failure).toMatchObject({ failure: 'unavailable', retry: 'later' });
  });

  test('a redirect is not followed: it would carry the key elsewhere', async () => {
    server.next({ kind: 'status', status: 307, headers: { location: `${server.url}/elsewhere` } });

    expect(await failureOf(ask())).toMatchObject({ failure: 'bad_request' });
    expect(server.requests).toHaveLength(1);
  });

  test("a tenant's key goes before the platform's", async () => {
    const models = createChatModels({ platform: { [provider]: { ...access(), apiKey: 'platform' } } });

    const events = await collect(
      models.open(name, { apiKey: server.key }).stream(question, new AbortController().signal),
    );

    expect(events.at(-1)).toMatchObject({ kind: 'done' });
  });

  test("a tenant's address is called through the guard", async () => {
    const open = (guardedFetch: typeof fetch) =>
      createChatModels({ platform: {}, guardedFetch })
        .open(name, access())
        .stream(question, new AbortController().signal);

    expect(await failureOf(open(createGuardedFetch()))).toMatchObject({
      failure: 'not_configured',
      retry: 'never',
    });
    expect(server.requests).toHaveLength(0);
    expect(await collect(open(createGuardedFetch({ allowedHosts: [server.host] })))).toHaveLength(4);
  });

  test("the platform's key never goes to an address of a tenant's", async () => {
    const models = createChatModels({
      platform: { [provider]: { apiKey: server.key } },
      guardedFetch: createGuardedFetch({ allowedHosts: [server.host] }),
    });

    const attempt = async () =>
      collect(models.open(name, { baseUrl: server.url }).stream(question, new AbortController().signal));

    await expect(attempt()).rejects.toThrow(ModelError);
    for (const { headers } of server.requests) expect(JSON.stringify(headers)).not.toContain(server.key);
  });
});

/** What stands in each wire's place for instructions, and the rest. */
function splitInstructions(body: Record<string, unknown>) {
  const { system, systemInstruction, ...others } = body;
  const isInstruction = (item: { role?: string }) => item.role === 'system' || item.role === 'developer';
  const listName = 'input' in others ? 'input' : 'messages' in others ? 'messages' : 'contents';
  const list = others[listName] as { role?: string }[];
  return {
    system: [system, systemInstruction, ...list.filter(isInstruction)],
    rest: list.filter((item) => !isInstruction(item)),
  };
}

async function collect(events: AsyncIterable<ModelEvent>): Promise<ModelEvent[]> {
  const all: ModelEvent[] = [];
  for await (const event of events) all.push(event);
  return all;
}

async function collectUntilError(
  answer: AsyncIterable<ModelEvent>,
): Promise<{ events: ModelEvent[]; error: unknown }> {
  const events: ModelEvent[] = [];
  try {
    for await (const event of answer) events.push(event);
  } catch (error) {
    return { events, error };
  }
  throw new Error('The answer ended well.');
}

async function failureOf(answer: AsyncIterable<ModelEvent>): Promise<ModelError> {
  const { error } = await collectUntilError(answer);
  if (error instanceof ModelError) return error;
  throw error;
}

function textsOf(events: readonly ModelEvent[]): string[] {
  return events.flatMap((event) => (event.kind === 'text' ? [event.delta] : []));
}

/** All that a careless log line could show of an error. */
function everythingIn(error: unknown): string {
  if (!(error instanceof Error)) return JSON.stringify(error);
  const own = Object.getOwnPropertyNames(error).map((key) => String(Reflect.get(error, key)));
  return [...own, JSON.stringify(error), error.cause ? everythingIn(error.cause) : ''].join('\n');
}
