import type { AuditTrail } from '#audit/audit-trail.ts';
import { toWire, type Uuid } from '#domain/ids.ts';
import { tooManyRequests } from '#kernel/problem.ts';
import { type ApplyRefusedError, findHolders } from '#tenancy/channel-life.ts';
import type { Scopes } from '#tenancy/scopes.ts';
import type { CountCalls } from './api-parts.ts';
import type { Asked } from './handler.ts';

export type WantedClaims = NonNullable<ApplyRefusedError['wanted']>;

/** Whoever may make channels could ask, account by account, which ones others have connected; not more than so often. */
const claimsPerMinute = 60;

/** @throws {ProblemError} 429 */
export async function countClaim(countCalls: CountCalls, tenantId: Uuid): Promise<void> {
  const count = await countCalls(`claims ${tenantId}`, claimsPerMinute);
  if (!count.allowed) throw tooManyRequests(count.retryAfterMs, 'Too many accounts were named at once.');
}

/**
 * Tells both sides that somebody wanted an account that another tenant has claimed: one what they tried, the other that it
 * was tried. Neither learns who the other is.
 */
export async function tellClaimRefused(
  { scopes, trail }: { scopes: Scopes; trail: AuditTrail },
  { tenantId, principal, client }: Pick<Asked, 'tenantId' | 'principal' | 'client'>,
  { platform, claims }: WantedClaims,
): Promise<void> {
  const held = await findHolders(scopes, tenantId, platform, claims);
  if (held.length === 0) return;
  const { requestId, ...personal } = client;
  const detailOf = ({ kind, app, key }: (typeof held)[number]) => ({ platform, kind, app, key });
  const event = { action: 'claim.refused', outcome: 'refused' } as const;
  await trail.note(tenantId, {
    ...event,
    actor: { kind: principal.kind, id: principal.id },
    resource: { kind: 'channels' },
    reason: 'Another channel has claimed the account.',
    detail: { accounts: held.map(detailOf) },
    ...(requestId !== undefined && { requestId }),
    personal,
  });
  for (const account of held)
    await trail.note(account.tenantId, {
      ...event,
      actor: { kind: 'nobody' },
      resource: { kind: 'channels', id: toWire('channel', account.channelId) },
      reason: 'Somebody else wanted an account that this channel has claimed.',
      detail: { accounts: [detailOf(account)] },
    });
}
