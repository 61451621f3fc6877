import type { WebChatChannelSettings } from '@swarmgate/contract/channels/webchat.ts';
import { createRemoteJWKSet, customFetch, errors, type JWTVerifyGetKey, jwtVerify } from 'jose';
import { boundBody } from '#kernel/bound-body.ts';

export type Identity = { subject: string; profile: Readonly<Record<string, unknown>> };

export type IdentityCheck = { ok: true; identity: Identity } | { ok: false; reason: string };

export type IdentityChecker = (
  token: string,
  settings: WebChatChannelSettings['identity'],
  secret: string | undefined,
) => Promise<IdentityCheck>;

/** A token of the embedding site is for now, not for later: one that lives longer than this is refused. */
const lifetimeMaxSeconds = 24 * 60 * 60;
const clockToleranceSeconds = 30;
const subjectPattern = /^\P{Cc}{1,200}$/u;
/** More than any key set has; the server behind the address is the tenant's. */
const keysBytesMax = 256 * 1024;

/**
 * Checks the JWT by which the embedding site says who its visitor is: HS256 with the channel's secret, or an asymmetric
 * key of its JWKS. Needs `sub` and `exp`, and the issuer and audience that the channel names; `name` and `email` become
 * the profile. Keys are fetched through `guardedFetch`, because the address is the tenant's.
 */
export function createIdentityChecker(guardedFetch: typeof fetch): IdentityChecker {
  const keySets = new Map<string, JWTVerifyGetKey>();
  const fetchKeys = boundBody(guardedFetch, keysBytesMax);

  const keySetOf = (url: string) => {
    const known = keySets.get(url);
    if (known) return known;
    const keySet = createRemoteJWKSet(new URL(url), { [customFetch]: fetchKeys, timeoutDuration: 5_000 });
    keySets.set(url, keySet);
    return keySet;
  };

  return async (token, settings, secret) => {
    if (!settings) return { ok: false, reason: 'This channel takes no identity tokens.' };
    const { issuer, audience } = settings;
    const options = {
      clockTolerance: clockToleranceSeconds,
      requiredClaims: ['sub', 'exp'],
      ...(issuer !== undefined && { issuer }),
      ...(audience !== undefined && { audience }),
    };
    try {
      const { payload } =
        settings.kind === 'secret'
          ? await jwtVerify(token, new TextEncoder().encode(secret ?? ''), {
              ...options,
              algorithms: ['HS256'],
            })
          : await jwtVerify(token, keySetOf(settings.jwksUrl ?? ''), {
              ...options,
              algorithms: ['RS256', 'ES256', 'EdDSA', 'PS256'],
            });
      if ((payload.exp ?? 0) - Date.now() / 1_000 > lifetimeMaxSeconds)
        return { ok: false, reason: 'The identity token lives too long: at most 24 hours.' };
      const { sub, name, email } = payload as Record<'sub' | 'name' | 'email', unknown>;
      if (typeof sub !== 'string' || !subjectPattern.test(sub))
        return { ok: false, reason: 'The identity token needs a "sub" of 1 to 200 characters.' };
      return {
        ok: true,
        identity: { subject: sub, profile: { ...textField('name', name), ...textField('email', email) } },
      };
    } catch (error) {
      return { ok: false, reason: explain(error) };
    }
  };
}

function textField(name: string, value: unknown): Record<string, string> {
  return typeof value === 'string' && value.length <= 320 ? { [name]: value } : {};
}

function explain(error: unknown): string {
  if (error instanceof errors.JWTExpired) return 'The identity token has expired.';
  if (error instanceof errors.JWTClaimValidationFailed)
    return `The identity token's "${error.claim}" is missing or wrong.`;
  if (error instanceof errors.JWKSTimeout)
    return 'The keys of the identity provider could not be fetched in time.';
  return 'The identity token is not valid.';
}
