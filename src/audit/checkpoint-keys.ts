import { createHash, createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';
import type { KeyRing } from '#kernel/key-ring.ts';

export type CheckpointKey = {
  /** What a checkpoint names its key by: of the SHA-256 of the public key (SubjectPublicKeyInfo) the first 16 digits. */
  id: string;
  privateKey: KeyObject;
  publicKey: KeyObject;
};

/** What stands before the 32 bytes of an Ed25519 key in PKCS #8 (RFC 8410 §7). */
const pkcs8Prefix = Buffer.from('302e020100300506032b657004220420', 'hex');

/**
 * The keys that checkpoints are signed with, one for each master key, the one in use first. They are derived from the master
 * keys and written nowhere: no role of the database can come by them.
 */
export function checkpointKeys(keyRing: KeyRing): CheckpointKey[] {
  return keyRing.keyIds.flatMap((keyId) => {
    const seed = keyRing.derive('audit-checkpoint', keyId);
    if (!seed) return [];
    const privateKey = createPrivateKey({
      key: Buffer.concat([pkcs8Prefix, seed]),
      format: 'der',
      type: 'pkcs8',
    });
    const publicKey = createPublicKey(privateKey);
    return [{ id: fingerprint(publicKey), privateKey, publicKey }];
  });
}

function fingerprint(publicKey: KeyObject): string {
  return createHash('sha256')
    .update(publicKey.export({ type: 'spki', format: 'der' }))
    .digest('hex')
    .slice(0, 16);
}
