import { z } from 'zod';
import { timestamp } from './common.ts';
import { wireId } from './ids.ts';
import { operations } from './operation.ts';
import { organizationRole } from './organization-permissions.ts';
import { permission } from './permissions.ts';

/** How people sign in and look after themselves, and how programs act for them. */

const email = z.string().min(3).max(320);
/** What was handed out before, to be brought along. */
export const secret = z.string().min(1).max(500);
const password = z.string().min(1).max(1_000);
const code = z.string().min(1).max(40).meta({ description: 'Of the authenticator app, or a recovery code.' });

/** A session is in a cookie, which no script reads. */
export const signedIn = z.strictObject({
  outcome: z.literal('signed_in'),
  expiresAt: timestamp,
  mustAddSecondFactor: z
    .boolean()
    .meta({ description: 'They run something, and may not before they have added a second factor.' }),
});
const secondFactorAsked = z.strictObject({
  outcome: z.literal('second_factor'),
  challenge: z.string(),
  expiresInSeconds: z.int(),
  methods: z
    .array(z.enum(['otp', 'passkey', 'recovery']))
    .meta({ description: 'What it may be shown by: an app, a passkey, a recovery code.' }),
});
const signInAnswer = z.discriminatedUnion('outcome', [signedIn, secondFactorAsked]);

const session = z.strictObject({
  id: wireId('sessionId'),
  isThisOne: z.boolean(),
  createdAt: timestamp,
  lastSeenAt: timestamp,
  expiresAt: timestamp,
  methods: z.array(z.string()),
  address: z.string().nullable(),
  userAgent: z.string().nullable(),
});

const tokens = z.strictObject({
  accessToken: z.string(),
  expiresAt: timestamp,
  refreshToken: z.string().meta({ description: 'Good once: the answer to its use has the next one.' }),
});

const tag = 'People';

