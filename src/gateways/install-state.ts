import { createHash, createHmac, randomBytes } from 'node:crypto';
import { isUuid, type Uuid } from '#domain/ids.ts';
import { equalInConstantTime, type KeyRing } from '#kernel/key-ring.ts';
import type { Platform } from './gateway.ts';

/** What an installation that was begun leaves behind: with the platform, with us, and in the browser. */
export type BegunState = {
  /** The parameter that the platform gives back. */
  state: string;
  /** What is kept of it, in hex (SHA-256): enough to know it again, useless to whoever reads it. */
  stateHash: string;
  browserSecret: string;
};

/** Where it is begun and ended: the channel's key in the address of an app of the tenant's own. */
export type StatePlace = { channelKey: string | undefined };

export interface StateSeal {
  begin(tenantId: Uuid, place: StatePlace): BegunState;
  /** `undefined`: it is none of ours, or it was begun by another browser or at another app's address. */
  check(
    state: string,
    browserSecret: string,
    place: StatePlace,
  ): { tenantId: Uuid; stateHash: string } | undefined;
}

const nonceBytes = 32;
const tenantBytes = 16;
const macBytes = 32;

/**
 * The `state` of OAuth (RFC 6749 §10.12): `base64url(tenant, nonce, MAC).key id`. The MAC (HMAC-SHA-256) also covers a
 * secret of the browser's, so that it ends only where it began. Whether it was used already, the database says.
 */
export function createStateSeal(keyRing: KeyRing, platform: Platform): StateSeal {
  const macOf = (
    keyId: string,
    nonce: Buffer,
    tenantId: string,
    browserSecret: string,
    place: StatePlace,
  ) => {
    const key = keyRing.derive(`${platform}-install-state`, keyId);
    if (!key) return undefined;
    const bound = [tenantId, nonce.toString('hex'), hash(browserSecret), place.channelKey ?? ''];
    return createHmac('sha256', key).update(JSON.stringify(bound)).digest();
  };

  return {
    begin(tenantId, place) {
      const [keyId = ''] = keyRing.keyIds;
      const nonce = randomBytes(nonceBytes);
      const browserSecret = randomBytes(32).toString('base64url');
      const mac = macOf(keyId, nonce, tenantId, browserSecret, place);
      if (!mac) throw new TypeError(`No master key "${keyId}".`);
      const body = Buffer.concat([Buffer.from(tenantId.replaceAll('-', ''), 'hex'), nonce, mac]);
      return { state: `${body.toString('base64url')}.${keyId}`, stateHash: hash(nonce), browserSecret };
    },

    check(state, browserSecret, place) {
      const dot = state.indexOf('.');
      const body = Buffer.from(state.slice(0, Math.max(dot, 0)), 'base64url');
      if (body.length !== tenantBytes + nonceBytes + macBytes) return undefined;
      const tenantId = writeUuid(body.subarray(0, tenantBytes));
      const nonce = body.subarray(tenantBytes, tenantBytes + nonceBytes);
      const expected = macOf(state.slice(dot + 1), nonce, tenantId, browserSecret, place);
      const given = body.subarray(-macBytes).toString('hex');
      if (!expected || !equalInConstantTime(given, expected.toString('hex'))) return undefined;
      return isUuid(tenantId) ? { tenantId, stateHash: hash(nonce) } : undefined;
    },
  };
}

function hash(value: string | Buffer): string {
  return createHash('sha256').update(value).digest('hex');
}

function writeUuid(bytes: Buffer): string {
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}
