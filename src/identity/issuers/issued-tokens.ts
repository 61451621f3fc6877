import { createHmac } from 'node:crypto';
import { decodeJwt, errors, type JWTPayload, jwtVerify } from 'jose';
import type { Uuid } from '#domain/ids.ts';
import { createExpiringCache } from '#kernel/expiring-cache.ts';
import type { KeyRing } from '#kernel/key-ring.ts';
import { ForbiddenUrlError } from '#kernel/url-guard.ts';
import type { Scopes } from '#tenancy/scopes.ts';
import type { Principal } from '../principal.ts';
import { IssuerUnavailableError } from './issuer-metadata.ts';
import { readClaim, textsOf } from './read-claim.ts';
import type { RemoteKeys } from './remote-keys.ts';
import { type FoundIssuer, grantOfSubject, isKept } from './subject-grant.ts';
import { subjectKeyPlace } from './token-issuers.ts';

export type TokenSubject = Extract<Principal, { kind: 'token_subject' }>;

export type IssuedTokenCheck =
  | { ok: true; principal: TokenSubject }
  /** Nothing that this tenant takes, whatever it is elsewhere: for whoever has it, the tenant is not there. */
  | { ok: false; reason: 'foreign' }
  /** It is the issuer's, and for this tenant; and has ended. */
  | { ok: false; reason: 'expired' }
  /** It is the issuer's, and for this tenant; and gives nothing there: for what it says, or does not say. */
  | { ok: false; reason: 'nothing_given'; subjectId: Uuid; subject: string; why: string }
  /** The keys of the issuer cannot be had at this moment. */
  | { ok: false; reason: 'keys_unavailable' };

/** Tokens of issuers that tenants bring along: each is good in the tenant that takes its issuer and audience, and nowhere else. */
export interface IssuedTokens {
  /** Whether a bearer is a token that says it is another issuer's than this installation. Nothing is proved by it. */
  isIssuedElsewhere(bearer: string): boolean;
  check(tenantId: Uuid, token: string): Promise<IssuedTokenCheck>;
  /** An issuer was changed here: its tokens are looked at anew at once, and by other processes within a second. */
  forget(tenantId: Uuid, issuer: string): void;
}

/** How long an issuer that was taken back elsewhere may still be good here. */
const validMs = 1_000;
const knownMax = 10_000;
/** Groups make tokens long; what is longer than this is not even decoded. */
const tokenLengthMax = 14_000;
const issuerLengthMax = 500;
const clockToleranceSeconds = 30;
/** A token is for now, not for later. */
const lifetimeMaxSeconds = 24 * 60 * 60;
const subjectForm = /^\P{Cc}{1,255}$/u;

export function createIssuedTokens({
  scopes,
  keyRing,
  keys,
  ownIssuer,
  nowMs = Date.now,
}: {
  scopes: Pick<Scopes, 'call'>;
  keyRing: KeyRing;
  keys: RemoteKeys;
  ownIssuer: string;
  nowMs?: () => number;
}): IssuedTokens {
  const known = createExpiringCache<readonly FoundIssuer[]>(validMs, knownMax);
  const nameOf = (tenantId: Uuid, issuer: string) => `${tenantId}/${issuer}`;

  const find = (tenantId: Uuid, issuer: string) =>
    known(nameOf(tenantId, issuer), async () => {
      const [row] = await scopes.call<{ find_token_issuers_v1: FoundIssuer[] | null }>(
        'swarmgate.find_token_issuers_v1',
        [tenantId, issuer],
      );
      return row?.find_token_issuers_v1 ?? [];
    });

  const verify = async (token: string, found: FoundIssuer) => {
    const source = { issuer: found.issuer, jwksUrl: found.jwksUrl ?? undefined };
    const { payload, protectedHeader } = await jwtVerify(token, keys.of(source), {
      algorithms: found.algorithms,
      issuer: found.issuer,
      audience: found.audience,
      requiredClaims: ['sub', 'iat', 'exp'],
      maxTokenAge: lifetimeMaxSeconds,
      clockTolerance: clockToleranceSeconds,
      currentDate: new Date(nowMs()),
    });
    return { payload, type: protectedHeader.typ };
  };

  return {
    isIssuedElsewhere(bearer) {
      const issuer = readIssuer(bearer);
      return issuer !== undefined && issuer !== ownIssuer;
    },

    async check(tenantId, token) {
      const said = readClaims(token);
      const issuer = readIssuer(token);
      if (!said || issuer === undefined) return { ok: false, reason: 'foreign' };
      const audiences = [said.aud ?? []].flat();
      const found = (await find(tenantId, issuer)).find(({ audience }) => audiences.includes(audience));
      if (!found) return { ok: false, reason: 'foreign' };
      try {
        const { payload, type } = await verify(token, found);
        if (!isTokenType(type) || !isShortLived(payload)) return { ok: false, reason: 'foreign' };
        return judge(keyRing, tenantId, found, payload);
      } catch (error) {
        // Signature, issuer and audience are looked at before the time.
        if (error instanceof errors.JWTExpired) return { ok: false, reason: 'expired' };
        if (error instanceof errors.JOSEError) return { ok: false, reason: 'foreign' };
        // A key that is none of its kind.
        if (error instanceof TypeError || error instanceof DOMException)
          return { ok: false, reason: 'foreign' };
        if (error instanceof IssuerUnavailableError || error instanceof ForbiddenUrlError)
          return { ok: false, reason: 'keys_unavailable' };
        throw error;
      }
    },

    forget: (tenantId, issuer) => known.forget(nameOf(tenantId, issuer)),
  };
}

