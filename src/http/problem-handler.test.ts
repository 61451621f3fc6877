import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import express, { Router } from 'express';
import { afterEach, describe, expect, test } from 'vitest';
import { AppError } from '#domain/errors.ts';
import { createLogger } from '#kernel/logger.ts';
import { createMetrics } from '#kernel/metrics.ts';
import { ProblemError } from '#kernel/problem.ts';
import { createHttpApp } from './http-app.ts';

const secret = 'sk-aaaaaaaaaaaaaaaaaaaaaaaa';
const closers: (() => void)[] = [];
afterEach(() => {
  for (const close of closers.splice(0)) close();
});

/** An application whose one route throws what it is given. */
async function anApp(thrown: () => unknown) {
  const lines: Record<string, unknown>[] = [];
  const logger = createLogger('debug', { write: (line) => void lines.push(JSON.parse(line)) });
  const router = Router();
  router.get('/throws', () => {
    throw thrown();
  });
  router.get('/throws-late', (_request, response) => {
    response.write('half of an answer');
    throw thrown();
  });
  router.post('/reads', express.json({ limit: 1_000 }), (_request, response) => void response.json({}));
  const metrics = createMetrics(async () => []);
  const app = createHttpApp({ logger, metrics, trustedProxies: [], routes: [{ path: '/', router }] });
  const server = app.listen(0, '127.0.0.1');
  await once(server, 'listening');
  closers.push(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  const ask = (path: string, init?: RequestInit) => fetch(`http://127.0.0.1:${port}${path}`, init);
  return { ask, lines, metrics };
}

describe('an error becomes a problem', () => {
  test.each<[string, unknown, number, string]>([
    ['that it says itself', new ProblemError(403, 'closed', 'Closed', 'It is closed.'), 403, 'closed'],
    [
      'that passes',
      new AppError('storage_unavailable', 'It is away.', { retry: 'later' }),
      503,
      'storage_unavailable',
    ],
    ['that does not', new AppError('scope_violation', `secret ${secret}`), 500, 'internal'],
    ['of a bug', new TypeError(`Cannot read ${secret}`), 500, 'internal'],
    ['that is no error', `thrown ${secret}`, 500, 'internal'],
    ['of an address that cannot be read', new URIError('URI malformed'), 400, 'bad_request'],
  ])('%s', async (_, thrown, status, code) => {
    const { ask, lines } = await anApp(() => thrown);
    const response = await ask('/throws');
    const body = await response.text();
    expect(response.status).toBe(status);
    expect(response.headers.get('content-type')).toMatch(/^application\/problem\+json/);
    expect(JSON.parse(body)).toEqual({
      type: 'about:blank',
      title: expect.any(String),
      status,
      detail: expect.any(String),
      code,
      requestId: response.headers.get('x-request-id'),
    });
    expect(body).not.toMatch(/aaaa|Cannot read|at .*\.ts/);
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatchObject({
      status,
      code,
      method: 'GET',
      path: '/throws',
      level: status < 500 ? 'info' : 'error',
    });
    expect(JSON.stringify(lines)).not.toContain('aaaa');
  });

  test('with its headers', async () => {
    const { ask } = await anApp(
      () => new ProblemError(429, 'slow', 'Slow', 'Slow down.', { 'Retry-After': '7' }),
    );
    expect((await ask('/throws')).headers.get('retry-after')).toBe('7');
  });

  test('and is counted by its code', async () => {
    const { ask, metrics } = await anApp(() => new ProblemError(403, 'closed', 'Closed', 'It is closed.'));
    await ask('/throws');
    expect(await metrics.render()).toMatch(/rejected_total\{code="closed"\} 1/);
  });

  test('or breaks an answer off that had begun: half of one must not pass for a whole one', async () => {
    const { ask, lines } = await anApp(() => new TypeError('a bug'));
    await expect(ask('/throws-late').then((response) => response.text())).rejects.toThrow();
    expect(lines).toHaveLength(1);
  });
});

describe('a body', () => {
  const post = (body: string, headers: Record<string, string> = {}) => ({
    method: 'POST',
    body,
    headers: { 'content-type': 'application/json', ...headers },
  });

  test.each<[string, RequestInit, number, string]>([
    ['that is no JSON', post('{"text": "my cat is called'), 400, 'invalid_json'],
    ['that is JSON but no object', post('"my cat"'), 400, 'invalid_json'],
    ['that is too large', post(JSON.stringify({ text: 'x'.repeat(1_000) })), 413, 'body_too_large'],
    ['in an unknown encoding', post('{}', { 'content-encoding': 'compress' }), 415, 'unsupported_encoding'],
    [
      'in an unknown character set',
      post('{}', { 'content-type': 'application/json; charset=latin1' }),
      415,
      'unsupported_encoding',
    ],
    ['that is not what its encoding says', post('{}', { 'content-encoding': 'gzip' }), 400, 'bad_request'],
  ])('%s is refused, and not repeated', async (_, init, status, code) => {
    const { ask, lines } = await anApp(() => undefined);
    const response = await ask('/reads', init);
    expect(response.status).toBe(status);
    expect(await response.json()).toMatchObject({ code, status });
    expect(JSON.stringify(lines)).not.toContain('my cat');
  });
});

test('what is not there is a problem too', async () => {
  const { ask, lines } = await anApp(() => undefined);
  const response = await ask(`/nothing/${'x'.repeat(500)}?token=${secret}`);
  expect(response.status).toBe(404);
  expect((await response.text()).length).toBeLessThan(600);
  expect(lines).toHaveLength(1);
  expect(JSON.stringify(lines)).not.toContain('aaaa');
});
