import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import { afterEach, expect, test, vi } from 'vitest';
import { newId } from '#domain/ids.ts';
import { aServer } from '../../../../test/support/a-server.ts';
import type { OpenChannel } from '../../gateway.ts';
import { GatewayError } from '../../gateway-error.ts';
import { createSlackApi } from './api.ts';

type Answer = (request: IncomingMessage, response: ServerResponse, body: URLSearchParams) => void;
type Seen = { path: string | undefined; authorization: string | undefined; body: URLSearchParams };

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

async function startServer(answer: Answer) {
  const seen: Seen[] = [];
  const { url, close } = await aServer(async (request, response) => {
    const body = new URLSearchParams(await text(request));
    seen.push({ path: request.url, authorization: request.headers.authorization, body });
    answer(request, response, body);
  });
  closing.push(close);
  return { url: `${url}/api/`, seen, close };
}

const answerWith =
  (status: number, body: unknown, headers: Record<string, string> = {}): Answer =>
  (_request, response) =>
    response
      .writeHead(status, { 'content-type': 'application/json', ...headers })
      .end(typeof body === 'string' ? body : JSON.stringify(body));

function aChannel(token: string, settings: Record<string, unknown> = {}): OpenChannel {
  return {
    ...{
      tenantId: newId(),
      id: newId(),
      platform: 'slack',
      key: 'ck_test',
      settings,
      secrets: { botToken: token },
    },
    ...{ version: 1, status: 'active', statusReason: undefined, tenantStatus: 'active' },
    ...{ tenantSettings: {}, organizationSettings: {}, agent: undefined },
  };
}

function anApi(apiUrl: string, more: { timeoutMs?: number } = {}) {
  const tokens = async (channel: OpenChannel) => channel.secrets['botToken'] ?? '';
  return { api: createSlackApi({ apiUrl, tokens, ...more }) };
}

const never = new AbortController().signal;
const post = { channel: 'C1', text: 'something private' };

async function failureOf(call: Promise<unknown>): Promise<GatewayError> {
  const failure = await call.then(
    () => undefined,
    (error: unknown) => error,
  );
  expect(failure).toBeInstanceOf(GatewayError);
  return failure as GatewayError;
}

async function failureWith(answer: Answer, method: 'chat.postMessage' | 'chat.update' = 'chat.postMessage') {
  const server = await startServer(answer);
  const { api } = anApi(server.url);
  const channel = aChannel('xoxb-secret');
  const failure = await failureOf(api.call(channel, method, post, never));
  return { failure, channel, seen: server.seen };
}

test('each call brings the token of its own channel', async () => {
  const server = await startServer(answerWith(200, { ok: true }));
  const { api } = anApi(server.url);
  const channels = Array.from({ length: 20 }, (_, index) => aChannel(`xoxb-${index}`, { index }));
  await Promise.all(
    channels.map((channel, index) => api.call(channel, 'chat.delete', { channel: `C${index}` }, never)),
  );
  expect(server.seen.map(({ authorization, body }) => [authorization, body.get('channel')]).sort()).toEqual(
    channels.map((_, index) => [`Bearer xoxb-${index}`, `C${index}`]).sort(),
  );
});

test('a channel whose Web API is elsewhere is called there, and no other channel is', async () => {
  const ours = await startServer(answerWith(200, { ok: true }));
  const elsewhere = await startServer(answerWith(200, { ok: true }));
  const { api } = anApi(ours.url);
  await api.call(aChannel('xoxb-1'), 'chat.delete', {}, never);
  await api.call(aChannel('xoxb-2', { apiUrl: elsewhere.url }), 'chat.delete', {}, never);
  expect(ours.seen.map(({ authorization }) => authorization)).toEqual(['Bearer xoxb-1']);
  expect(elsewhere.seen.map(({ authorization }) => authorization)).toEqual(['Bearer xoxb-2']);
});

test('a 429 says how long to wait, and is not called again', async () => {
  const { failure, seen } = await failureWith(answerWith(429, '', { 'retry-after': '30' }));
  expect(failure).toMatchObject({ code: 'gateway_rate_limited', retry: 'later', retryAfterMs: 30_000 });
  expect(seen).toHaveLength(1);
});

test('a 429 that does not say how long is one all the same', async () => {
  const { failure } = await failureWith(answerWith(429, ''));
  expect(failure).toMatchObject({ code: 'gateway_rate_limited', retryAfterMs: 10_000 });
});

