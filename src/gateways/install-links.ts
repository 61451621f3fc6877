import { errors, jwtVerify, SignJWT } from 'jose';
import { isUuid, type Uuid } from '#domain/ids.ts';
import type { KeyRing } from '#kernel/key-ring.ts';
import type { Platform } from './gateway.ts';

/** The channel that an installation is for. */
export type InstallTarget = { tenantId: Uuid; channelId: Uuid };

export type InstallLinkCheck = ({ ok: true } & InstallTarget) | { ok: false; reason: 'expired' | 'invalid' };

export interface InstallLinks {
  make(target: InstallTarget, lifetimeMs?: number): Promise<{ token: string; expiresAt: Date }>;
  check(token: string): Promise<InstallLinkCheck>;
}

const lifetimeMsDefault = 7 * 24 * 60 * 60_000;
const algorithm = 'HS256';
const issuer = 'swarmgate';

/**
 * Links by which somebody who may install apps of a platform connects a workspace or server to one channel of one tenant,
 * without an account here. Signed (JWT, RFC 7519, HS256 only) under keys derived from the master keys; good until they expire.
 */
export function createInstallLinks(
  keyRing: KeyRing,
  platform: Platform,
  nowMs: () => number = Date.now,
): InstallLinks {
  const tokenType = `swarmgate-${platform}-install+jwt`;
  const keyOf = (keyId: string | undefined) => {
    const key = keyId === undefined ? undefined : keyRing.derive(`${platform}-install`, keyId);
    if (!key) throw new errors.JWSInvalid('unknown key');
    return key;
  };

  return {
    async make({ tenantId, channelId }, lifetimeMs = lifetimeMsDefault) {
      const [keyId] = keyRing.keyIds;
      const expiresAt = new Date(nowMs() + lifetimeMs);
      const token = await new SignJWT({ tid: tenantId, chn: channelId })
        .setProtectedHeader({ alg: algorithm, typ: tokenType, kid: keyId ?? '' })
        .setIssuer(issuer)
        .setExpirationTime(expiresAt)
        .sign(keyOf(keyId));
      return { token, expiresAt };
    },

    async check(token) {
      try {
        const { payload } = await jwtVerify(token, async (header) => keyOf(header.kid), {
          algorithms: [algorithm],
          issuer,
          typ: tokenType,
          requiredClaims: ['exp', 'tid', 'chn'],
          currentDate: new Date(nowMs()),
        });
        const { tid, chn } = payload as Record<'tid' | 'chn', unknown>;
        if (!isId(tid) || !isId(chn)) return { ok: false, reason: 'invalid' };
        return { ok: true, tenantId: tid, channelId: chn };
      } catch (error) {
        return { ok: false, reason: error instanceof errors.JWTExpired ? 'expired' : 'invalid' };
      }
    },
  };
}

function isId(value: unknown): value is Uuid {
  return typeof value === 'string' && isUuid(value);
}
