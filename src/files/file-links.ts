import { createHmac, timingSafeEqual } from 'node:crypto';
import { isUuid, type Uuid } from '#domain/ids.ts';
import type { KeyRing } from '#kernel/key-ring.ts';

export type LinkTarget = { tenantId: Uuid; fileId: Uuid };

export interface FileLinks {
  /** `https://…/files/<token>`, which opens this one file to anybody who has it until `ttlMs` have passed. */
  sign(link: LinkTarget & { ttlMs: number }): string;
  /** What a token opens; `undefined` when it is not ours, was changed, or has expired. */
  check(token: string): LinkTarget | undefined;
}

const purpose = 'file-links';
const version = 1;
const macBytes = 32;
/** Version, tenant, file, time of expiry; the key's id stands behind. */
const headBytes = 1 + 16 + 16 + 6;
const tokenLengthMax = 200;

/**
 * Links that carry their own proof: base64url of version, tenant, file, expiry (Unix milliseconds, 48 bits) and key id,
 * then HMAC-SHA-256 of it (RFC 2104). The first key of the ring signs, all of them verify.
 */
export function createFileLinks(
  keyRing: KeyRing,
  publicUrl: () => string,
  now: () => number = Date.now,
): FileLinks {
  return {
    sign({ tenantId, fileId, ttlMs }) {
      if (!(ttlMs > 0)) throw new TypeError('A link lives for a while.');
      const [keyId = ''] = keyRing.keyIds;
      const claims = Buffer.alloc(headBytes + Buffer.byteLength(keyId));
      claims.writeUInt8(version, 0);
      claims.write(bare(tenantId), 1, 'hex');
      claims.write(bare(fileId), 17, 'hex');
      claims.writeUIntBE(Math.floor(now() + ttlMs), 33, 6);
      claims.write(keyId, headBytes);
      const mac = authenticate(keyRing, keyId, claims);
      if (!mac) throw new TypeError('The ring has no key to sign with.');
      return `${publicUrl()}/files/${Buffer.concat([claims, mac]).toString('base64url')}`;
    },

    check(token) {
      if (token.length > tokenLengthMax) return undefined;
      const bytes = Buffer.from(token, 'base64url');
      // One spelling only: decoding is lenient, and what differs must not pass for the same.
      if (bytes.byteLength <= headBytes + macBytes || bytes.toString('base64url') !== token) return undefined;

      const claims = bytes.subarray(0, -macBytes);
      const mac = authenticate(keyRing, claims.toString('utf8', headBytes), claims);
      if (!mac || !timingSafeEqual(mac, bytes.subarray(-macBytes))) return undefined;
      if (claims.readUInt8(0) !== version || claims.readUIntBE(33, 6) <= now()) return undefined;
      return { tenantId: readUuid(claims, 1), fileId: readUuid(claims, 17) };
    },
  };
}

function authenticate(keyRing: KeyRing, keyId: string, claims: Buffer): Buffer | undefined {
  const key = keyRing.derive(purpose, keyId);
  return key && createHmac('sha256', key).update(claims).digest();
}

function bare(id: Uuid): string {
  if (!isUuid(id)) throw new TypeError('A link names a tenant and a file by their UUIDs.');
  return id.replaceAll('-', '');
}

function readUuid(bytes: Buffer, offset: number): Uuid {
  const hex = bytes.toString('hex', offset, offset + 16);
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5') as Uuid;
}