test.each([
  ['ratelimited', 'rate_limited', 'later'],
  ['internal_error', 'unavailable', 'later'],
  ['invalid_auth', 'credentials_refused', 'never'],
  ['missing_scope', 'credentials_refused', 'never'],
  ['channel_not_found', 'recipient_gone', 'never'],
  ['cannot_dm_bot', 'recipient_gone', 'never'],
  ['msg_too_long', 'message_refused', 'never'],
  ['a_code_of_tomorrow', 'message_refused', 'never'],
])('%s inside HTTP 200 is a failure: %s', async (code, expected, retry) => {
  const { failure } = await failureWith(answerWith(200, { ok: false, error: code }));
  expect(failure).toMatchObject({ code: `gateway_${expected}`, retry, platformCode: code });
});

test.each(['token_revoked', 'account_inactive', 'invalid_auth'])(
  '%s is a fault of the channel, with what to do',
  async (code) => {
    const { failure } = await failureWith(answerWith(200, { ok: false, error: code }));
    expect(failure.code).toBe('gateway_credentials_refused');
    expect(failure.channelFault).toContain(code);
  },
);

test('a scope that is missing is no fault of the whole channel', async () => {
  const { failure } = await failureWith(answerWith(200, { ok: false, error: 'missing_scope' }));
  expect(failure.channelFault).toBeUndefined();
});

test('what Slack does not answer in JSON is not quoted', async () => {
  const { failure } = await failureWith(answerWith(200, '<html>something private</html>'));
  expect(failure).toMatchObject({
    code: 'gateway_unavailable',
    mayHaveArrived: true,
    platformCode: undefined,
  });
  expect(describe(failure)).not.toContain('private');
});

test('no failure holds a token or a text', async () => {
  const answers = [
    answerWith(502, 'something private xoxb-secret'),
    answerWith(200, { ok: false, error: 'no_text' }),
  ];
  for (const answer of answers) {
    const { failure } = await failureWith(answer);
    expect(describe(failure)).not.toMatch(/private|xoxb/);
  }
});

test('a server error, and a connection that breaks, may have posted', async () => {
  const { failure: error } = await failureWith(answerWith(503, 'down'));
  expect(error).toMatchObject({ code: 'gateway_unavailable', mayHaveArrived: true });
  const { failure: broken, seen } = await failureWith((request) => request.socket.destroy());
  expect(broken).toMatchObject({ code: 'gateway_unavailable', mayHaveArrived: true });
  expect(seen).toHaveLength(1);
});

test('an edit without an answer leaves nothing to look for', async () => {
  const { failure } = await failureWith((request) => request.socket.destroy(), 'chat.update');
  expect(failure).toMatchObject({ code: 'gateway_unavailable', mayHaveArrived: false });
});

test('a connection that was refused has posted nothing', async () => {
  const server = await startServer(answerWith(200, { ok: true }));
  await server.close();
  const { api } = anApi(server.url);
  const failure = await failureOf(api.call(aChannel('xoxb-1'), 'chat.postMessage', post, never));
  expect(failure).toMatchObject({ code: 'gateway_unavailable', retry: 'later', mayHaveArrived: false });
});

test('an answer that does not come in time may have posted', async () => {
  const server = await startServer(() => {});
  const { api } = anApi(server.url, { timeoutMs: 50 });
  const failure = await failureOf(api.call(aChannel('xoxb-1'), 'chat.postMessage', post, never));
  expect(failure).toMatchObject({ code: 'gateway_unavailable', mayHaveArrived: true });
});

test('an aborted call is broken off, and others go on', async () => {
  const waiting: ServerResponse[] = [];
  const server = await startServer((_request, response) => waiting.push(response));
  const { api } = anApi(server.url);
  const aborted = new AbortController();
  const first = failureOf(api.call(aChannel('xoxb-1'), 'chat.postMessage', post, aborted.signal));
  const second = api.call(aChannel('xoxb-2'), 'chat.postMessage', post, never);
  await vi.waitFor(() => expect(waiting).toHaveLength(2));
  const closed = Promise.race(waiting.map(async (response) => once(response, 'close')));
  aborted.abort();
  expect(await first).toMatchObject({ code: 'gateway_unavailable', mayHaveArrived: true });
  await closed;
  for (const response of waiting)
    if (!response.destroyed) response.end(JSON.stringify({ ok: true, ts: '1.2' }));
  expect(await second).toMatchObject({ ts: '1.2' });
});

test('a call does not begin when its time is up', async () => {
  const server = await startServer(answerWith(200, { ok: true }));
  const { api } = anApi(server.url);
  const failure = await failureOf(api.call(aChannel('xoxb-1'), 'chat.delete', {}, AbortSignal.abort()));
  expect(failure).toMatchObject({ code: 'gateway_not_now', retryAfterMs: 0 });
  expect(server.seen).toHaveLength(0);
});

function describe(error: GatewayError): string {
  const parts: unknown[] = [error.message, error.platformCode, error.stack];
  for (let cause = error.cause; cause instanceof Error; cause = cause.cause)
    parts.push(cause.message, cause.stack);
  return parts.join('\n');
}
