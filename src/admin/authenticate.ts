import type { Request } from 'express';
import type { AuditTrail } from '#audit/audit-trail.ts';
import type { KeyAuthenticator, KeyCheck } from '#identity/authenticate-key.ts';
import type { Principal } from '#identity/principal.ts';
import { currentContext } from '#kernel/context.ts';
import { networkOf } from '#kernel/network-of.ts';
import { type ProblemError, tooManyRequests } from '#kernel/problem.ts';
import type { CountCalls } from './api-parts.ts';
import { unauthorized } from './refusals.ts';

export type AuthenticateParts = { checkKey: KeyAuthenticator; countCalls: CountCalls; trail: AuditTrail };

/** How many calls a minute one network may make with credentials that are not good. */
const refusalsPerMinute = 60;

/** Finds out who calls: by the API key in `Authorization: Bearer`. Answers a function that throws a 401 for whoever does not say. */
export function createAuthenticate({ checkKey, countCalls, trail }: AuthenticateParts) {
  return async (request: Request): Promise<Principal> => {
    const credential = readBearer(request);
    const check = await checkKey(credential);
    if (check.ok) return check.principal;
    const network = networkOf(request.ip ?? '');
    const count = await countCalls(`api refused ${network}`, refusalsPerMinute);
    if (!count.allowed) throw tooManyRequests(count.retryAfterMs, 'Too many calls without good credentials.');
    if (check.reason !== 'unknown')
      await trail.note(check.tenantId, {
        actor: { kind: 'api_key', id: check.keyId },
        action: 'authenticate',
        resource: { kind: 'api-keys' },
        outcome: 'refused',
        reason: `The API key was ${spoken[check.reason]}.`,
        requestId: currentContext().requestId ?? '',
        personal: { address: request.ip ?? '' },
      });
    throw refusalOf(check);
  };
}

const spoken = {
  revoked: 'revoked',
  expired: 'expired',
  maker_gone: 'made by somebody who has no access any more',
};

function readBearer(request: Request): string {
  const [scheme, credential = '', ...more] = (request.get('authorization') ?? '').trim().split(/ +/);
  if (scheme?.toLowerCase() !== 'bearer' || credential === '' || more.length > 0)
    throw unauthorized('credentials_missing', 'Send an API key as "Authorization: Bearer sgk_…".');
  return credential;
}

// Whoever has the key itself is told what became of it; whoever has not learns nothing of keys.
function refusalOf(check: Exclude<KeyCheck, { ok: true }>): ProblemError {
  return check.reason === 'unknown'
    ? unauthorized('credentials_invalid', 'These credentials are not good here.')
    : unauthorized(`api_key_${check.reason}`, `The API key was ${spoken[check.reason]}; use another one.`);
}
