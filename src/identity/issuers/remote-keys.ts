import { createLocalJWKSet, errors, type JWTVerifyGetKey } from 'jose';
import { z } from 'zod';
import { fetchIssuerMetadata, fetchJson, IssuerUnavailableError } from './issuer-metadata.ts';
import type { Outside } from './outside.ts';

/** Whose keys: at that address, or where the issuer's metadata say. */
export type KeySource = { issuer: string; jwksUrl: string | undefined };

/**
 * The public keys of issuers elsewhere. What a token says of where its key is found (`jku`, `x5u`, `jwk`, `x5c`) counts for
 * nothing: its `kid` chooses among the keys of its issuer.
 */
export interface RemoteKeys {
  /** Finds the key of a token; it throws an `IssuerUnavailableError` when the keys cannot be had. */
  of(source: KeySource): JWTVerifyGetKey;
}

/** How old what is known of an issuer's keys may be: a key that was taken away is good for so long. */
const knownForMs = 10 * 60_000;
/** An unknown key is looked for this often at most, whoever makes them up. */
const reloadedEachMs = 30_000;
/** An issuer that did not answer is asked again after so long. */
const askedAgainAfterMs = 5_000;
const sourcesMax = 2_000;

/** The members of a public key (RFC 7518 §6, RFC 8037); all else that a key set has is left behind. */
const text = z.string().max(2_000).exactOptional();
const publicKey = z.object({
  kty: z.enum(['RSA', 'EC', 'OKP']),
  ...{ kid: text, alg: text, use: text, n: text, e: text, crv: text, x: text, y: text },
});
const keySet = z.object({ keys: z.array(z.unknown()).max(100) });

type Known = { keys: Promise<JWTVerifyGetKey>; atMs: number } | { failedAtMs: number; error: unknown };

export function createRemoteKeys(outside: Outside, nowMs: () => number = Date.now): RemoteKeys {
  const known = new Map<string, Known>();

  async function load(source: KeySource, olderThanMs: number): Promise<JWTVerifyGetKey> {
    const name = JSON.stringify([source.issuer, source.jwksUrl ?? null]);
    const entry = known.get(name);
    if (entry && 'keys' in entry && nowMs() - entry.atMs <= olderThanMs) return entry.keys;
    if (entry && 'error' in entry && nowMs() - entry.failedAtMs < askedAgainAfterMs) throw entry.error;
    const loading = { keys: fetchKeys(outside, source), atMs: nowMs() };
    known.delete(name);
    known.set(name, loading);
    const [oldest] = known.keys();
    if (known.size > sourcesMax && oldest !== undefined) known.delete(oldest);
    loading.keys.catch((error: unknown) => {
      if (known.get(name) === loading) known.set(name, { failedAtMs: nowMs(), error });
    });
    return loading.keys;
  }

  return {
    of: (source) => async (header, token) => {
      const keys = await load(source, knownForMs);
      try {
        return await keys(header, token);
      } catch (error) {
        if (!(error instanceof errors.JWKSNoMatchingKey)) throw error;
        const newer = await load(source, reloadedEachMs);
        return newer(header, token);
      }
    },
  };
}

async function fetchKeys(outside: Outside, { issuer, jwksUrl }: KeySource): Promise<JWTVerifyGetKey> {
  const address = jwksUrl ?? (await fetchIssuerMetadata(outside, issuer)).jwks_uri;
  const found = keySet.safeParse(await fetchJson(outside, address));
  if (!found.success) throw new IssuerUnavailableError('The keys of the issuer are no key set.');
  const keys = found.data.keys.flatMap((key) => {
    const read = publicKey.safeParse(key);
    return read.success && (read.data.use ?? 'sig') === 'sig' ? [read.data] : [];
  });
  return createLocalJWKSet({ keys });
}
