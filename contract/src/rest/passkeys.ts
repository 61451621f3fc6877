import { z } from 'zod';
import { displayName, timestamp } from './common.ts';
import { wireId } from './ids.ts';
import { operations } from './operation.ts';
import { secret, signedIn } from './people.ts';

/**
 * Passkeys (WebAuthn Level 3). Each use is a ceremony of two calls: the first answers what the browser is to ask an authenticator
 * for, the second takes what it answered.
 */

const base64url = (lengthMax: number) =>
  z
    .string()
    .min(1)
    .max(lengthMax)
    .regex(/^[A-Za-z0-9_-]+$/, 'must be base64url');

// Browsers add fields to what they hand over as time goes by, so these objects are open: what is not named is left out.
const credential = { id: base64url(1_400), rawId: base64url(1_400), type: z.literal('public-key') };

const registration = z
  .object({
    ...credential,
    response: z.object({
      clientDataJSON: base64url(8_000),
      attestationObject: base64url(40_000),
      transports: z
        .array(z.string().regex(/^[a-z0-9-]{1,32}$/))
        .max(10)
        .optional(),
    }),
  })
  .meta({ description: '`PublicKeyCredential.toJSON()` of what `navigator.credentials.create()` gave.' });

const assertion = z
  .object({
    ...credential,
    response: z.object({
      clientDataJSON: base64url(8_000),
      authenticatorData: base64url(8_000),
      signature: base64url(8_000),
      userHandle: base64url(100).nullish(),
    }),
  })
  .meta({ description: '`PublicKeyCredential.toJSON()` of what `navigator.credentials.get()` gave.' });

const ceremony = secret.meta({ description: 'Of the call that began it. Good once, within five minutes.' });

/** What a browser is told, as `PublicKeyCredential.parse…OptionsFromJSON()` takes it. */
const begun = (parse: string) =>
  z.strictObject({
    ceremony: z.string(),
    options: z
      .record(z.string(), z.unknown())
      .meta({ description: `For \`PublicKeyCredential.${parse}()\`.` }),
  });
const toCreate = begun('parseCreationOptionsFromJSON');
const toGet = begun('parseRequestOptionsFromJSON');

const passkey = z.strictObject({
  id: wireId('passkeyId'),
  name: z.string(),
  createdAt: timestamp,
  lastUsedAt: timestamp.nullable(),
  isBackedUp: z.boolean().meta({ description: 'It is on more devices than one, or is brought to new ones.' }),
  transports: z.array(z.string()).meta({ description: 'How it is reached: `internal`, `hybrid`, `usb`, …' }),
});

const tag = 'People';

export const passkeyOperations = operations({
  beginPasskeySignIn: {
    ...{ method: 'post', path: '/sign-in/passkey/options', tag, needs: 'no-credentials' },
    summary: 'Begin to sign in with a passkey, without saying who one is',
    answer: { status: 200, body: toGet },
  },
  signInWithPasskey: {
    ...{ method: 'post', path: '/sign-in/passkey', tag, needs: 'no-credentials' },
    summary: 'Sign in with a passkey, which is both factors in one',
    body: z.strictObject({ ceremony, credential: assertion }),
    answer: { status: 200, body: signedIn },
  },
  beginPasskeySecondFactor: {
    ...{ method: 'post', path: '/sign-in/second-factor/passkey/options', tag, needs: 'no-credentials' },
    summary: 'Begin to show a passkey as the second factor that a sign-in asks for',
    body: z.strictObject({ challenge: secret }),
    answer: { status: 200, body: toGet },
  },
  finishSignInWithPasskey: {
    ...{ method: 'post', path: '/sign-in/second-factor/passkey', tag, needs: 'no-credentials' },
    summary: 'Show it',
    body: z.strictObject({ challenge: secret, ceremony, credential: assertion }),
    answer: { status: 200, body: signedIn },
  },
  listPasskeys: {
    ...{ method: 'get', path: '/me/passkeys', tag, needs: 'a-session' },
    summary: 'List one’s passkeys',
    answer: { status: 200, body: z.strictObject({ items: z.array(passkey) }) },
  },
  beginPasskey: {
    ...{ method: 'post', path: '/me/passkeys/options', tag, needs: 'a-session' },
    summary: 'Begin to add a passkey',
    answer: { status: 200, body: toCreate },
  },
  addPasskey: {
    ...{ method: 'post', path: '/me/passkeys', tag, needs: 'a-session' },
    summary: 'Add it; all other sessions end',
    body: z.strictObject({ ceremony, credential: registration, name: displayName.optional() }),
    answer: {
      status: 201,
      body: z.strictObject({
        passkey,
        recoveryCodes: z.array(z.string()).meta({
          description:
            'With the first second factor. Each is good once, and they are shown this once. Empty where there are some.',
        }),
      }),
    },
  },
  renamePasskey: {
    ...{ method: 'patch', path: '/me/passkeys/{passkeyId}', tag, needs: 'a-session' },
    summary: 'Call a passkey something else',
    body: z.strictObject({ name: displayName }),
    answer: { status: 200, body: passkey },
  },
  removePasskey: {
    ...{ method: 'delete', path: '/me/passkeys/{passkeyId}', tag, needs: 'a-session' },
    summary: 'Remove a passkey; all other sessions end',
    answer: { status: 204 },
  },
  beginPasskeyStepUp: {
    ...{ method: 'post', path: '/me/second-factor/passkey/options', tag, needs: 'a-session' },
    summary: 'Begin to show a passkey once more, for what is dear',
    answer: { status: 200, body: toGet },
  },
  showPasskey: {
    ...{ method: 'post', path: '/me/second-factor/passkey', tag, needs: 'a-session' },
    summary: 'Show it',
    body: z.strictObject({ ceremony, credential: assertion }),
    answer: { status: 204 },
  },
});
