import {
  type CryptoKey,
  calculateJwkThumbprint,
  exportJWK,
  generateKeyPair,
  importJWK,
  type JWK,
} from 'jose';
import { installationTrail } from '#audit/audit-trail.ts';
import type { KeyRing, SealPlace } from '#kernel/key-ring.ts';
import type { Scopes, Unit } from '#tenancy/scopes.ts';
import { accessTokenLifetimeMs } from './access-tokens.ts';
import type { TokenKeys } from './token-keys.ts';

const minuteMs = 60_000;
const dayMs = 24 * 60 * minuteMs;

/** How long a key signs. */
const signsForMs = 30 * dayMs;
/** So long before it signs a key is published: by then everybody who keeps the key set has it. */
const publishedAheadMs = dayMs;
/** So long after its last signature a key is published still: its tokens have ended by then, on any clock. */
const publishedAfterMs = accessTokenLifetimeMs + 5 * minuteMs;
/** How old what is known of the keys may be. */
const knownForMs = 10_000;
/** An unknown key is looked for this often at most, whoever makes them up. */
const reloadedEachMs = 1_000;

/** Any fixed number: processes that make the next key at the same moment wait for each other on it. */
const advisoryLock = 727_073_693;

type Key = {
  kid: string;
  publicJwk: JWK;
  publicKey: CryptoKey;
  privateKey: CryptoKey;
  notBeforeMs: number;
  notAfterMs: number;
};

/** The keys of the installation, which follow each other without anybody's doing. */
export function createSigningKeys({
  scopes,
  keyRing,
  nowMs = Date.now,
}: {
  scopes: Scopes;
  keyRing: KeyRing;
  nowMs?: () => number;
}): TokenKeys {
  let known: { keys: Promise<Key[]>; atMs: number } | undefined;

  const load = async (olderThanMs: number): Promise<Key[]> => {
    if (!known || nowMs() - known.atMs > olderThanMs || nowMs() < known.atMs) {
      const loading = { keys: readKeys(), atMs: nowMs() };
      known = loading;
      loading.keys.catch(() => {
        if (known === loading) known = undefined;
      });
    }
    return known.keys;
  };

  async function readKeys(): Promise<Key[]> {
    const rows = await scopes.inIdentity((unit) => selectKeys(unit, nowMs()));
    const missing = isComplete(rows, nowMs()) ? rows : await addKey();
    return Promise.all(missing.map((row) => openKey(keyRing, row)));
  }

  async function addKey(): Promise<KeyRow[]> {
    const { publicKey, privateKey } = await generateKeyPair('EdDSA', { crv: 'Ed25519', extractable: true });
    const publicJwk = await exportJWK(publicKey);
    const kid = await calculateJwkThumbprint(publicJwk);
    const sealed = keyRing.seal(JSON.stringify(await exportJWK(privateKey)), keyPlace(kid));
    return scopes.inIdentity(async (unit) => {
      await unit.sql('SELECT pg_advisory_xact_lock($1)', [advisoryLock]);
      const rows = await selectKeys(unit, nowMs());
      if (isComplete(rows, nowMs())) return rows;
      // Behind the last one; where there is none, or it has ended while nobody was here, at once.
      const fromMs = Math.max(nowMs(), ...rows.map(({ not_after }) => not_after.getTime()));
      await unit.sql(
        `INSERT INTO identity.signing_keys (kid, public_jwk, sealed_private_jwk, not_before, not_after)
           VALUES ($1, $2, $3, $4, $5)`,
        [kid, JSON.stringify(publicJwk), sealed, new Date(fromMs), new Date(fromMs + signsForMs)],
      );
      return selectKeys(unit, nowMs());
    });
  }

  return {
    async toSign() {
      const keys = await load(knownForMs);
      const signing = keys.find(
        ({ notBeforeMs, notAfterMs }) => notBeforeMs <= nowMs() && nowMs() < notAfterMs,
      );
      if (!signing) throw new TypeError('There is no key to sign with.');
      return signing;
    },
    async toVerify(kid) {
      const find = (keys: readonly Key[]) => keys.find((key) => key.kid === kid);
      const key = find(await load(knownForMs)) ?? find(await load(reloadedEachMs));
      return key && nowMs() < key.notAfterMs + publishedAfterMs ? key.publicKey : undefined;
    },
    async published() {
      const keys = await load(knownForMs);
      return {
        keys: keys.map(({ kid, publicJwk: { kty, crv, x } }) => ({
          kty,
          crv,
          x,
          kid,
          use: 'sig',
          alg: 'EdDSA',
        })) as JWK[],
      };
    },
  };
}

type KeyRow = {
  kid: string;
  public_jwk: JWK;
  sealed_private_jwk: string;
  not_before: Date;
  not_after: Date;
};

function selectKeys(unit: Unit, nowMs: number): Promise<KeyRow[]> {
  return unit.sql<KeyRow>(
    `SELECT kid, public_jwk, sealed_private_jwk, not_before, not_after FROM identity.signing_keys
       WHERE not_after > $1 ORDER BY not_before DESC`,
    [new Date(nowMs - publishedAfterMs)],
  );
}

/** Whether there is a key that signs now, and one for when it has ended, if that is soon. */
function isComplete(rows: readonly KeyRow[], nowMs: number): boolean {
  const signsAt = (atMs: number) =>
    rows.some(({ not_before, not_after }) => not_before.getTime() <= atMs && atMs < not_after.getTime());
  return signsAt(nowMs) && signsAt(nowMs + publishedAheadMs);
}

async function openKey(keyRing: KeyRing, row: KeyRow): Promise<Key> {
  const privateJwk = JSON.parse(keyRing.open(row.sealed_private_jwk, keyPlace(row.kid))) as JWK;
  return {
    kid: row.kid,
    publicJwk: row.public_jwk,
    publicKey: (await importJWK(row.public_jwk, 'EdDSA')) as CryptoKey,
    privateKey: (await importJWK(privateJwk, 'EdDSA')) as CryptoKey,
    notBeforeMs: row.not_before.getTime(),
    notAfterMs: row.not_after.getTime(),
  };
}

function keyPlace(kid: string): SealPlace {
  return { tenantId: installationTrail, table: 'signing_keys', column: kid };
}
