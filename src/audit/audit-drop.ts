import { sign, verify } from 'node:crypto';
import type { Uuid } from '#domain/ids.ts';
import type { Unit } from '#tenancy/scopes.ts';
import { nameTrail } from './checkpoint.ts';
import type { CheckpointKey } from './checkpoint-keys.ts';

/** That the events of a trail up to one of its seals were old enough to go, and have gone. */
export type AuditDrop = {
  trail: Uuid;
  /** The number and the hash of that seal. */
  number: number;
  hash: Buffer;
  at: Date;
};

export type SignedDrop = AuditDrop & { key: string; signature: Buffer };

export function signDrop(drop: AuditDrop, { id, privateKey }: CheckpointKey): SignedDrop {
  return { ...drop, key: id, signature: sign(null, signedBytes(drop, id), privateKey) };
}

/** Whether it was signed by one of our keys, as it stands. */
export function isSignedDrop(drop: SignedDrop, keys: readonly CheckpointKey[]): boolean {
  const key = keys.find(({ id }) => id === drop.key);
  return key !== undefined && verify(null, signedBytes(drop, key.id), key.publicKey, drop.signature);
}

/** In place of what stood there. */
export async function keepDrop(
  unit: Unit,
  { trail, number, hash, at, key, signature }: SignedDrop,
): Promise<void> {
  await unit.sql(
    `INSERT INTO swarmgate.audit_drops (tenant_id, to_number, hash, dropped_at, key, signature) VALUES ($1, $2, $3, $4, $5, $6)
       ON CONFLICT (tenant_id) DO UPDATE SET to_number = excluded.to_number, hash = excluded.hash,
         dropped_at = excluded.dropped_at, key = excluded.key, signature = excluded.signature`,
    [trail, number, hash, at, key, signature],
  );
}

export async function readDrop(unit: Unit, trail: Uuid): Promise<SignedDrop | undefined> {
  const [row] = await unit.sql<{
    to_number: string;
    hash: Buffer;
    dropped_at: Date;
    key: string;
    signature: Buffer;
  }>('SELECT to_number, hash, dropped_at, key, signature FROM swarmgate.audit_drops WHERE tenant_id = $1', [
    trail,
  ]);
  if (!row) return undefined;
  const { hash, key, signature } = row;
  return { trail, number: Number(row.to_number), hash, at: row.dropped_at, key, signature };
}

function signedBytes({ trail, number, hash, at }: AuditDrop, key: string): Buffer {
  const what = [nameTrail(trail), number, hash.toString('hex'), at.toISOString(), key];
  return Buffer.from(JSON.stringify(['swarmgate.audit-drop.v1', ...what]));
}
