import type { AuditTrail } from '#audit/audit-trail.ts';
import type { Uuid } from '#domain/ids.ts';
import { createGuardedFetch } from '#kernel/guarded-fetch.ts';
import type { KeyRing } from '#kernel/key-ring.ts';
import type { SecurityEventKind } from '#kernel/metrics.ts';
import { createTxtResolver, type ResolveTxt } from '#kernel/resolve-txt.ts';
import type { Scopes } from '#tenancy/scopes.ts';
import { createAttempts } from './attempts.ts';
import { createAuthenticator } from './authenticator.ts';
import type { Client } from './client.ts';
import { createGrants } from './grants.ts';
import type { SecondFactorPolicy } from './identity-parts.ts';
import { createIssuedTokens } from './issuers/issued-tokens.ts';
import { createOutside } from './issuers/outside.ts';
import { createRemoteKeys } from './issuers/remote-keys.ts';
import { type Accepting, acceptInvitation } from './members/accept-invitation.ts';
import { invite, listInvitations, revokeInvitation } from './members/invite.ts';
import { changeMemberRole, listMembers, removeMember } from './members/members.ts';
import { createOrganizationGrants } from './organizations/organization-grants.ts';
import {
  inviteToOrganization,
  listOrganizationInvitations,
  revokeOrganizationInvitation,
} from './organizations/organization-invitations.ts';
import {
  addOrganizationMember,
  changeOrganizationRole,
  listOrganizationMembers,
  removeOrganizationMember,
} from './organizations/organization-members.ts';
import { addPasskey, beginPasskey } from './passkeys/add-passkey.ts';
import { beginPasskeySecondFactor, beginPasskeyStepUp } from './passkeys/begin-showing.ts';
import { listPasskeys, removePasskey, renamePasskey } from './passkeys/own-passkeys.ts';
import { relyingPartyOf } from './passkeys/relying-party.ts';
import { beginPasskeySignIn, signInWithPasskey } from './passkeys/sign-in-with-passkey.ts';
import { changePassword } from './passwords/change-password.ts';
import { describePerson } from './people/describe-person.ts';
import { mayChangeAccount } from './people/may-change-account.ts';
import { beginTotp, confirmTotp, removeTotp, renewRecoveryCodes } from './second-factor/enrol-totp.ts';
import { listSessions, revokeSessions } from './sessions/own-sessions.ts';
import { sessionCookie } from './sessions/session-cookie.ts';
import { createSessionLookup } from './sessions/session-lookup.ts';
import { type FoundSession, isFresh } from './sessions/web-session.ts';
import { finishSignIn, stepUp } from './sign-in/finish-sign-in.ts';
import { signIn } from './sign-in/sign-in.ts';
import { setPasswordByLink, signInAtThisMachine, signInByLink } from './sign-in/sign-in-link.ts';
import { createSignOn } from './sign-on/sign-on.ts';
import { createAccessTokens } from './tokens/access-tokens.ts';
import { issueTokens, refreshTokens, revokeTokens, type TokenLimits } from './tokens/refresh-tokens.ts';
import { createSigningKeys } from './tokens/signing-keys.ts';

export type { Client } from './client.ts';
export type { SecondFactorPolicy } from './identity-parts.ts';
export type { OwnPasskey } from './passkeys/own-passkeys.ts';
export type { FoundSession } from './sessions/web-session.ts';

type SessionOwner = Pick<FoundSession, 'userId' | 'organizationId'>;

/** The front door of people: how they sign in, what they may do where, and who they are there with. */
export type Identity = ReturnType<typeof createIdentity>;

/**
 * `publicUrl`: the address of this installation, which its tokens are from and for. `guardedFetch` leads to the identity
 * providers of tenants and organizations; `allowedHosts` are those that the operator opens although they are not public.
 */
