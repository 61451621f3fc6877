import {
  createCipheriv,
  createDecipheriv,
  createHmac,
  hkdfSync,
  randomBytes,
  timingSafeEqual,
} from 'node:crypto';
import { AppError } from '#domain/errors.ts';

/** A sealed secret could not be opened: its key is not in the ring, or it was moved or changed. */
export class SealBrokenError extends AppError<'seal_broken'> {
  override readonly name = 'SealBrokenError';

  constructor(message: string) {
    super('seal_broken', message);
  }
}

/** Where a secret lives. It is bound into the ciphertext, so that one moved to another row does not open. */
export type SealPlace = { tenantId: string; table: string; column: string };

export interface KeyRing {
  /** Ids of all keys, the sealing one first. */
  readonly keyIds: readonly string[];
  /** `v1.<key id>.<base64url of nonce, ciphertext and tag>` (AES-256-GCM, NIST SP 800-38D). */
  seal(secret: string, place: SealPlace): string;
  /** @throws {SealBrokenError} */
  open(sealed: string, place: SealPlace): string;
  /** 32 bytes for one purpose (HKDF-SHA-256, RFC 5869), by the key `keyId`; `undefined` when it is not in the ring. */
  derive(purpose: string, keyId: string): Uint8Array | undefined;
  /** A value that only this key makes, to notice wrong keys; tells nothing about the key. */
  checkValue(keyId: string): string | undefined;
}

const nonceBytes = 12;
const tagBytes = 16;

/** Makes the ring over master keys of 32 bytes; the first one seals. */
export function createKeyRing(keys: readonly { id: string; bytes: Buffer }[]): KeyRing {
  const [sealing] = keys;
  if (!sealing) throw new TypeError('A key ring needs at least one key.');
  const byId = new Map(keys.map((key) => [key.id, key.bytes]));

  const derive = (purpose: string, keyId: string) => {
    const master = byId.get(keyId);
    return master && new Uint8Array(hkdfSync('sha256', master, '', `swarmgate/${purpose}`, 32));
  };

  return {
    keyIds: keys.map((key) => key.id),
    derive,

    seal(secret, place) {
      const nonce = randomBytes(nonceBytes);
      const cipher = createCipheriv('aes-256-gcm', sealKey(derive, sealing.id), nonce);
      cipher.setAAD(associatedData(place));
      const body = Buffer.concat([nonce, cipher.update(secret, 'utf8'), cipher.final(), cipher.getAuthTag()]);
      return `v1.${sealing.id}.${body.toString('base64url')}`;
    },

    open(sealed, place) {
      const [version, keyId = '', encoded = ''] = sealed.split('.');
      if (version !== 'v1' || !byId.has(keyId)) {
        throw new SealBrokenError(
          `A secret in ${place.table}.${place.column} is sealed with key "${keyId}", which is not among the master keys.`,
        );
      }
      const body = Buffer.from(encoded, 'base64url');
      try {
        const decipher = createDecipheriv(
          'aes-256-gcm',
          sealKey(derive, keyId),
          body.subarray(0, nonceBytes),
          { authTagLength: tagBytes }, // a shorter tag would be cheap to guess
        );
        decipher.setAAD(associatedData(place));
        decipher.setAuthTag(body.subarray(-tagBytes));
        return (
          decipher.update(body.subarray(nonceBytes, -tagBytes), undefined, 'utf8') + decipher.final('utf8')
        );
      } catch {
        throw new SealBrokenError(
          `A secret in ${place.table}.${place.column} does not open: it was changed or moved.`,
        );
      }
    },

    checkValue(keyId) {
      const key = derive('check', keyId);
      return key && createHmac('sha256', key).update(keyId).digest('base64url');
    },
  };
}

function sealKey(derive: KeyRing['derive'], keyId: string): Uint8Array {
  const key = derive('seal', keyId);
  if (!key) throw new TypeError(`No master key "${keyId}".`);
  return key;
}

function associatedData({ tenantId, table, column }: SealPlace): Buffer {
  return Buffer.from(JSON.stringify([tenantId, table, column]));
}

/** Compares in constant time; texts of different length are different. */
export function equalInConstantTime(a: string, b: string): boolean {
  const left = createHmac('sha256', comparisonKey).update(a).digest();
  const right = createHmac('sha256', comparisonKey).update(b).digest();
  return timingSafeEqual(left, right);
}

const comparisonKey = randomBytes(32);
