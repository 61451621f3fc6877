import { type Permission, permission } from '@swarmgate/contract/rest/permissions.ts';
import { decodeProtectedHeader, errors, jwtVerify, SignJWT } from 'jose';
import { z } from 'zod';
import { fromWire, isUuid, newId, toWire, type Uuid } from '#domain/ids.ts';
import { createKnownTokens } from './known-tokens.ts';
import type { TokenKeys } from './token-keys.ts';

/** What an access token says. Roles are there for its reader's sake: what is permitted is looked up when it is used. */
export type AccessClaims = {
  userId: Uuid;
  sessionId: Uuid;
  /** The refresh family it came with, and ends with. */
  familyId?: Uuid;
  tenantId?: Uuid;
  organizationId?: Uuid;
  roles: readonly string[];
  scope?: readonly Permission[];
};

export type AccessTokenCheck =
  | { ok: true; claims: AccessClaims }
  | { ok: false; reason: 'malformed' | 'expired' | 'invalid' };

export interface AccessTokens {
  issue(claims: AccessClaims): Promise<{ token: string; expiresAt: Date }>;
  verify(token: string): Promise<AccessTokenCheck>;
}

export const accessTokenLifetimeMs = 5 * 60_000;

const algorithm = 'EdDSA';
/** RFC 9068 §2.1; no other token of ours is of this type. */
const tokenType = 'at+jwt';
/** All permissions there are fit in. What is longer is not even decoded. */
const tokenLengthMax = 8_192;
const knownTokensMax = 10_000;
/** How far clocks of our own processes may be apart. */
const clockToleranceSeconds = 5;

const wireId = (kind: Parameters<typeof fromWire>[0]) =>
  z.string().transform((text, context): Uuid => {
    const id = fromWire(kind, text);
    if (id !== undefined) return id;
    context.addIssue('not an id');
    return z.NEVER;
  });

const headerForm = z.strictObject({
  alg: z.literal(algorithm),
  typ: z.literal(tokenType),
  kid: z.string().max(100),
});

const payloadForm = z.strictObject({
  iss: z.string(),
  aud: z.string(),
  iat: z.int(),
  nbf: z.int(),
  exp: z.int(),
  jti: z.string(),
  sub: wireId('user'),
  sid: wireId('session'),
  fam: z.custom<Uuid>((value) => typeof value === 'string' && isUuid(value)).optional(),
  tenant: wireId('tenant').optional(),
  org: wireId('organization').optional(),
  roles: z.array(z.string()),
  scope: z
    .string()
    .transform((text) => text.split(' ').filter((word) => word !== ''))
    .pipe(z.array(permission))
    .optional(),
});

/**
 * Access tokens of ours: JWTs (RFC 9068) signed with Ed25519, five minutes long. Taken is only what these functions made:
 * one algorithm, one type, three header parameters, keys of ours by their id.
 */
export function createAccessTokens({
  keys,
  issuer,
  audience = issuer,
  nowMs = Date.now,
}: {
  keys: TokenKeys;
  issuer: string;
  audience?: string;
  nowMs?: () => number;
}): AccessTokens {
  const known = createKnownTokens<AccessClaims>(knownTokensMax, nowMs);

  return {
    async issue({ userId, sessionId, familyId, tenantId, organizationId, roles, scope }) {
      const { kid, privateKey } = await keys.toSign();
      const iat = Math.floor(nowMs() / 1_000);
      const expiresAt = new Date(iat * 1_000 + accessTokenLifetimeMs);
      const token = await new SignJWT({
        ...(tenantId !== undefined && { tenant: toWire('tenant', tenantId) }),
        ...(organizationId !== undefined && { org: toWire('organization', organizationId) }),
        roles: [...roles],
        ...(scope !== undefined && { scope: scope.join(' ') }),
        sid: toWire('session', sessionId),
        ...(familyId !== undefined && { fam: familyId }),
      })
        .setProtectedHeader({ alg: algorithm, typ: tokenType, kid })
        .setIssuer(issuer)
        .setAudience(audience)
        .setSubject(toWire('user', userId))
        .setJti(newId())
        .setIssuedAt(iat)
        .setNotBefore(iat)
        .setExpirationTime(expiresAt)
        .sign(privateKey);
      return { token, expiresAt };
    },

    async verify(token) {
      if (token.length > tokenLengthMax) return { ok: false, reason: 'malformed' };
      const before = known.find(token);
      if (before && (await keys.toVerify(before.kid))) return { ok: true, claims: before.claims };
      if (!isCanonical(token)) return { ok: false, reason: 'malformed' };
      const kid = readKid(token);
      const key = kid === undefined ? undefined : await keys.toVerify(kid);
      if (kid === undefined || !key) return { ok: false, reason: 'invalid' };
      try {
        const { payload } = await jwtVerify(token, key, {
          algorithms: [algorithm],
          typ: tokenType,
          issuer,
          audience,
          maxTokenAge: accessTokenLifetimeMs / 1_000,
          clockTolerance: clockToleranceSeconds,
          currentDate: new Date(nowMs()),
        });
        const read = payloadForm.safeParse(payload);
        if (!read.success) return { ok: false, reason: 'invalid' };
        const claims = claimsOf(read.data);
        known.keep(token, { kid, expiresAtMs: read.data.exp * 1_000, claims });
        return { ok: true, claims };
      } catch (error) {
        if (error instanceof errors.JWTExpired) return { ok: false, reason: 'expired' };
        if (error instanceof errors.JOSEError) return { ok: false, reason: 'invalid' };
        throw error;
      }
    },
  };
}

/** Which key a token names, if it has the header that ours have and nothing beside it. */
function readKid(token: string): string | undefined {
  try {
    return headerForm.safeParse(decodeProtectedHeader(token)).data?.kid;
  } catch {
    return undefined; // no JSON
  }
}

function claimsOf({ sub, sid, fam, tenant, org, roles, scope }: z.infer<typeof payloadForm>): AccessClaims {
  return {
    userId: sub,
    sessionId: sid,
    ...(fam !== undefined && { familyId: fam }),
    ...(tenant !== undefined && { tenantId: tenant }),
    ...(org !== undefined && { organizationId: org }),
    roles,
    ...(scope !== undefined && { scope }),
  };
}

/** Three parts, each in the one spelling that its bytes have: decoders let others pass, and one token had many texts. */
function isCanonical(token: string): boolean {
  const parts = token.split('.');
  return (
    parts.length === 3 &&
    parts.every((part) => part !== '' && Buffer.from(part, 'base64url').toString('base64url') === part)
  );
}
