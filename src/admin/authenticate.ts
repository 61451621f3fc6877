import type { Request } from 'express';
import type { AuditTrail } from '#audit/audit-trail.ts';
import { fromWire, type Uuid } from '#domain/ids.ts';
import type { KeyAuthenticator, KeyCheck } from '#identity/authenticate-key.ts';
import type { Identity } from '#identity/identity.ts';
import type { Principal } from '#identity/principal.ts';
import { currentContext } from '#kernel/context.ts';
import { ProblemError } from '#kernel/problem.ts';
import type { Authenticate, CountCalls } from './api-parts.ts';
import { countRefusal } from './count-refusal.ts';
import { type Credentials, readCredentials } from './credentials.ts';
import { notFound, unauthorized } from './refusals.ts';
import { isFromThisMachine } from './this-machine.ts';

export type AuthenticateParts = {
  checkKey: KeyAuthenticator;
  people: () => Pick<Identity, 'authenticate' | 'issuedTokens' | 'cookie'>;
  countCalls: CountCalls;
  trail: AuditTrail;
};

/**
 * Finds out who calls: by an API key, an access token or a token of the tenant's own issuer in `Authorization: Bearer`, or
 * by the cookie of a session. Answers a function that throws a 401 for whoever does not say.
 */
export function createAuthenticate({ checkKey, people, countCalls, trail }: AuthenticateParts): Authenticate {
  async function refuse(request: Request, check: Exclude<KeyCheck, { ok: true }>): Promise<never> {
    await countRefusal(countCalls, request);
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
  }

  async function check(
    credentials: Credentials,
    request: Request,
  ): Promise<KeyCheck | { ok: true; principal: Principal }> {
    if ('bearer' in credentials && credentials.bearer.startsWith('sgk_')) return checkKey(credentials.bearer);
    const principal = await people().authenticate(
      'bearer' in credentials ? { accessToken: credentials.bearer } : credentials,
      { isFromThisMachine: isFromThisMachine(request) },
    );
    return principal ? { ok: true, principal } : { ok: false, reason: 'unknown' };
  }

  // It is looked for in the tenant of the path, and for another one's it is as if that were not there.
  async function checkIssued(request: Request, tenantId: Uuid, token: string): Promise<Principal> {
    const checked = await people().issuedTokens.check(tenantId, token);
    if (checked.ok) return checked.principal;
    await countRefusal(countCalls, request);
    switch (checked.reason) {
      case 'expired':
        throw unauthorized('token_expired', 'The token has expired; ask its issuer for a new one.');
      case 'keys_unavailable':
        throw new ProblemError(
          503,
          'issuer_unavailable',
          'Issuer unavailable',
          'The keys of the issuer cannot be had at this moment; try again soon.',
          { 'Retry-After': '5' },
        );
      case 'nothing_given':
        await trail.note(tenantId, {
          ...{ actor: { kind: 'token_subject', id: checked.subjectId }, action: 'authenticate' },
          ...{ resource: { kind: 'token-issuers' }, outcome: 'refused', reason: checked.why },
          requestId: currentContext().requestId ?? '',
          personal: { address: request.ip ?? '', subject: checked.subject },
        });
        throw notFound();
      case 'foreign':
        throw notFound();
    }
  }

  return async (request) => {
    const credentials = readCredentials(request, people().cookie);
    if (!credentials)
      throw unauthorized(
        'credentials_missing',
        'Send an API key or an access token as "Authorization: Bearer …", or sign in.',
      );
    const isElsewhere =
      'bearer' in credentials && people().issuedTokens.isIssuedElsewhere(credentials.bearer);
    const { tenantId: wire } = request.params;
    if (isElsewhere && typeof wire === 'string') {
      const tenantId = fromWire('tenant', wire);
      if (tenantId) return checkIssued(request, tenantId, credentials.bearer);
      await countRefusal(countCalls, request);
      throw notFound();
    }
    const checked = await check(credentials, request);
    return checked.ok ? checked.principal : refuse(request, checked);
  };
}

const spoken = {
  revoked: 'revoked',
  expired: 'expired',
  maker_gone: 'made by somebody who has no access any more',
};

// Whoever has the key itself is told what became of it; whoever has not learns nothing of keys.
function refusalOf(check: Exclude<KeyCheck, { ok: true }>): ProblemError {
  return check.reason === 'unknown'
    ? unauthorized('credentials_invalid', 'These credentials are not good here.')
    : unauthorized(`api_key_${check.reason}`, `The API key was ${spoken[check.reason]}; use another one.`);
}
