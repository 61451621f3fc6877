import { once } from 'node:events';
import { request } from 'node:http';
import { expect, onTestFinished, test } from 'vitest';
import type { Env } from '#config/env.ts';
import { aBrowser } from '../support/a-browser.ts';
import { runCommand } from '../support/a-command.ts';
import { aStartedService } from '../support/a-started-service.ts';
import { anInstallation } from '../support/an-installation.ts';
import { eventually } from '../support/eventually.ts';

async function somewhere(): Promise<Env> {
  const { env, remove } = await anInstallation();
  onTestFinished(remove);
  return env;
}

/** Starts it; answers once it has said what there is to say, with the link that it has printed, if any. */
async function started(env: Env) {
  const service = await aStartedService(env);
  await eventually(() => expect(service.output()).toMatch(/Ctrl-C/));
  return { ...service, link: /Admin link +(\S+)/.exec(service.output())?.[1] };
}

const tokenOf = (link = '') => link.split('#')[1] ?? '';

test('the first start prints a link that signs in whoever sits here as operator, and nothing else is asked', async () => {
  const env = await somewhere();
  const service = await started(env);
  expect(service.link).toMatch(/^http:\/\/localhost:\d+\/welcome#sgl_[\w-]{43}$/);
  const token = tokenOf(service.link);

  // To look at the link does not use it up, nor is the secret sent by that.
  const page = await fetch(`${service.url}/welcome`);
  expect(page.status).toBe(200);
  expect(page.headers.get('content-security-policy')).toMatch(
    /^default-src 'none'; script-src 'sha256-[^']+'; style-src 'sha256-[^']+'; connect-src 'self'; require-trusted-types-for 'script'; trusted-types 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'$/,
  );
  expect(page.headers.get('referrer-policy')).toBe('no-referrer');

  const browser = aBrowser(service);
  const signIn = () => browser.call('POST', '/sign-in/this-machine', { body: { token } });
  for (const from of [
    { host: 'attacker.example' },
    { host: `localhost.attacker.example:${new URL(service.url).port}` },
    { host: 'localhost', 'x-forwarded-for': '203.0.113.7' },
    { host: 'localhost', forwarded: 'for=203.0.113.7' },
    { host: 'localhost', via: '1.1 proxy' },
  ]) {
    expect(await called(service.url, '/welcome', from)).toBe(404);
    expect(await called(service.url, '/api/v1/sign-in/this-machine', from, { token })).toBe(401);
  }
  expect(await signIn()).toMatchObject({
    status: 200,
    body: { outcome: 'signed_in', mustAddSecondFactor: false },
  });
  expect(await aBrowser(service).call('POST', '/sign-in/this-machine', { body: { token } })).toMatchObject({
    status: 401,
    body: { code: 'sign_in_refused' },
  });

  const me = await browser.call('GET', '/me');
  expect(me.body).toMatchObject({
    ...{ email: 'operator@swarmgate.localhost', isOperator: true, hasSecondFactor: false },
    tenants: [{ slug: 'demo', role: 'owner' }],
  });
  const path = `/tenants/${me.body.tenants[0].id}`;
  expect(await browser.call('GET', `${path}/members`)).toMatchObject({ status: 200 });
  const organization = { slug: 'acme', name: 'Acme' };
  expect(await browser.call('POST', '/organizations', { body: organization })).toMatchObject({ status: 201 });
  // The same session is less by a proxy that nobody spoke of.
  const proxied = { headers: { 'x-forwarded-for': '203.0.113.7' } };
  expect(await browser.call('GET', `${path}/members`, proxied)).toMatchObject({ status: 403 });
  expect(await browser.call('GET', '/organizations', proxied)).toMatchObject({ status: 403 });
  expect(service.output().match(/sgl_/g)).toHaveLength(1);
});

test('every later start prints a new one, until somebody has a password', async () => {
  const env = await somewhere();
  const first = await started(env);
  first.signal('SIGTERM');
  await first.ended;
  const second = await started(env);
  expect(second.link).not.toBe(first.link);
  const signIn = (link: string | undefined) =>
    aBrowser(second).call('POST', '/sign-in/this-machine', { body: { token: tokenOf(link) } });
  expect(await signIn(first.link)).toMatchObject({ status: 401 });

  const made = await runCommand(['users', 'link', 'operator@swarmgate.localhost', '--json'], env);
  const { token } = JSON.parse(made.output).link;
  const password = 'seven lamps under the quay';
  expect(
    await aBrowser(second).call('POST', '/sign-in/password', { body: { token, password } }),
  ).toMatchObject({ status: 204 });
  expect(await signIn(second.link)).toMatchObject({ status: 401 });
  second.signal('SIGTERM');
  await second.ended;
  expect((await started(env)).link).toBeUndefined();
});

test.each<{ what: string; more: Env }>([
  { what: 'on all addresses', more: { HOST: '0.0.0.0' } },
  { what: 'under a public address', more: { PUBLIC_URL: 'https://chat.example' } },
  { what: 'behind a proxy', more: { TRUSTED_PROXIES: 'loopback' } },
])('a start $what prints none, makes nobody, and has no page for it', async ({ more }) => {
  const env = { ...(await somewhere()), ...more };
  const service = await started(env);
  expect(service.link).toBeUndefined();
  expect((await fetch(`${service.url}/welcome`)).status).toBe(404);
  expect((await runCommand(['users', 'list'], env)).output).toBe('There is nobody.\n');
});

/** The status of a call that says by itself where it is going, as no browser lets a page do. */
async function called(
  url: string,
  path: string,
  headers: Record<string, string>,
  body?: object,
): Promise<number | undefined> {
  const call = request(new URL(path, url), {
    method: body ? 'POST' : 'GET',
    headers: { ...headers, ...(body && { 'content-type': 'application/json', 'x-csrf': '1' }) },
  });
  call.end(body && JSON.stringify(body));
  const [response] = await once(call, 'response');
  response.resume();
  return response.statusCode;
}
