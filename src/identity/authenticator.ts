import type { Client } from './client.ts';
import { isSecondFactorAsked, type SecondFactorPolicy } from './identity-parts.ts';
import type { Principal } from './principal.ts';
import { expandPermissions } from './roles.ts';
import type { SessionLookup } from './sessions/session-lookup.ts';
import type { FoundSession } from './sessions/web-session.ts';
import type { AccessTokens } from './tokens/access-tokens.ts';

/** What somebody proves themselves with: a cookie's token, or what stands behind `Bearer`. */
export type Credential = { sessionToken: string } | { accessToken: string };

/** Who asks; `undefined`: nobody that is known, whatever the reason. */
export type Authenticate = (
  credential: Credential,
  from?: Pick<Client, 'isFromThisMachine'>,
) => Promise<Extract<Principal, { kind: 'user' }> | undefined>;

/** Tells people by their sessions. An access token is good no longer than the session that it goes back to. */
export function createAuthenticator({
  sessions,
  accessTokens,
  secondFactorOf,
}: {
  sessions: SessionLookup;
  accessTokens: AccessTokens;
  secondFactorOf: SecondFactorPolicy;
}): Authenticate {
  const principalOf = (session: FoundSession, via: 'session' | 'token', isSecondFactorAsked: boolean) => {
    const hasSecondFactor = session.mfaAtMs !== null;
    return {
      kind: 'user' as const,
      id: session.userId,
      via,
      sessionId: session.id,
      hasSecondFactor,
      isSecondFactorAsked,
      isByOwnFactor: session.amr[0] === 'passkey' || session.amr.includes('pwd'),
      ...(session.organizationId !== null && { organizationId: session.organizationId }),
      isOperator: session.isOperator && (hasSecondFactor || !isSecondFactorAsked),
    };
  };

  return async (credential, from = {}) => {
    const isAsked = isSecondFactorAsked(secondFactorOf, from);
    if ('sessionToken' in credential) {
      const session = await sessions.byToken(credential.sessionToken);
      return session && principalOf(session, 'session', isAsked);
    }
    const checked = await accessTokens.verify(credential.accessToken);
    if (!checked.ok) return undefined;
    const { sessionId, familyId, userId, tenantId, scope } = checked.claims;
    const session = await sessions.byId(sessionId, familyId);
    if (session?.userId !== userId) return undefined;
    return {
      ...principalOf(session, 'token', isAsked),
      ...(tenantId !== undefined && { tenantId }),
      ...(scope && { scope: expandPermissions(scope) }),
    };
  };
}
