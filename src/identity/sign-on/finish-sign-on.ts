import type { Uuid } from '#domain/ids.ts';
import type { Unit } from '#tenancy/scopes.ts';
import type { Client } from '../client.ts';
import { IssuerUnavailableError } from '../issuers/issuer-metadata.ts';
import { hashOfSecret } from '../secret-token.ts';
import { readAccount } from '../sign-in/account.ts';
import { completeFirstFactor, type SignInOutcome } from '../sign-in/complete-first-factor.ts';
import { noteRefusal } from '../sign-in/note-refusal.ts';
import { openConnection, type SignOnConnection } from './connections.ts';
import { findAccount } from './find-account.ts';
import { joinTenants } from './join-tenants.ts';
import { type ProviderClaims, ProviderRefusedError } from './provider.ts';
import { attemptPlace, redirectUriOf, type SignOnParts } from './sign-on-parts.ts';

export type SignOnOutcome =
  /** Signed in, or asked for the second factor; and where to go on. */
  | (Extract<SignInOutcome, { outcome: 'signed_in' | 'second_factor' }> & { returnPath: string })
  /** Why is told on the trail, and not to whoever came. */
  | { outcome: 'refused' }
  | { outcome: 'unavailable' };

/**
 * Somebody comes back from a provider. The sign-in is theirs if this browser began it, by this connection, and it is used up
 * by that; then the provider is asked who they are.
 */
export async function finishSignOn(
  parts: SignOnParts,
  {
    connectionId,
    browserToken,
    answer,
  }: { connectionId: Uuid; browserToken: string | undefined; answer: URLSearchParams },
  client: Client,
): Promise<SignOnOutcome> {
  const { scopes, keyRing, providers, publicUrl } = parts;
  const refuse = async (reason: string, userId?: Uuid): Promise<SignOnOutcome> => {
    await noteRefusal(parts, client, 'sign_in.refused', reason, userId);
    return { outcome: 'refused' };
  };
  const state = answer.get('state') ?? '';
  const stateHash = hashOfSecret('signOn', state);
  const browserHash = hashOfSecret('browser', browserToken ?? '');
  const attempt =
    stateHash && browserHash
      ? await scopes.inIdentity((unit) => useUp(unit, { stateHash, browserHash, connectionId }))
      : undefined;
  const connection =
    attempt && (await scopes.inIdentity((unit) => openConnection(unit, keyRing, connectionId)));
  if (!stateHash || !connection) return refuse('This browser has no such single sign-on under way.');

  const kept = JSON.parse(keyRing.open(attempt.sealed, attemptPlace(connectionId, stateHash))) as Kept;
  const exchange = { ...kept, state, redirectUri: redirectUriOf(publicUrl, connectionId) };
  try {
    const claims = await providers.exchange(connection, exchange, answer);
    const found = await findAccount(parts, connection, claims, client);
    if (found.outcome === 'refused') return refuse(found.reason);
    if (found.isJoining) await joinTenants(parts, connection, found.userId);
    const account = await scopes.inIdentity((unit) => readAccount(unit, { id: found.userId }));
    if (!account?.isActive) return refuse('The account is disabled.', found.userId);
    const signOn = { connectionId, hasSecondFactor: hasSecondFactor(connection, claims) };
    const signed = await completeFirstFactor(parts, account, { amr: 'sso', client, signOn }, (unit) =>
      isStillGood(unit, connectionId, claims.sub, account.id),
    );
    return signed.outcome === 'signed_in' || signed.outcome === 'second_factor'
      ? { ...signed, returnPath: attempt.return_path }
      : refuse('The link to the account, or the connection, is good no more.', account.id);
  } catch (error) {
    if (error instanceof ProviderRefusedError) return refuse(error.message);
    if (!(error instanceof IssuerUnavailableError)) throw error;
    await noteRefusal(parts, client, 'sign_in.refused', error.message);
    return { outcome: 'unavailable' };
  }
}

type Kept = { nonce: string; verifier: string };

// The one statement that decides: of two that come with one state, the other finds it used; who comes from another browser,
// or by another connection's address, uses up nothing.
async function useUp(
  unit: Unit,
  { stateHash, browserHash, connectionId }: { stateHash: Buffer; browserHash: Buffer; connectionId: Uuid },
): Promise<{ sealed: string; return_path: string } | undefined> {
  const [attempt] = await unit.sql<{ sealed: string; return_path: string }>(
    `UPDATE identity.sign_on_attempts SET used_at = now()
       WHERE state_hash = $1 AND browser_hash = $2 AND connection_id = $3 AND used_at IS NULL AND expires_at > now()
       RETURNING sealed, return_path`,
    [stateHash, browserHash, connectionId],
  );
  return attempt;
}

// Held while the session is made: whoever switches the connection off at this moment ends it then. Who looks after the
// installation does not come by an organization's provider, also where they were linked before that.
async function isStillGood(unit: Unit, connectionId: Uuid, subject: string, userId: Uuid): Promise<boolean> {
  const [connection] = await unit.sql(
    'SELECT 1 FROM identity.sign_on_connections WHERE id = $1 AND is_enabled FOR SHARE',
    [connectionId],
  );
  const used = await unit.sql(
    `UPDATE identity.sign_on_identities i SET last_used_at = now() FROM identity.users u
       WHERE i.connection_id = $1 AND i.subject = $2 AND i.user_id = $3 AND u.id = i.user_id AND NOT u.is_operator
       RETURNING 1 AS used`,
    [connectionId, subject, userId],
  );
  return connection !== undefined && used.length > 0;
}

/** Whether what the provider says counts as a second factor: only by the words that the connection names. */
function hasSecondFactor(
  { second_factor_amr, second_factor_acr }: SignOnConnection,
  { amr = [], acr }: ProviderClaims,
): boolean {
  return (
    amr.some((one) => second_factor_amr.includes(one)) ||
    (acr !== undefined && second_factor_acr.includes(acr))
  );
}
