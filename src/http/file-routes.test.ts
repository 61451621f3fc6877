import { once } from 'node:events';
import { type AddressInfo, connect } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, onTestFinished, test } from 'vitest';
import { AppError } from '#domain/errors.ts';
import { createLogger } from '#kernel/logger.ts';
import { createMetrics } from '#kernel/metrics.ts';
import { fileRoutes, type LinkedFile } from './file-routes.ts';
import { createHttpApp } from './http-app.ts';

const token = 'a-token-that-opens-a-file';

/** The whole application around the route; `openLink` answers for the one good token. */
async function anApp(openLink: () => Promise<LinkedFile | undefined>) {
  const lines: string[] = [];
  const app = createHttpApp({
    logger: createLogger('debug', { write: (line) => void lines.push(line) }),
    metrics: createMetrics(async () => []),
    trustedProxies: [],
    routes: [
      {
        path: '/',
        router: fileRoutes({ openLink: async (given) => (given === token ? openLink() : undefined) }),
      },
    ],
  });
  const server = app.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  const ask = (path: string, init?: RequestInit) => fetch(`http://127.0.0.1:${port}${path}`, init);
  return { ask, port, lines };
}

const aFile = (changes: Partial<LinkedFile> = {}): LinkedFile => ({
  name: 'report.pdf',
  contentType: 'application/pdf',
  sizeBytes: 11,
  bytes: new Blob(['hello world']).stream(),
  ...changes,
});

describe('a file behind a link', () => {
  test('is a download, whatever is in it', async () => {
    const { ask } = await anApp(async () => aFile());
    const response = await ask(`/files/${token}`);
    expect(response.status).toBe(200);
    expect(await response.text()).toBe('hello world');
    expect(Object.fromEntries(response.headers)).toMatchObject({
      'content-type': 'application/pdf',
      'content-length': '11',
      'content-disposition': 'attachment; filename=report.pdf', // a token needs no quotes
      'x-content-type-options': 'nosniff',
      'content-security-policy':
        "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; sandbox",
      'cache-control': 'no-store',
    });
  });

  test.each([
    [
      '日本 "x".pdf',
      `attachment; filename="?? \\"x\\".pdf"; filename*=UTF-8''%E6%97%A5%E6%9C%AC%20%22x%22.pdf`,
    ],
    ['it’s 100%.txt', `attachment; filename="it?s 100%.txt"; filename*=UTF-8''it%E2%80%99s%20100%25.txt`],
  ])('keeps its name: %s', async (name, disposition) => {
    const { ask } = await anApp(async () => aFile({ name }));
    expect((await ask(`/files/${token}`)).headers.get('content-disposition')).toBe(disposition);
  });

  test('is said to be what its row says and nothing more: a name with .html changes no type, text gets no character set', async () => {
    const { ask } = await anApp(async () => aFile({ name: 'page.html', contentType: 'text/plain' }));
    expect((await ask(`/files/${token}`)).headers.get('content-type')).toBe('text/plain');
  });

  test('is described by HEAD, and its bytes are let go', async () => {
    let cancelled = false;
    const bytes = new ReadableStream<Uint8Array>({
      cancel() {
        cancelled = true;
      },
    });
    const { ask } = await anApp(async () => aFile({ bytes }));
    const response = await ask(`/files/${token}`, { method: 'HEAD' });
    expect(response.status).toBe(200);
    expect(response.headers.get('content-length')).toBe('11');
    expect(await response.text()).toBe('');
    expect(cancelled).toBe(true);
  });
});

test.each(['/files/another-token', `/files/${token}x`, '/files/%00'])('%s leads nowhere', async (path) => {
  const { ask } = await anApp(async () => aFile());
  const response = await ask(path);
  expect(response.status).toBe(404);
  expect(await response.json()).toMatchObject({ code: 'file_not_found' });
});

test('a store that is away is a problem that passes, and no log line shows the token', async () => {
  const { ask, lines } = await anApp(async () => {
    throw new AppError('files_unavailable', 'It is away.', { retry: 'later' });
  });
  const response = await ask(`/files/${token}`);
  expect(response.status).toBe(503);
  expect(lines).toHaveLength(1);
  expect(lines.join()).not.toContain(token);
});

describe('a file that cannot be sent whole does not pass for a whole one', () => {
  const broken = () =>
    new ReadableStream<Uint8Array>({
      start(controller) {
        controller.enqueue(Buffer.from('hello'));
      },
      async pull(controller) {
        await delay(20);
        controller.error(new AppError('files_unavailable', 'It broke off.', { retry: 'later' }));
      },
    });

  test.each<[string, () => ReadableStream<Uint8Array>]>([
    ['it breaks off', broken],
    ['it is shorter than it should be', () => new Blob(['hello']).stream()],
    ['it is longer than it should be', () => new Blob(['hello world and more']).stream()],
  ])('%s', async (_, bytes) => {
    const { ask, lines } = await anApp(async () => aFile({ bytes: bytes() }));
    await expect(ask(`/files/${token}`).then((response) => response.text())).rejects.toThrow();
    await expect.poll(() => lines.length).toBe(1);
    expect(lines.join()).not.toContain(token);
  });
});

test('who leaves in the middle is no fault, and the bytes are let go', async () => {
  let cancelled = false;
  const endless = new ReadableStream<Uint8Array>({
    async pull(controller) {
      await delay(1);
      controller.enqueue(Buffer.alloc(10_000));
    },
    cancel() {
      cancelled = true;
    },
  });
  const { port, lines } = await anApp(async () => aFile({ sizeBytes: 1e9, bytes: endless }));
  const socket = connect(port, '127.0.0.1');
  socket.write(`GET /files/${token} HTTP/1.1\r\nHost: localhost\r\n\r\n`);
  await once(socket, 'data');
  socket.destroy();
  await expect.poll(() => cancelled).toBe(true);
  expect(lines).toEqual([]);
});