export const peopleOperations = operations({
  signIn: {
    ...{ method: 'post', path: '/sign-in', tag, needs: 'no-credentials' },
    summary: 'Sign in with a password',
    body: z.strictObject({ email, password }),
    answer: { status: 200, body: signInAnswer },
  },
  finishSignIn: {
    ...{ method: 'post', path: '/sign-in/second-factor', tag, needs: 'no-credentials' },
    summary: 'Show the second factor that a sign-in asks for',
    body: z.strictObject({ challenge: secret, code }),
    answer: { status: 200, body: signedIn },
  },
  signInByLink: {
    ...{ method: 'post', path: '/sign-in/link', tag, needs: 'no-credentials' },
    summary: 'Sign in with the token of a link that an operator made',
    body: z.strictObject({ token: secret }),
    answer: { status: 200, body: signInAnswer },
  },
  signInAtThisMachine: {
    ...{ method: 'post', path: '/sign-in/this-machine', tag, needs: 'no-credentials' },
    summary: 'Sign in with the link that the service prints at its start, at the machine that it runs on',
    body: z.strictObject({ token: secret }),
    answer: { status: 200, body: signInAnswer },
  },
  beginSignOn: {
    ...{ method: 'post', path: '/sign-in/sso', tag, needs: 'no-credentials' },
    summary: 'Begin to sign in with the provider of one’s organization',
    description:
      'By one’s address, or the connection. The browser goes to `url`, comes back, and ends at `returnPath`, a page of ours.',
    body: z.strictObject({
      email: email.optional(),
      connectionId: wireId('signOnConnectionId').optional(),
      returnPath: z.string().max(500).default('/'),
    }),
    answer: { status: 200, body: z.strictObject({ url: z.string() }) },
  },
  setPassword: {
    ...{ method: 'post', path: '/sign-in/password', tag, needs: 'no-credentials' },
    summary: 'Choose a password with the token of a link that an operator made',
    body: z.strictObject({ token: secret, password }),
    answer: { status: 204 },
  },
  signOut: {
    ...{ method: 'post', path: '/sign-out', tag, needs: 'a-session' },
    summary: 'End the session, and the tokens that came from it',
    answer: { status: 204 },
  },
  getMe: {
    ...{ method: 'get', path: '/me', tag, needs: 'a-session' },
    summary: 'Who is signed in, and where they belong',
    answer: {
      status: 200,
      body: z.strictObject({
        id: wireId('userId'),
        email: z.string(),
        name: z.string(),
        isOperator: z.boolean(),
        hasSecondFactor: z.boolean().meta({ description: 'Whether they have one, shown or not.' }),
        hasShownSecondFactor: z.boolean(),
        hasAuthenticatorApp: z.boolean(),
        passkeyCount: z.int(),
        tenants: z.array(
          z.strictObject({
            id: wireId('tenantId'),
            organizationId: wireId('organizationId'),
            slug: z.string(),
            name: z.string(),
            role: z.string(),
          }),
        ),
        organizations: z
          .array(
            z.strictObject({
              id: wireId('organizationId'),
              slug: z.string(),
              name: z.string(),
              role: organizationRole,
            }),
          )
          .meta({ description: 'Those that they help run.' }),
      }),
    },
  },
  changePassword: {
    ...{ method: 'post', path: '/me/password', tag, needs: 'a-session' },
    summary: 'Change one’s password; all other sessions end',
    body: z.strictObject({ current: password, next: password }),
    answer: { status: 204 },
  },
  beginSecondFactor: {
    ...{ method: 'post', path: '/me/second-factor', tag, needs: 'a-session' },
    summary: 'Begin to add an authenticator app',
    answer: { status: 200, body: z.strictObject({ secret: z.string(), uri: z.string() }) },
  },
  confirmSecondFactor: {
    ...{ method: 'post', path: '/me/second-factor/confirm', tag, needs: 'a-session' },
    summary: 'Add the app, by a code of it',
    body: z.strictObject({ code }),
    answer: {
      status: 200,
      body: z.strictObject({
        recoveryCodes: z
          .array(z.string())
          .meta({ description: 'Each is good once. They are shown this once. Empty where there are some.' }),
      }),
    },
  },
  showSecondFactor: {
    ...{ method: 'post', path: '/me/second-factor/show', tag, needs: 'a-session' },
    summary: 'Show the second factor once more, for what is dear',
    body: z.strictObject({ code }),
    answer: { status: 204 },
  },
  renewRecoveryCodes: {
    ...{ method: 'post', path: '/me/second-factor/recovery-codes', tag, needs: 'a-session' },
    summary: 'Make new recovery codes; the old ones are good no more',
    answer: { status: 200, body: z.strictObject({ recoveryCodes: z.array(z.string()) }) },
  },
  removeSecondFactor: {
    ...{ method: 'delete', path: '/me/second-factor', tag, needs: 'a-session' },
    summary: 'Remove the authenticator app',
    answer: { status: 204 },
  },
  listSessions: {
    ...{ method: 'get', path: '/me/sessions', tag, needs: 'a-session' },
    summary: 'List one’s sessions',
    answer: { status: 200, body: z.strictObject({ items: z.array(session) }) },
  },
  revokeSession: {
    ...{ method: 'delete', path: '/me/sessions/{sessionId}', tag, needs: 'a-session' },
    summary: 'End one of them',
    answer: { status: 204 },
  },
  revokeOtherSessions: {
    ...{ method: 'delete', path: '/me/sessions', tag, needs: 'a-session' },
    summary: 'End all but this one',
    answer: { status: 200, body: z.strictObject({ ended: z.int() }) },
  },
  issueTokens: {
    ...{ method: 'post', path: '/tokens', tag, needs: 'a-session' },
    summary: 'Let a program act for whoever is signed in',
    description: 'For one tenant or all, within a scope or not.',
    body: z.strictObject({
      tenantId: wireId('tenantId').optional(),
      scope: z.array(permission).min(1).max(100).optional(),
    }),
    answer: { status: 201, body: tokens },
  },
  refreshTokens: {
    ...{ method: 'post', path: '/tokens/refresh', tag, needs: 'no-credentials' },
    summary: 'Change a refresh token for new tokens',
    description: 'One that comes a second time ends them all: then two have it.',
    body: z.strictObject({ refreshToken: secret }),
    answer: { status: 200, body: tokens },
  },
  revokeTokens: {
    ...{ method: 'post', path: '/tokens/revoke', tag, needs: 'no-credentials' },
    summary: 'End the tokens that a refresh token belongs to',
    body: z.strictObject({ refreshToken: secret }),
    answer: { status: 204 },
  },
  acceptInvitation: {
    ...{ method: 'post', path: '/invitations/accept', tag, needs: 'no-credentials' },
    summary: 'Become a member of a tenant or an organization: with a new account, or as whoever is signed in',
    body: z.strictObject({
      token: secret,
      account: z
        .strictObject({ name: z.string().max(200), password })
        .optional()
        .meta({ description: 'Absent: as whoever is signed in.' }),
    }),
    answer: {
      status: 200,
      body: z.strictObject({
        tenantId: wireId('tenantId').optional(),
        organizationId: wireId('organizationId').optional(),
        userId: wireId('userId'),
      }),
    },
  },
});
