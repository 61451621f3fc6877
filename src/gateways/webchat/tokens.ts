import { errors, jwtVerify, SignJWT } from 'jose';
import { isUuid, type Uuid } from '#domain/ids.ts';
import type { KeyRing } from '#kernel/key-ring.ts';

/** Who a visitor is and which conversation is open to them. */
export type Visitor = {
  tenantId: Uuid;
  channelId: Uuid;
  conversationId: Uuid;
  /** The participant's id within the channel. */
  externalId: string;
  /** Whether the embedding site has proven who it is. */
  verified: boolean;
  profile: Readonly<Record<string, unknown>>;
};

export type TokenKind = 'session' | 'visitor';

export type TokenCheck = { ok: true; visitor: Visitor } | { ok: false; reason: 'expired' | 'invalid' };

export interface VisitorTokens {
  sign(kind: TokenKind, visitor: Visitor): Promise<{ token: string; expiresAt: Date }>;
  check(kind: TokenKind, token: string): Promise<TokenCheck>;
}

const lifetimeMs: Record<TokenKind, number> = { session: 60 * 60_000, visitor: 365 * 24 * 60 * 60_000 };
const algorithm = 'HS256';
const issuer = 'swarmgate';

/**
 * Signed visitor tokens (JWT, RFC 7519, HS256 only), under keys derived from the master keys: each token names its key,
 * so that those of an older master key hold until it leaves the ring.
 */
export function createVisitorTokens(keyRing: KeyRing): VisitorTokens {
  const keyOf = (keyId: string | undefined) => {
    const key = keyId === undefined ? undefined : keyRing.derive('web-chat-token', keyId);
    if (!key) throw new errors.JWSInvalid('unknown key');
    return key;
  };

  return {
    async sign(kind, { tenantId, channelId, conversationId, externalId, verified, profile }) {
      const [keyId] = keyRing.keyIds;
      const expiresAt = new Date(Date.now() + lifetimeMs[kind]);
      const token = await new SignJWT({
        tid: tenantId,
        chn: channelId,
        cnv: conversationId,
        ver: verified,
        pro: profile,
      })
        .setProtectedHeader({ alg: algorithm, typ: `swarmgate-${kind}+jwt`, kid: keyId ?? '' })
        .setIssuer(issuer)
        .setSubject(externalId)
        .setIssuedAt()
        .setExpirationTime(expiresAt)
        .sign(keyOf(keyId));
      return { token, expiresAt };
    },

    async check(kind, token) {
      try {
        const { payload } = await jwtVerify(token, async (header) => keyOf(header.kid), {
          algorithms: [algorithm],
          issuer,
          typ: `swarmgate-${kind}+jwt`,
          requiredClaims: ['exp', 'sub', 'tid', 'chn', 'cnv'],
        });
        const visitor = readVisitor(payload);
        return visitor ? { ok: true, visitor } : { ok: false, reason: 'invalid' };
      } catch (error) {
        return { ok: false, reason: error instanceof errors.JWTExpired ? 'expired' : 'invalid' };
      }
    },
  };
}

function readVisitor(claims: Record<string, unknown> & { sub?: string }): Visitor | undefined {
  const { tid, chn, cnv, sub, ver, pro } = claims;
  const ids = [tid, chn, cnv];
  if (!ids.every((id): id is Uuid => typeof id === 'string' && isUuid(id)) || sub === undefined)
    return undefined;
  const [tenantId, channelId, conversationId] = ids as [Uuid, Uuid, Uuid];
  return {
    tenantId,
    channelId,
    conversationId,
    externalId: sub,
    verified: ver === true,
    profile: (pro ?? {}) as Record<string, unknown>,
  };
}