function judge(keyRing: KeyRing, tenantId: Uuid, found: FoundIssuer, payload: JWTPayload): IssuedTokenCheck {
  const subject = payload.sub ?? '';
  if (!subjectForm.test(subject)) return { ok: false, reason: 'foreign' };
  const subjectId = pseudonymOf(keyRing, tenantId, found, subject);
  const refuse = (why: string): IssuedTokenCheck => ({
    ...{ ok: false, reason: 'nothing_given', subjectId, subject, why },
  });
  if (!isKept(found))
    return refuse('Whoever registered the issuer, or has changed it last, has no access any more.');
  const missing = found.requiredClaims.find(({ claim, value }) => !says(readClaim(payload, claim), value));
  if (missing) return refuse(`It does not say what is required in "${missing.claim}".`);
  const said = found.roleClaim === null ? [] : textsOf(readClaim(payload, found.roleClaim));
  const grant = grantOfSubject(found, said);
  if (!grant) return refuse('No role is mapped to what it says, and there is no default role.');
  return {
    ok: true,
    principal: {
      ...{ kind: 'token_subject', id: subjectId, tenantId, organizationId: found.organizationId },
      ...{ issuerId: found.id, issuer: found.issuer, subject, grant },
      said: said.filter((one) => found.roleMap.some(({ value }) => value === one)),
    },
  };
}

function says(claim: unknown, wanted: string | number | boolean): boolean {
  return Array.isArray(claim) ? claim.includes(wanted) : claim === wanted;
}

/**
 * What a subject is called in the audit trail: the same each time, and nobody's name. By a key of the issuer's row, so that
 * who reads the trail cannot try names out against it.
 */
function pseudonymOf(keyRing: KeyRing, tenantId: Uuid, found: FoundIssuer, subject: string): Uuid {
  const key = Buffer.from(
    keyRing.open(found.sealedSubjectKey, subjectKeyPlace(tenantId, found.id)),
    'base64',
  );
  const bytes = createHmac('sha256', key).update(subject).digest().subarray(0, 16);
  // UUIDv8 (RFC 9562 §5.8): of our own making.
  bytes[6] = 0x80 | ((bytes[6] ?? 0) & 0x0f);
  bytes[8] = 0x80 | ((bytes[8] ?? 0) & 0x3f);
  const hex = bytes.toString('hex');
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5') as Uuid;
}

// A token of another kind that the same issuer signs for the same audience (a logout token, …) is no credential.
function isTokenType(type: string | undefined): boolean {
  return type === undefined || ['jwt', 'at+jwt', 'application/at+jwt'].includes(type.toLowerCase());
}

function isShortLived({ iat = 0, exp = Number.POSITIVE_INFINITY }: JWTPayload): boolean {
  return exp - iat <= lifetimeMaxSeconds;
}

function readIssuer(token: string): string | undefined {
  const issuer = readClaims(token)?.iss;
  return typeof issuer === 'string' && issuer.length <= issuerLengthMax ? issuer : undefined;
}

function readClaims(token: string): JWTPayload | undefined {
  if (token.length > tokenLengthMax) return undefined;
  try {
    return decodeJwt(token);
  } catch {
    return undefined; // no token at all
  }
}
