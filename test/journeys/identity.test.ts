import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { expect, onTestFinished, test } from 'vitest';
import { aService, sharedService } from '../support/a-service.ts';
import { shopOrigin } from '../support/a-tenant.ts';

const secret = 'the identity secret of the shop, 32 characters or more';
const shared = sharedService({
  tenants: [
    { identity: { secret, required: false } },
    { slug: 'members', identity: { secret, required: true } },
  ],
});

const inAnHour = () => Math.floor(Date.now() / 1_000) + 3_600;

function signed(
  claims: Record<string, unknown>,
  key: Uint8Array = new TextEncoder().encode(secret),
  alg = 'HS256',
) {
  return new SignJWT(claims).setProtectedHeader({ alg }).sign(key);
}

test('a person whom the site vouches for finds the conversation again on another device', async () => {
  const sub = randomUUID();
  const atHome = await shared().aVisitor({ identity: await signed({ sub, exp: inAnHour(), name: 'Ann' }) });
  await atHome.answerTo(await atHome.send('From home'));

  const atWork = await shared().aVisitor({ identity: await signed({ sub, exp: inAnHour() }) });

  expect(atWork.session.conversationId).toBe(atHome.session.conversationId);
  expect((await atWork.history()).map((message) => message.text)).toEqual(['From home', 'From home']);
  const vouched = shared().logLines.filter(({ msg }) => msg === 'a site has vouched for a visitor');
  expect(vouched).toEqual(Array(2).fill(expect.objectContaining({ requestId: expect.any(String) })));
  expect(JSON.stringify(vouched)).not.toContain(sub);
});

test('what a vouched-for person leaves in the browser opens nothing for whoever comes next', async () => {
  const ann = await shared().aVisitor({ identity: await signed({ sub: randomUUID(), exp: inAnHour() }) });
  await ann.answerTo(await ann.send('Private'));

  const next = await shared().aVisitor({ visitorToken: ann.session.visitorToken });

  expect(next.session.conversationId).not.toBe(ann.session.conversationId);
  expect(await next.history()).toEqual([]);
});

test('a channel that requires identity refuses anonymous visitors', async () => {
  expect(await refusalOf('wk_members', {})).toMatchObject({ status: 401, code: 'identity_required' });
});

test.for([
  ['of another key', () => signed({ sub: 'ann', exp: inAnHour() }, new TextEncoder().encode('x'.repeat(40)))],
  ['that has expired', () => signed({ sub: 'ann', exp: inAnHour() - 7_200 })],
  ['without an end', () => signed({ sub: 'ann' })],
  ['without a subject', () => signed({ exp: inAnHour() })],
  ['that lives for a year', () => signed({ sub: 'ann', exp: inAnHour() + 365 * 86_400 })],
  ['of another algorithm', () => signed({ sub: 'ann', exp: inAnHour() }, undefined, 'HS512')],
] as const)('an identity token %s is refused', async ([, make]) => {
  expect(await refusalOf('wk_shop', { identity: await make() })).toMatchObject({
    status: 401,
    code: 'identity_invalid',
  });
});

test('identity by the keys of an identity provider', async () => {
  const { publicKey, privateKey } = await generateKeyPair('ES256');
  const provider = createServer(async (_request, response) => {
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify({ keys: [{ ...(await exportJWK(publicKey)), kid: 'k1', alg: 'ES256' }] }));
  }).listen(0, '127.0.0.1');
  onTestFinished(() => void provider.close());
  await new Promise((resolve) => provider.once('listening', resolve));
  const host = `127.0.0.1:${(provider.address() as AddressInfo).port}`;
  const tenants = [{ identity: { jwksUrl: `http://${host}/keys`, required: true } }];
  const identity = await new SignJWT({ sub: 'ann', exp: inAnHour() })
    .setProtectedHeader({ alg: 'ES256', kid: 'k1' })
    .sign(privateKey);

  const opened = await aService({ tenants, overrides: { allowedHosts: [host] } });
  const ann = await opened.aVisitor({ identity });
  expect(await ann.answerTo(await ann.send('Hello'))).toMatchObject({ text: 'Hello' });

  // The same address, which a tenant chose, is not reached unless the operator opens it: it leads into the machine.
  const guarded = await aService({ tenants });
  await expect(guarded.aVisitor({ identity })).rejects.toThrow('401');
});

async function refusalOf(key: string, body: object): Promise<unknown> {
  const response = await fetch(`${shared().url}/chat/v1/sessions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', origin: shopOrigin },
    body: JSON.stringify({ key, ...body }),
  });
  return response.json();
}
