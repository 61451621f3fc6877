import type { Uuid } from '#domain/ids.ts';
import type { Unit } from '#tenancy/scopes.ts';
import type { KnownCredential, ShownPasskey } from './check-passkey.ts';

/** A passkey as far as looking at its use needs it. */
export type KeptPasskey = {
  id: Uuid;
  userId: Uuid;
  credentialId: Buffer;
  publicKey: Buffer;
  /** The organization's provider that it is bound to; what that is not good for, neither is it. */
  connectionId: Uuid | undefined;
};

/** Longer than any authenticator's name for a key (WebAuthn §4). */
const credentialIdBytesMax = 1_023;

/** The passkey of a credential, whoever's it is; none of a provider that is switched off. */
export async function findPasskey(unit: Unit, credentialId: string): Promise<KeptPasskey | undefined> {
  const id = Buffer.from(credentialId, 'base64url');
  if (id.length > credentialIdBytesMax) return undefined;
  type Row = {
    id: Uuid;
    user_id: Uuid;
    credential_id: Buffer;
    public_key: Buffer;
    connection_id: Uuid | null;
  };
  const [row] = await unit.sql<Row>(
    `SELECT p.id, p.user_id, p.credential_id, p.public_key, p.connection_id FROM identity.passkeys p
       LEFT JOIN identity.sign_on_connections c ON c.id = p.connection_id
       WHERE p.credential_id = $1 AND (p.connection_id IS NULL OR c.is_enabled)`,
    [id],
  );
  return (
    row && {
      id: row.id,
      userId: row.user_id,
      credentialId: row.credential_id,
      publicKey: row.public_key,
      connectionId: row.connection_id ?? undefined,
    }
  );
}

/** Somebody's passkeys, as browsers are told of them. */
export async function knownCredentials(unit: Unit, userId: Uuid): Promise<KnownCredential[]> {
  const rows = await unit.sql<{ credential_id: Buffer; transports: string[] }>(
    'SELECT credential_id, transports FROM identity.passkeys WHERE user_id = $1 ORDER BY id',
    [userId],
  );
  return rows.map(({ credential_id, transports }) => ({ credentialId: credential_id, transports }));
}

/**
 * `copied`: it has not counted on, so that two sign with one key (WebAuthn §6.1.1), and nobody can say which of them this
 * is. `gone`: it was removed meanwhile.
 */
export type UseOfPasskey = 'noted' | 'copied' | 'gone';

/** Keeps that a passkey was used, unless it cannot be. */
export async function noteUse(
  unit: Unit,
  passkeyId: Uuid,
  { signCount, isBackedUp }: ShownPasskey,
): Promise<UseOfPasskey> {
  // Under the row's lock: of two with the same count at once, the other finds it used.
  const [row] = await unit.sql<{ sign_count: string }>(
    'SELECT sign_count FROM identity.passkeys WHERE id = $1 FOR UPDATE',
    [passkeyId],
  );
  if (!row) return 'gone';
  const countedBefore = Number(row.sign_count);
  if ((signCount > 0 || countedBefore > 0) && signCount <= countedBefore) return 'copied';
  await unit.sql(
    'UPDATE identity.passkeys SET sign_count = $2, is_backed_up = $3, last_used_at = now() WHERE id = $1',
    [passkeyId, signCount, isBackedUp],
  );
  return 'noted';
}
