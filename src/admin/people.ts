import type { peopleOperations } from '@swarmgate/contract/rest/people.ts';
import { fromWire, toWire } from '#domain/ids.ts';
import type { Identity } from '#identity/identity.ts';
import { ProblemError } from '#kernel/problem.ts';
import type { HandlersOf } from './handler.ts';
import { conflict, forbidden, notFound, unauthorized } from './refusals.ts';
import { createRefuseForeign } from './refuse-foreign.ts';
import { notFresh, refuseSignIn, showSignedIn, showSignIn } from './sign-in-answers.ts';

/** What people do about themselves. Whether an account is there is told to nobody but its owner. */
export function personHandlers(people: () => Identity): HandlersOf<typeof peopleOperations> {
  const refuseForeign = createRefuseForeign(people);

  return {
    signIn: { person: async ({ body, client }) => showSignIn(await people().signIn(body, client)) },
    signInByLink: {
      person: async ({ body: { token }, client }) => showSignIn(await people().signInByLink(token, client)),
    },
    signInAtThisMachine: {
      person: async ({ body: { token }, client }) =>
        showSignIn(await people().signInAtThisMachine(token, client)),
    },
    finishSignIn: {
      async person({ body, client }) {
        const finished = await people().finishSignIn(body, client);
        return finished.outcome === 'signed_in' ? showSignedIn(finished) : refuseSignIn(finished);
      },
    },
    beginSignOn: {
      async person({ body: { email, connectionId: wire, returnPath } }) {
        const connectionId = wire === undefined ? undefined : fromWire('signOnConnection', wire);
        const by = connectionId ? { connectionId } : email === undefined ? undefined : { email };
        const begun = by
          ? await people().signOn.begin({ ...by, returnPath })
          : ({ outcome: 'unknown' } as const);
        switch (begun.outcome) {
          case 'begun':
            return { body: { url: begun.url }, signOn: { token: begun.browserToken } };
          case 'foreign_page':
            throw new ProblemError(
              400,
              'foreign_page',
              'Invalid request',
              '`returnPath` is no page of ours.',
            );
          case 'unavailable':
            throw new ProblemError(
              503,
              'issuer_unavailable',
              'Issuer unavailable',
              'The identity provider cannot be asked at this moment; try again soon.',
              { 'Retry-After': '5' },
            );
          case 'unknown':
            throw notFound();
        }
      },
    },
    setPassword: {
      async person({ body, client }) {
        const set = await people().setPasswordByLink(body, client);
        if (set.outcome === 'not_good_enough') throw badPassword(set.fault);
        if (set.outcome === 'refused')
          throw unauthorized('link_invalid', 'The link is not good, or is good no more; ask for a new one.');
        return { body: undefined };
      },
    },
    signOut: {
      async person({ session, client }) {
        await people().revokeSessions(session, { only: session.id }, client);
        return { body: undefined, session: 'ended' };
      },
    },
    getMe: {
      async person({ session }) {
        const person = await people().describePerson(session.userId, session.organizationId);
        if (!person) throw notFound();
        const { hasApp, passkeyCount } = person.secondFactors;
        return {
          body: {
            ...{ id: toWire('user', session.userId), email: person.email, name: person.name },
            ...{ isOperator: session.isOperator, hasSecondFactor: hasApp || passkeyCount > 0 },
            hasShownSecondFactor: session.mfaAtMs !== null,
            ...{ hasAuthenticatorApp: hasApp, passkeyCount },
            tenants: person.tenants.map(({ id, organizationId, ...tenant }) => ({
              ...{ id: toWire('tenant', id), organizationId: toWire('organization', organizationId) },
              ...tenant,
            })),
            organizations: person.organizations.map(({ id, ...organization }) => ({
              id: toWire('organization', id),
              ...organization,
            })),
          },
        };
      },
    },
    changePassword: {
      async person({ session, body, client }) {
        await refuseForeign(session);
        const changed = await people().changePassword(session, body, client);
        switch (changed.outcome) {
          case 'changed':
            return { body: undefined, session: changed.session };
          case 'not_good_enough':
            throw badPassword(changed.fault);
          case 'not_fresh':
            throw notFresh();
          default:
            return refuseSignIn(changed);
        }
      },
    },
    beginSecondFactor: {
      async person({ session, client }) {
        await refuseForeign(session);
        const begun = await people().beginTotp(session, client);
        if (begun.outcome === 'has_one')
          throw conflict('has_second_factor', 'There is one; remove it first.');
        if (begun.outcome === 'not_fresh') throw notFresh();
        return { body: { secret: begun.secret, uri: begun.uri } };
      },
    },
    confirmSecondFactor: {
      async person({ session, body: { code }, client }) {
        await refuseForeign(session);
        const confirmed = await people().confirmTotp(session, code, client);
        if (confirmed.outcome !== 'confirmed')
          throw conflict('code_refused', 'That is no code of the app now.');
        return { body: { recoveryCodes: [...confirmed.recoveryCodes] }, session: confirmed.session };
      },
    },
    showSecondFactor: {
      async person({ session, body: { code }, client }) {
        const shown = await people().stepUp(session, { code }, client);
        return shown.outcome === 'signed_in'
          ? { body: undefined, session: shown.session }
          : refuseSignIn(shown);
      },
    },
    renewRecoveryCodes: {
      async person({ session, client }) {
        await refuseForeign(session);
        const renewed = await people().renewRecoveryCodes(session, client);
        if (renewed.outcome === 'not_fresh') throw notFresh();
        return { body: { recoveryCodes: [...renewed.recoveryCodes] } };
      },
    },
    removeSecondFactor: {
      async person({ session, client }) {
        await refuseForeign(session);
        const { outcome } = await people().removeTotp(session, client);
        if (outcome === 'not_fresh') throw notFresh();
        return { body: undefined };
      },
    },
    listSessions: {
      async person({ session }) {
        const sessions = await people().listSessions(session);
        return {
          body: {
            items: sessions.map(({ id, createdAt, lastSeenAt, expiresAt, amr, address, userAgent }) => ({
              ...{ id: toWire('session', id), isThisOne: id === session.id },
              createdAt: createdAt.toISOString(),
              lastSeenAt: lastSeenAt.toISOString(),
              expiresAt: expiresAt.toISOString(),
              ...{ methods: [...amr], address: address ?? null, userAgent: userAgent ?? null },
            })),
          },
        };
      },
    },
    revokeSession: {
      async person({ session, ids, client }) {
        if (ids.sessionId !== session.id && !people().isFresh(session)) throw notFresh();
        const ended = await people().revokeSessions(session, { only: ids.sessionId }, client);
        if (ended === 0) throw notFound();
        return { body: undefined, ...(ids.sessionId === session.id && { session: 'ended' }) };
      },
    },
    revokeOtherSessions: {
      async person({ session, client }) {
        if (!people().isFresh(session)) throw notFresh();
        return {
          body: { ended: await people().revokeSessions(session, { except: session.id }, client) },
        };
      },
    },
    issueTokens: {
      async person({ session, body: { tenantId, scope }, client }) {
        const tenant = tenantId === undefined ? undefined : fromWire('tenant', tenantId);
        const limits = { ...(tenant !== undefined && { tenantId: tenant }), ...(scope && { scope }) };
        const issued = await people().issueTokens(session, limits, client);
        if (issued.outcome !== 'issued') throw notFound();
        return { body: showTokens(issued) };
      },
    },
    refreshTokens: {
      async person({ body: { refreshToken }, client }) {
        const issued = await people().refreshTokens(refreshToken, client);
        if (issued.outcome !== 'issued')
          throw unauthorized(
            'refresh_refused',
            'The refresh token is not good, or was used before: sign in anew.',
          );
        return { body: showTokens(issued) };
      },
    },
    revokeTokens: {
      async person({ body: { refreshToken }, client }) {
        await people().revokeTokens(refreshToken, client);
        return { body: undefined };
      },
    },
    acceptInvitation: {
      async person({ session, body: { token, account }, client }) {
        const as = account ?? (session && { userId: session.userId, within: session.organizationId });
        if (!as)
          throw unauthorized('session_missing', 'Sign in, or give the name and password of a new account.');
        const accepted = await people().acceptInvitation({ token, as }, client);
        switch (accepted.outcome) {
          case 'accepted':
            return {
              body: {
                ...('tenantId' in accepted
                  ? { tenantId: toWire('tenant', accepted.tenantId) }
                  : { organizationId: toWire('organization', accepted.organizationId) }),
                userId: toWire('user', accepted.userId),
              },
            };
          case 'not_good_enough':
            throw badPassword(accepted.fault);
          case 'refused':
            throw unauthorized(
              'invitation_invalid',
              'The invitation is not good, or is good no more; ask for a new one.',
            );
          case 'other_address':
            throw forbidden('The invitation is for another address than that of the account.');
          case 'has_account':
            throw conflict('has_account', 'The address has an account: sign in to it, and accept then.');
          case 'already_member':
            throw conflict('already_member', 'They are a member already.');
          case 'unconfirmed_address':
            throw conflict(
              'address_unconfirmed',
              'The address of this account has not been confirmed: an operator does so with "swarmgate users link".',
            );
        }
      },
    },
  };
}

const faults = {
  too_short: 'It needs twelve characters or more.',
  too_long: 'It may have 256 characters at most.',
  too_common: 'It is among those that are tried first.',
  like_the_account: 'It is made of the address or the name.',
};

function badPassword(fault: keyof typeof faults): ProblemError {
  return new ProblemError(400, `password_${fault}`, 'Password not taken', faults[fault]);
}

function showTokens({
  accessToken,
  expiresAt,
  refreshToken,
}: {
  accessToken: string;
  expiresAt: Date;
  refreshToken: string;
}) {
  return { accessToken, expiresAt: expiresAt.toISOString(), refreshToken };
}
