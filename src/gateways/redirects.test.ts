import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { redeemCode as redeemAtDiscord } from './discord/install/authorize.ts';
import { redeemCode as redeemAtSlack, revokeToken } from './slack/install/install-grant.ts';

/** Somebody in the place of a platform who sends everybody on, to where it is noted who came. */
async function aRedirector() {
  const arrived: string[] = [];
  const server = createServer((request, response) => {
    if (request.url?.startsWith('/elsewhere')) arrived.push(request.url);
    response.writeHead(307, { location: `/elsewhere${request.url}` }).end();
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, arrived };
}

test('the secret of a Discord app goes along no redirect', async () => {
  const { url, arrived } = await aRedirector();
  const app = { applicationId: '1', clientSecret: 'a secret', apiUrl: url };
  expect(await redeemAtDiscord(app, 'code', 'https://chat.example/oauth')).toEqual({ kind: 'away' });
  expect(arrived).toEqual([]);
});

test('the secret of a Slack app goes along no redirect, nor does a token', async () => {
  const { url, arrived } = await aRedirector();
  const app = { appId: 'A1', clientId: '1', clientSecret: 'a secret' };
  const options = { apiUrl: `${url}/`, nowMs: 0 };
  await expect(redeemAtSlack(app, 'code', 'https://chat.example/oauth', options)).rejects.toThrow();
  expect(await revokeToken('xoxb-1', `${url}/`)).toBe(false);
  expect(arrived).toEqual([]);
});
