import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { createApiFetch } from './api-fetch.ts';

async function aServer(answer: RequestListener): Promise<string> {
  const server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
}

const echo: RequestListener = async (request, response) => {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  response.setHeader('x-twice', ['a', 'b']);
  response.statusCode = 201;
  response.end(
    JSON.stringify({
      method: request.method,
      type: request.headers['content-type'],
      body: Buffer.concat(chunks).toString(),
    }),
  );
};

test('sends text and answers what a client of a JSON API reads', async () => {
  const response = await createApiFetch()(await aServer(echo), {
    ...{ method: 'POST', body: 'a=ä', headers: { 'content-type': 'application/x-www-form-urlencoded' } },
  });
  expect(response).toMatchObject({ status: 201, ok: true });
  expect(response.headers.get('x-twice')).toBe('a, b');
  const answer = { method: 'POST', type: 'application/x-www-form-urlencoded', body: 'a=ä' };
  expect(await response.json()).toEqual(answer);
  expect(JSON.parse(await response.text())).toEqual(answer);
  expect(new TextDecoder().decode(await response.arrayBuffer())).toBe(await response.text());
});

test('sends a form with files as well', async () => {
  const body = new FormData();
  body.append('file', new Blob(['parrot']), 'a.txt');
  const response = await createApiFetch()(await aServer(echo), { method: 'POST', body });
  expect(await response.json()).toMatchObject({
    type: expect.stringContaining('multipart/form-data'),
    body: expect.stringContaining('parrot'),
  });
});

test('follows no redirect', async () => {
  const url = await aServer((_request, response) => response.writeHead(302, { location: '/else' }).end());
  expect(await createApiFetch()(url)).toMatchObject({ status: 302, ok: false });
});

test('is broken off by its signal', async () => {
  const url = await aServer(() => {});
  await expect(createApiFetch()(url, { signal: AbortSignal.timeout(50) })).rejects.toThrow();
});

test('fails when nobody answers', async () => {
  const url = await aServer((request) => request.socket.destroy());
  await expect(createApiFetch()(url)).rejects.toThrow();
});
