import { generateRandomCodeVerifier, generateRandomNonce } from 'oauth4webapi';
import type { Uuid } from '#domain/ids.ts';
import { normaliseEmail } from '../email-address.ts';
import { IssuerUnavailableError } from '../issuers/issuer-metadata.ts';
import { newSecret } from '../secret-token.ts';
import { openConnection, type SignOnConnection } from './connections.ts';
import { connectionOfDomain, domainOf } from './domains.ts';
import {
  attemptLifetimeMs,
  attemptPlace,
  isOwnPage,
  redirectUriOf,
  type SignOnParts,
} from './sign-on-parts.ts';

export type SignOnBeginning =
  /** Where the browser is to go, and what it is to keep meanwhile. */
  | { outcome: 'begun'; url: string; browserToken: string; expiresInMs: number }
  /** Nobody signs in that way: the same whether the domain is nobody's or the connection is switched off. */
  | { outcome: 'unknown' }
  /** It would lead elsewhere afterwards. */
  | { outcome: 'foreign_page' }
  /** The provider cannot be asked at this moment. */
  | { outcome: 'unavailable' };

/**
 * Begins a sign-in by single sign-on: with the connection that is named, or that people of the address's domain use. What it
 * answers says nothing of accounts.
 */
export async function beginSignOn(
  parts: SignOnParts,
  wish: ({ connectionId: Uuid } | { email: string }) & { returnPath: string },
): Promise<SignOnBeginning> {
  const { scopes, keyRing, providers, publicUrl } = parts;
  if (!isOwnPage(wish.returnPath)) return { outcome: 'foreign_page' };
  const email = 'email' in wish ? normaliseEmail(wish.email) : undefined;
  const connection = await scopes.inIdentity(async (unit): Promise<SignOnConnection | undefined> => {
    const id =
      'connectionId' in wish ? wish.connectionId : email && (await connectionOfDomain(unit, domainOf(email)));
    return id ? openConnection(unit, keyRing, id) : undefined;
  });
  if (!connection) return { outcome: 'unknown' };

  const [state, browser] = [newSecret('signOn'), newSecret('browser')];
  const [nonce, verifier] = [generateRandomNonce(), generateRandomCodeVerifier()];
  const exchange = {
    redirectUri: redirectUriOf(publicUrl, connection.id),
    state: state.token,
    nonce,
    verifier,
  };
  try {
    const url = await providers.authorizationUrl(connection, exchange, email);
    await scopes.inIdentity((unit) =>
      unit.sql(
        `INSERT INTO identity.sign_on_attempts (state_hash, connection_id, browser_hash, sealed, return_path, expires_at)
           VALUES ($1, $2, $3, $4, $5, now() + $6 * interval '1 millisecond')`,
        [
          ...[state.hash, connection.id, browser.hash],
          keyRing.seal(JSON.stringify({ nonce, verifier }), attemptPlace(connection.id, state.hash)),
          ...[wish.returnPath, attemptLifetimeMs],
        ],
      ),
    );
    return { outcome: 'begun', url: url.href, browserToken: browser.token, expiresInMs: attemptLifetimeMs };
  } catch (error) {
    if (error instanceof IssuerUnavailableError) return { outcome: 'unavailable' };
    throw error;
  }
}
