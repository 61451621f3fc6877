import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { ConnectorFailure, createConnector } from './sdk.ts';

/** What Microsoft's SDK really sends, and what it makes of answers. */
type Seen = { method: string; url: string; headers: IncomingHttpHeaders; body: string };
const seen: Seen[] = [];
let answer = { status: 201, headers: {} as Record<string, string>, body: '{"id":"1"}' };
let isSilent = false;
let serviceUrl = '';

const server = createServer((request, response) => {
  let body = '';
  request.on('data', (piece: Buffer) => (body += piece.toString()));
  request.on('end', () => {
    seen.push({ method: request.method ?? '', url: request.url ?? '', headers: request.headers, body });
    if (isSilent) return;
    response.writeHead(answer.status, { 'content-type': 'application/json', ...answer.headers });
    response.end(answer.body);
  });
});

beforeAll(async () => {
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  serviceUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}/amer/tenant/`;
});
afterAll(async () => {
  server.closeAllConnections();
  await server[Symbol.asyncDispose]();
});
beforeEach(() => {
  seen.length = 0;
  isSilent = false;
  answer = { status: 201, headers: {}, body: '{"id":"1"}' };
});

const connector = createConnector();
const call = (more: { signal?: AbortSignal; serviceUrl?: string } = {}) => ({
  ...{ serviceUrl, token: 'the-token', signal: AbortSignal.timeout(5_000) },
  ...more,
});
const message = { type: 'message', text: 'hello' };
const failureOf = (work: Promise<unknown>) =>
  work.then(
    () => undefined,
    (error: unknown) => error as ConnectorFailure,
  );

test('each call goes where it should, with the token and every field of what we made', async () => {
  const activity = {
    ...{ type: 'typing', text: 'x', channelData: { deep: { er: 1 } } },
    entities: [{ type: 'streaminfo', streamId: 's', streamSequence: 2, streamType: 'streaming' }],
  };
  expect(await connector.create(call(), '19:a@thread.tacv2;messageid=1', activity)).toEqual({ id: '1' });
  answer = { ...answer, status: 200 };
  await connector.update(call(), 'a:1', '7', { ...message, id: '7' });
  await connector.remove(call(), 'a:1', '7');
  answer = { ...answer, status: 201 };
  expect(await connector.createConversation(call(), { isGroup: false, members: [{ id: '29:a' }] })).toEqual({
    id: '1',
  });
  expect(seen.map(({ method, url }) => [method, decodeURIComponent(url)])).toEqual([
    ['POST', '/amer/tenant/v3/conversations/19:a@thread.tacv2;messageid=1/activities'],
    ['PUT', '/amer/tenant/v3/conversations/a:1/activities/7'],
    ['DELETE', '/amer/tenant/v3/conversations/a:1/activities/7'],
    ['POST', '/amer/tenant/v3/conversations'],
  ]);
  expect(JSON.parse(seen[0]?.body ?? '')).toEqual(activity);
  for (const { headers } of seen) expect(headers.authorization).toBe('Bearer the-token');
});

test('calls at the same time, with tokens of different bots, are not mixed up', async () => {
  await Promise.all(
    Array.from({ length: 40 }, (_, index) =>
      connector.create({ ...call(), token: `token-${index}` }, `a:${index}`, {
        type: 'message',
        text: `text ${index}`,
      }),
    ),
  );
  expect(seen).toHaveLength(40);
  for (const { url, headers, body } of seen) {
    const [, index] = /a%3A(\d+)/.exec(url) ?? [];
    expect(headers.authorization).toBe(`Bearer token-${index}`);
    expect(JSON.parse(body)).toEqual({ type: 'message', text: `text ${index}` });
  }
});

describe('a call that does not end well', () => {
  test.each([408, 412, 429, 500, 502, 503, 504])(
    'with %s is made once, and tells the code',
    async (status) => {
      answer = {
        status,
        headers: { 'retry-after': '2' },
        body: '{"error":{"code":"Busy","message":"later"}}',
      };
      const startedAt = performance.now();
      const failure = await failureOf(connector.create(call(), 'a:1', message));
      expect(failure).toBeInstanceOf(ConnectorFailure);
      expect(failure).toMatchObject({ status, code: 'Busy', retryAfter: '2' });
      expect(seen).toHaveLength(1);
      expect(performance.now() - startedAt).toBeLessThan(1_500);
    },
  );

  test('tells the more exact code that Teams puts into a text', async () => {
    const inner = JSON.stringify({ subCode: 'MessageWritesBlocked', details: 'x' }, undefined, 2);
    answer = { status: 403, headers: {}, body: JSON.stringify({ errorCode: 209, message: inner }) };
    expect(await failureOf(connector.create(call(), 'a:1', message))).toMatchObject({
      ...{ status: 403, code: 'MessageWritesBlocked' },
    });
  });

  test('follows no redirect: the token stays with the address that was signed', async () => {
    for (const status of [301, 302, 307, 308]) {
      answer = { status, headers: { location: `${serviceUrl}elsewhere` }, body: '' };
      expect(await failureOf(connector.create(call(), 'a:1', message))).toMatchObject({ status });
    }
    expect(seen).toHaveLength(4);
  });

  test('ends when its time is over', async () => {
    isSilent = true;
    const failure = await failureOf(
      connector.create(call({ signal: AbortSignal.timeout(200) }), 'a:1', message),
    );
    expect(failure).toMatchObject({ status: undefined });
    expect(seen).toHaveLength(1);
  });

  test('says that nobody was there', async () => {
    const failure = await failureOf(
      connector.create(call({ serviceUrl: 'http://127.0.0.1:9/' }), 'a:1', message),
    );
    expect(failure).toMatchObject({ status: undefined, code: 'ECONNREFUSED' });
  });

  test('has neither token nor text in what it tells', async () => {
    answer = { status: 400, headers: {}, body: '{"error":{"code":"BadSyntax","message":"hello the-token"}}' };
    const failure = await failureOf(connector.create(call(), 'a:1', message));
    expect(JSON.stringify(failure) + String(failure?.stack)).not.toMatch(/the-token|hello/);
    expect(failure?.cause).toBeUndefined();
  });

  test('that is no JSON is a failure with its status', async () => {
    answer = { status: 502, headers: { 'content-type': 'text/html' }, body: '<html>Bad gateway</html>' };
    expect(await failureOf(connector.create(call(), 'a:1', message))).toMatchObject({ status: 502 });
  });
});