export function createIdentity({
  scopes,
  keyRing,
  audit,
  publicUrl,
  issuerName = 'Swarmgate',
  secondFactorOf = 'admins',
  guardedFetch = createGuardedFetch(),
  allowedHosts = [],
  resolveTxt = createTxtResolver(),
  onSecurityEvent = () => {},
  nowMs = Date.now,
}: {
  scopes: Scopes;
  keyRing: KeyRing;
  audit: AuditTrail;
  publicUrl: string;
  issuerName?: string;
  secondFactorOf?: SecondFactorPolicy;
  guardedFetch?: typeof globalThis.fetch;
  allowedHosts?: readonly string[];
  resolveTxt?: ResolveTxt;
  onSecurityEvent?: (kind: SecurityEventKind) => void;
  nowMs?: () => number;
}) {
  const sessions = createSessionLookup(scopes);
  const grants = createGrants(scopes);
  const organizationGrants = createOrganizationGrants(scopes);
  const keys = createSigningKeys({ scopes, keyRing, nowMs });
  const accessTokens = createAccessTokens({ keys, issuer: publicUrl, nowMs });
  const attempts = createAttempts(scopes, keyRing);
  const outside = createOutside({ guardedFetch, allowedHosts });
  const remoteKeys = createRemoteKeys(outside, nowMs);
  const issuedTokens = createIssuedTokens({
    ...{ scopes, keyRing, keys: remoteKeys, ownIssuer: publicUrl, nowMs },
  });
  const parts = {
    ...{ scopes, keyRing, audit, attempts, nowMs, onSecurityEvent, issuerName, secondFactorOf },
    ...{ grants, accessTokens, relyingParty: relyingPartyOf(publicUrl, issuerName) },
  };

  return {
    cookie: sessionCookie(publicUrl.startsWith('https:')),

    authenticate: createAuthenticator({ sessions, accessTokens, secondFactorOf }),
    grantOf: grants.grantOf,
    grantFor: grants.grantFor,
    organizationGrantFor: organizationGrants.grantFor,
    /** Tokens of issuers that tenants bring along. */
    issuedTokens,
    checkIssuerAddress: outside.checkAddress,
    /** Single sign-on by organizations' providers. */
    signOn: createSignOn({ parts, outside, keys: remoteKeys, publicUrl, resolveTxt }),
    describePerson: (userId: Uuid, within: Uuid | null) => describePerson(parts, userId, within),
    mayChangeAccount: (session: FoundSession) => mayChangeAccount(parts, session),
    /** The session of a cookie, which what a person does about themselves takes. */
    findSession: sessions.byToken,
    /** Whether a factor was shown in it so lately that what is dear may be done. */
    isFresh: (session: FoundSession) =>
      isFresh(session, 'first', nowMs()) || isFresh(session, 'second', nowMs()),
    /**
     * Whether whoever asks has shown a factor so lately that what is dear may be done: the second one, where they have one.
     */
    async hasShownFactor({ sessionId }: { sessionId: Uuid }): Promise<boolean> {
      const session = await sessions.latest(sessionId);
      return (
        session !== undefined && isFresh(session, session.mfaAtMs === null ? 'first' : 'second', nowMs())
      );
    },

    signIn: (given: { email: string; password: string }, client: Client) => signIn(parts, given, client),
    signInByLink: (token: string, client: Client) => signInByLink(parts, token, client),
    signInAtThisMachine: (token: string, client: Client) => signInAtThisMachine(parts, token, client),
    finishSignIn: (given: Parameters<typeof finishSignIn>[1], client: Client) =>
      finishSignIn(parts, given, client),
    stepUp: (session: FoundSession, proof: Parameters<typeof stepUp>[2], client: Client) =>
      stepUp(parts, session, proof, client),
    beginPasskeySignIn: () => beginPasskeySignIn(parts),
    signInWithPasskey: (given: Parameters<typeof signInWithPasskey>[1], client: Client) =>
      signInWithPasskey(parts, given, client),
    beginPasskeySecondFactor: (challenge: string) => beginPasskeySecondFactor(parts, challenge),
    beginPasskeyStepUp: (session: FoundSession) => beginPasskeyStepUp(parts, session),

    changePassword: (session: FoundSession, given: { current: string; next: string }, client: Client) =>
      changePassword(parts, session, given, client),
    setPasswordByLink: (given: { token: string; password: string }, client: Client) =>
      setPasswordByLink(parts, given, client),

    beginTotp: (session: FoundSession, client: Client) => beginTotp(parts, session, client),
    confirmTotp: (session: FoundSession, code: string, client: Client) =>
      confirmTotp(parts, session, code, client),
    removeTotp: (session: FoundSession, client: Client) => removeTotp(parts, session, client),
    renewRecoveryCodes: (session: FoundSession, client: Client) => renewRecoveryCodes(parts, session, client),

    beginPasskey: (session: FoundSession, client: Client) => beginPasskey(parts, session, client),
    addPasskey: (session: FoundSession, given: Parameters<typeof addPasskey>[2], client: Client) =>
      addPasskey(parts, session, given, client),
    listPasskeys: (userId: Uuid) => listPasskeys(parts, userId),
    renamePasskey: (userId: Uuid, wish: Parameters<typeof renamePasskey>[2], client: Client) =>
      renamePasskey(parts, userId, wish, client),
    removePasskey: (session: FoundSession, id: Uuid, client: Client) =>
      removePasskey(parts, session, id, client),

    /** Of whoever's session this is, as far as it reaches. */
    listSessions: ({ userId, organizationId }: SessionOwner) => listSessions(parts, userId, organizationId),
    revokeSessions: (
      { userId, organizationId }: SessionOwner,
      which: { only: Uuid } | { except?: Uuid },
      client: Client,
    ) => revokeSessions(parts, userId, which, client, organizationId),

    issueTokens: (session: FoundSession, limits: TokenLimits, client: Client) =>
      issueTokens(parts, session, limits, client),
    refreshTokens: (refreshToken: string, client: Client) => refreshTokens(parts, refreshToken, client),
    revokeTokens: (refreshToken: string, client: Client) => revokeTokens(parts, refreshToken, client),
    /** The public keys of access tokens, as `/.well-known/jwks.json` has them. */
    publishedKeys: () => keys.published(),

    invite: (wish: Parameters<typeof invite>[1], client: Client) => invite(parts, wish, client),
    listInvitations: (tenantId: Uuid) => listInvitations(parts, tenantId),
    revokeInvitation: (wish: Parameters<typeof revokeInvitation>[1], client: Client) =>
      revokeInvitation(parts, wish, client),
    acceptInvitation: (given: { token: string; as: Accepting }, client: Client) =>
      acceptInvitation(parts, given, client),
    listMembers: (tenantId: Uuid) => listMembers(parts, tenantId),
    changeMemberRole: (wish: Parameters<typeof changeMemberRole>[1], client: Client) =>
      changeMemberRole(parts, wish, client),
    removeMember: (wish: Parameters<typeof removeMember>[1], client: Client) =>
      removeMember(parts, wish, client),

    listOrganizationMembers: (organizationId: Uuid) => listOrganizationMembers(parts, organizationId),
    addOrganizationMember: (wish: Parameters<typeof addOrganizationMember>[1], client: Client) =>
      addOrganizationMember(parts, wish, client),
    changeOrganizationRole: (wish: Parameters<typeof changeOrganizationRole>[1], client: Client) =>
      changeOrganizationRole(parts, wish, client),
    removeOrganizationMember: (wish: Parameters<typeof removeOrganizationMember>[1], client: Client) =>
      removeOrganizationMember(parts, wish, client),
    inviteToOrganization: (wish: Parameters<typeof inviteToOrganization>[1], client: Client) =>
      inviteToOrganization(parts, wish, client),
    listOrganizationInvitations: (organizationId: Uuid) => listOrganizationInvitations(parts, organizationId),
    revokeOrganizationInvitation: (
      wish: Parameters<typeof revokeOrganizationInvitation>[1],
      client: Client,
    ) => revokeOrganizationInvitation(parts, wish, client),
  };
}
