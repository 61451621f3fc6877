import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterEach, expect, test } from 'vitest';
import { createGuardedFetch } from './guarded-fetch.ts';
import { ForbiddenUrlError } from './url-guard.ts';

type Seen = { method: string; url: string; headers: IncomingHttpHeaders; body: string };
type Answer = { status: number; location?: string };

const servers: Server[] = [];
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server[Symbol.asyncDispose]()));
});

test('a name that leads to this machine is never connected to', async () => {
  const internal = await listen();
  const guarded = createGuardedFetch({
    lookup: (_, __, done) => done(null, [{ address: '127.0.0.1', family: 4 }]),
  });

  await expect(guarded(`http://harmless.example:${internal.port}/`)).rejects.toThrow(ForbiddenUrlError);
  await expect(guarded(`http://localhost:${internal.port}/`)).rejects.toThrow(ForbiddenUrlError);
  expect(internal.seen).toEqual([]);
});

test('a literal address of this machine is never connected to', async () => {
  const internal = await listen();
  const guarded = createGuardedFetch();

  for (const host of ['127.0.0.1', '[::ffff:127.0.0.1]', '0x7f.1', '2130706433']) {
    await expect(guarded(`http://${host}:${internal.port}/`)).rejects.toThrow(ForbiddenUrlError);
  }
  expect(internal.seen).toEqual([]);
});

test('a host that the operator opened is reached', async () => {
  const internal = await listen();

  const response = await createGuardedFetch({ allowedHosts: [internal.host] })(internal.url);

  expect(response.status).toBe(200);
});

test.each([301, 302, 303, 307, 308])('a %i redirect to the inside is not followed', async (status) => {
  const internal = await listen();
  const outside = await listen({ status, location: internal.url });
  const guarded = createGuardedFetch({ allowedHosts: [outside.host] });

  await expect(guarded(outside.url)).rejects.toThrow(ForbiddenUrlError);
  expect(internal.seen).toEqual([]);
});

test('a redirect to another scheme is not followed', async () => {
  const outside = await listen({ status: 302, location: 'file:///etc/passwd' });

  await expect(createGuardedFetch({ allowedHosts: [outside.host] })(outside.url)).rejects.toThrow(
    ForbiddenUrlError,
  );
});

test('a redirect to another origin carries the body of a 307 but no key', async () => {
  const second = await listen();
  const first = await listen({ status: 307, location: second.url });
  const guarded = createGuardedFetch({ allowedHosts: [first.host, second.host] });

  await guarded(
    first.url,
    post({ authorization: 'Bearer k', 'x-api-key': 'k', cookie: 'c=1', 'content-type': 'text/plain' }),
  );

  expect(second.seen).toMatchObject([
    { method: 'POST', body: 'hello', headers: { 'content-type': 'text/plain' } },
  ]);
  expect(second.seen[0]?.headers).not.toHaveProperty('authorization');
  expect(second.seen[0]?.headers).not.toHaveProperty('x-api-key');
  expect(second.seen[0]?.headers).not.toHaveProperty('cookie');
});

test('a redirect on the same origin keeps the headers, and a 303 asks with GET', async () => {
  const server = await listen({ status: 303, location: '/next' });

  await createGuardedFetch({ allowedHosts: [server.host] })(server.url, post({ authorization: 'Bearer k' }));

  expect(server.seen).toMatchObject([
    { method: 'POST', url: '/', body: 'hello' },
    { method: 'GET', url: '/next', body: '', headers: { authorization: 'Bearer k' } },
  ]);
});

test('redirects in a circle end', async () => {
  const server = await listen(...Array.from({ length: 20 }, () => ({ status: 302, location: '/again' })));

  await expect(createGuardedFetch({ allowedHosts: [server.host] })(server.url)).rejects.toThrow(/too often/);
  expect(server.seen).toHaveLength(6);
});

test('the caller may refuse redirects or follow them itself', async () => {
  const server = await listen({ status: 302, location: '/next' }, { status: 302, location: '/next' });
  const guarded = createGuardedFetch({ allowedHosts: [server.host] });

  await expect(guarded(server.url, { redirect: 'error' })).rejects.toThrow(ForbiddenUrlError);
  expect((await guarded(server.url, { redirect: 'manual' })).status).toBe(302);
});

test('a call is aborted with the reason of its signal', async () => {
  const server = await listen();
  const reason = new Error('no longer needed');

  await expect(
    createGuardedFetch({ allowedHosts: [server.host] })(server.url, { signal: AbortSignal.abort(reason) }),
  ).rejects.toBe(reason);
});

function post(headers: Record<string, string>): RequestInit {
  return { method: 'POST', body: 'hello', headers };
}

/** Answers with each of `answers` in turn, then with 200. */
async function listen(...answers: Answer[]) {
  const seen: Seen[] = [];
  const server = createServer(async (request, response) => {
    const { method = '', url = '', headers } = request;
    seen.push({ method, url, headers, body: await text(request) });
    const { status, location } = answers.shift() ?? { status: 200 };
    response.writeHead(status, location === undefined ? {} : { location }).end('inside');
  });
  servers.push(server);
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const { port } = server.address() as AddressInfo;
  return { port, host: `127.0.0.1:${port}`, url: `http://127.0.0.1:${port}/`, seen };
}
