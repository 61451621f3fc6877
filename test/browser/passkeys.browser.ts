import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { runCommand } from '../support/a-command.ts';
import { aBrowser } from './support/a-browser.ts';
import { type RunningService, startService } from './support/running-service.ts';
import { openPage } from './support/watched-page.ts';

const browser = aBrowser();
let running: RunningService | undefined;

beforeAll(async () => {
  running = await startService();
});
afterAll(() => running?.stop());

const email = 'ann@example.com';
const password = 'seven lamps under the quay';

test('a passkey is made and used by a browser, on the page that it is for', async () => {
  if (!running) throw new Error('The service has not been started yet.');
  const { url, env } = running;
  const made = await runCommand(['users', 'create', email, '--password-stdin'], env, password);
  expect(made).toMatchObject({ code: 0 });
  const { page, expectClean } = await openPage(browser());
  onTestFinished(() => page.context().close());
  await page.goto(url);
  await aVirtualAuthenticator(page);

  expect(await call(page, '/sign-in', { email, password })).toMatchObject({ status: 200 });
  const begun = await call(page, '/me/passkeys/options');
  const created = await page.evaluate(async (options) => {
    const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(options);
    return ((await navigator.credentials.create({ publicKey })) as PublicKeyCredential).toJSON();
  }, begun.body.options);
  const added = await call(page, '/me/passkeys', {
    ceremony: begun.body.ceremony,
    credential: created,
    name: 'This browser',
  });
  expect(added).toMatchObject({ status: 201, body: { passkey: { transports: ['internal'] } } });
  expect(await call(page, '/sign-out')).toMatchObject({ status: 204 });

  const asked = await call(page, '/sign-in/passkey/options');
  const signedIn = await call(page, '/sign-in/passkey', {
    ceremony: asked.body.ceremony,
    credential: await use(page, asked.body.options),
  });
  expect(signedIn).toMatchObject({ status: 200, body: { outcome: 'signed_in' } });
  const me = await page.evaluate(async () => (await fetch('/api/v1/me')).json());
  expect(me).toMatchObject({ email, hasShownSecondFactor: true, passkeyCount: 1 });

  // After a password, and once more for what is dear.
  const { body } = await call(page, '/sign-in', { email, password });
  const second = await call(page, '/sign-in/second-factor/passkey/options', { challenge: body.challenge });
  expect(
    await call(page, '/sign-in/second-factor/passkey', {
      challenge: body.challenge,
      ceremony: second.body.ceremony,
      credential: await use(page, second.body.options),
    }),
  ).toMatchObject({ status: 200 });
  const stepping = await call(page, '/me/second-factor/passkey/options');
  expect(
    await call(page, '/me/second-factor/passkey', {
      ceremony: stepping.body.ceremony,
      credential: await use(page, stepping.body.options),
    }),
  ).toMatchObject({ status: 204 });
  expectClean([url]);
});

/** An authenticator of the browser's own, which says yes whenever it is asked. */
async function aVirtualAuthenticator(page: Page): Promise<void> {
  const session = await page.context().newCDPSession(page);
  await session.send('WebAuthn.enable');
  await session.send('WebAuthn.addVirtualAuthenticator', {
    options: {
      ...{ protocol: 'ctap2', transport: 'internal', hasResidentKey: true },
      ...{ hasUserVerification: true, isUserVerified: true, automaticPresenceSimulation: true },
    },
  });
}

function use(page: Page, options: PublicKeyCredentialRequestOptionsJSON): Promise<unknown> {
  return page.evaluate(async (given) => {
    const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(given);
    return ((await navigator.credentials.get({ publicKey })) as PublicKeyCredential).toJSON();
  }, options);
}

/** A call of the page's own. */
function call(page: Page, path: string, body?: object) {
  return page.evaluate(
    async ([to, sent]) => {
      const answer = await fetch(`/api/v1${to}`, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json', 'X-CSRF': '1' },
        body: JSON.stringify(sent ?? {}),
      });
      const text = await answer.text();
      return { status: answer.status, body: text === '' ? undefined : JSON.parse(text) };
    },
    [path, body] as const,
  );
}
