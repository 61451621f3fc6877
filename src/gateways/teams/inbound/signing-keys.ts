import { type CryptoKey, importJWK } from 'jose';
import { z } from 'zod';
import { AppError } from '#domain/errors.ts';

/** A key that the Bot Framework signs with, and the channels that it may speak for. */
export type SigningKey = { key: CryptoKey; endorsements: ReadonlySet<string> };

export interface SigningKeys {
  /**
   * The key of an id as the metadata at an address lists it now; `undefined` when there is none.
   * @throws {SigningKeysUnavailableError}
   */
  find(place: { metadataUrl: string; issuer: string }, kid: string): Promise<SigningKey | undefined>;
}

/** Nothing can be verified at the moment: the caller sends it again. */
export class SigningKeysUnavailableError extends AppError<'signing_keys_unavailable'> {
  override readonly name = 'SigningKeysUnavailableError';

  constructor(reason: string, cause?: unknown) {
    super('signing_keys_unavailable', `The keys of the Bot Framework could not be fetched: ${reason}.`, {
      retry: 'later',
      cause,
    });
  }
}

/** Microsoft asks for a look a day. A key that is not known is looked for at once, but not more often than this. */
const maxAgeMs = 24 * 60 * 60_000;
const cooldownMs = 5_000;
/** Until when keys count that could not be looked for again. */
const staleMsMax = 5 * 24 * 60 * 60_000;
const fetchMsMax = 2_000;
const documentLengthMax = 1_048_576;
/** One for Microsoft's cloud, others for stand-ins. */
const placesMax = 50;

type Known = { keys: ReadonlyMap<string, SigningKey>; fetchedAtMs: number };
type Place = { known: Known | undefined; lookedAtMs: number; looking: Promise<Known> | undefined };

export type SigningKeysParts = { fetch?: typeof globalThis.fetch; nowMs?: () => number };

/**
 * The keys of OpenID metadata, kept for a day and looked for anew when one is asked for that is not known (they rotate).
 * Callers at the same time share one look; a flood of invented ids causes one each few seconds. jose's own set would do
 * all that, but drops the endorsements, which stand beside each key.
 *
 * @see https://learn.microsoft.com/azure/bot-service/rest-api/bot-framework-rest-connector-authentication
 */
export function createSigningKeys({
  fetch = globalThis.fetch,
  nowMs = Date.now,
}: SigningKeysParts = {}): SigningKeys {
  const places = new Map<string, Place>();

  const placeAt = (url: string): Place => {
    const place = places.get(url) ?? {
      known: undefined,
      lookedAtMs: Number.NEGATIVE_INFINITY,
      looking: undefined,
    };
    places.delete(url);
    places.set(url, place);
    const [oldest] = places.keys();
    if (places.size > placesMax && oldest !== undefined) places.delete(oldest);
    return place;
  };

  const look = (place: Place, metadataUrl: string, issuer: string): Promise<Known> => {
    place.lookedAtMs = nowMs();
    place.looking ??= fetchKeys(fetch, metadataUrl, issuer)
      .then((keys) => {
        place.known = { keys, fetchedAtMs: nowMs() };
        return place.known;
      })
      .finally(() => {
        place.looking = undefined;
      });
    return place.looking;
  };

  return {
    async find({ metadataUrl, issuer }, kid) {
      const place = placeAt(metadataUrl);
      const isDue = (wantsKid: boolean) => {
        const ageMs = nowMs() - (place.known?.fetchedAtMs ?? Number.NEGATIVE_INFINITY);
        return ageMs > maxAgeMs || (wantsKid && !place.known?.keys.has(kid));
      };
      if (isDue(true) && (place.looking || nowMs() - place.lookedAtMs >= cooldownMs)) {
        await look(place, metadataUrl, issuer).catch((error: unknown) => {
          // What was known goes on counting: keys live for longer than Microsoft is away.
          if (!place.known || nowMs() - place.known.fetchedAtMs > staleMsMax) throw error;
        });
      }
      if (!place.known || nowMs() - place.known.fetchedAtMs > staleMsMax)
        throw new SigningKeysUnavailableError('an attempt has just failed');
      return place.known.keys.get(kid);
    },
  };
}

const metadataDocument = z.object({ issuer: z.string(), jwks_uri: z.url({ protocol: /^https?$/ }) });
const keysDocument = z.object({
  keys: z.array(
    z
      .object({
        kty: z.literal('RSA'),
        kid: z.string().min(1).max(200),
        n: z.string().min(1),
        e: z.string().min(1),
        endorsements: z.array(z.string()).optional(),
      })
      .optional()
      .catch(undefined),
  ),
});

async function fetchKeys(
  fetch: typeof globalThis.fetch,
  metadataUrl: string,
  issuer: string,
): Promise<ReadonlyMap<string, SigningKey>> {
  const signal = AbortSignal.timeout(fetchMsMax);
  const metadata = metadataDocument.safeParse(await fetchDocument(fetch, metadataUrl, signal));
  if (!metadata.success) throw new SigningKeysUnavailableError('the metadata names no keys');
  const { issuer: told, jwks_uri: keysUrl } = metadata.data;
  if (told !== issuer) throw new SigningKeysUnavailableError('the metadata is another issuer’s');
  if (new URL(metadataUrl).protocol === 'https:' && new URL(keysUrl).protocol !== 'https:')
    throw new SigningKeysUnavailableError('the keys would come without TLS');

  const listed = keysDocument.safeParse(await fetchDocument(fetch, keysUrl, signal));
  if (!listed.success) throw new SigningKeysUnavailableError('the list of keys is none');
  const keys = new Map<string, SigningKey>();
  for (const jwk of listed.data.keys) {
    if (!jwk) continue;
    const { kid, endorsements = [], ...rest } = jwk;
    const key = await importJWK(rest, 'RS256').catch(() => undefined);
    if (key && !(key instanceof Uint8Array)) keys.set(kid, { key, endorsements: new Set(endorsements) });
  }
  return keys;
}

async function fetchDocument(
  fetch: typeof globalThis.fetch,
  url: string,
  signal: AbortSignal,
): Promise<unknown> {
  try {
    const response = await fetch(url, { signal, redirect: 'error', headers: { accept: 'application/json' } });
    const text = await response.text();
    if (!response.ok) throw new SigningKeysUnavailableError(`HTTP ${response.status}`);
    if (text.length > documentLengthMax) throw new SigningKeysUnavailableError('the document is too long');
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SigningKeysUnavailableError) throw error;
    throw new SigningKeysUnavailableError('no usable answer', error);
  }
}
