import { expect, test } from 'vitest';
import { anAuthenticator } from '../fakes/authenticator.ts';
import { aBrowser, aPersonSignedIn, somePassword } from '../support/a-browser.ts';
import { sharedService } from '../support/a-service.ts';
import { callerOf } from '../support/an-api-caller.ts';

const service = sharedService({ tenants: [{ slug: 'shop' }], env: { PUBLIC_URL: 'https://chat.example' } });
const origin = 'https://chat.example';

/** Signs in with a passkey alone, from a browser that nobody is signed in to. */
async function enter(device: ReturnType<typeof anAuthenticator>) {
  const browser = aBrowser(service());
  const begun = await browser.call('POST', '/sign-in/passkey/options');
  const credential = device.get(begun.body.options);
  const answer = await browser.call('POST', '/sign-in/passkey', {
    body: { ceremony: begun.body.ceremony, credential },
  });
  return { browser, answer };
}

test('a person adds a passkey, signs in with it alone, shows it for what is dear, and removes it', async () => {
  const email = 'ann@example.com';
  const browser = await aPersonSignedIn(service(), { email });
  const device = anAuthenticator({ origin });
  const before = browser.cookie;
  const begun = await browser.call('POST', '/me/passkeys/options');
  expect(begun).toMatchObject({
    status: 200,
    body: {
      options: {
        rp: { id: 'chat.example', name: 'Swarmgate' },
        user: { name: email },
        attestation: 'none',
        excludeCredentials: [],
      },
    },
  });
  const added = await browser.call('POST', '/me/passkeys', {
    body: { ceremony: begun.body.ceremony, credential: device.create(begun.body.options), name: 'Telephone' },
  });
  expect(added).toMatchObject({
    status: 201,
    body: { passkey: { name: 'Telephone', lastUsedAt: null, isBackedUp: false } },
  });
  expect(added.body.recoveryCodes).toHaveLength(10);
  expect(browser.cookie).not.toBe(before);
  expect((await browser.call('GET', '/me')).body).toMatchObject({
    ...{ hasSecondFactor: true, hasShownSecondFactor: true, hasAuthenticatorApp: false, passkeyCount: 1 },
  });

  const { browser: other, answer } = await enter(device);
  expect(answer).toMatchObject({ status: 200, body: { outcome: 'signed_in', mustAddSecondFactor: false } });
  const path = `/me/passkeys/${added.body.passkey.id}`;
  expect(await other.call('PATCH', path, { body: { name: 'Phone' } })).toMatchObject({
    status: 200,
    body: { name: 'Phone', lastUsedAt: expect.any(String), transports: ['internal', 'hybrid'] },
  });
  expect((await other.call('GET', '/me/sessions')).body.items).toMatchObject([
    { methods: ['passkey'], isThisOne: true },
    { methods: ['pwd', 'passkey'] },
  ]);

  const stepping = await other.call('POST', '/me/second-factor/passkey/options');
  const shown = await other.call('POST', '/me/second-factor/passkey', {
    body: { ceremony: stepping.body.ceremony, credential: device.get(stepping.body.options) },
  });
  expect(shown.status).toBe(204);
  expect(await other.call('DELETE', path)).toMatchObject({ status: 204 });
  expect((await other.call('GET', '/me/passkeys')).body).toEqual({ items: [] });
  expect(await other.call('DELETE', path)).toMatchObject({ status: 403 });
  expect((await enter(device)).answer).toMatchObject({ status: 401, body: { code: 'sign_in_refused' } });
});

test('a passkey is the second factor of a password', async () => {
  const email = 'bob@example.com';
  const browser = await aPersonSignedIn(service(), { email });
  const device = anAuthenticator({ origin, algorithm: -8, counts: false, isBackedUp: true });
  const begun = await browser.call('POST', '/me/passkeys/options');
  const added = await browser.call('POST', '/me/passkeys', {
    body: { ceremony: begun.body.ceremony, credential: device.create(begun.body.options) },
  });
  expect(added.body.passkey).toMatchObject({ name: 'Passkey', isBackedUp: true });

  const asked = await browser.call('POST', '/sign-in', { body: { email, password: somePassword } });
  expect(asked.body).toMatchObject({ outcome: 'second_factor', methods: ['passkey', 'recovery'] });
  const { challenge } = asked.body;
  const second = await browser.call('POST', '/sign-in/second-factor/passkey/options', {
    body: { challenge },
  });
  const proof = { challenge, ceremony: second.body.ceremony, credential: device.get(second.body.options) };
  const finish = () => browser.call('POST', '/sign-in/second-factor/passkey', { body: proof });
  expect(await finish()).toMatchObject({ status: 200, body: { outcome: 'signed_in' } });
  expect(await finish()).toMatchObject({ status: 401 });
  // Of another person's passkey nothing is seen.
  const carol = await aPersonSignedIn(service(), { email: 'carol@example.com' });
  const path = `/me/passkeys/${added.body.passkey.id}`;
  expect(await carol.call('PATCH', path, { body: { name: 'Mine' } })).toMatchObject({ status: 404 });
  expect(await carol.call('POST', '/me/second-factor/passkey/options')).toMatchObject({
    status: 409,
    body: { code: 'no_passkey' },
  });
});

test('a passkey is told to nobody who is not signed in', async () => {
  const stranger = callerOf(service());
  for (const [method, path] of [
    ['GET', '/me/passkeys'],
    ['POST', '/me/passkeys/options'],
    ['POST', '/me/second-factor/passkey/options'],
  ] as const)
    expect(await stranger(method, path)).toMatchObject({ status: 401 });
  const options = await stranger('POST', '/sign-in/passkey/options');
  expect(options.body.options).not.toHaveProperty('allowCredentials');
});
