import type { Operation } from '@swarmgate/contract/rest/operation.ts';
import type { AuditEvent } from '#audit/audit-trail.ts';
import type { Uuid } from '#domain/ids.ts';
import { ProblemError } from '#kernel/problem.ts';
import type { Scopes, Unit } from '#tenancy/scopes.ts';
import type { ApiParts } from './api-parts.ts';
import type { Answer, Asked, Handler } from './handler.ts';
import { type IdempotentCall, keepAnswer, takeKey } from './idempotency.ts';

/**
 * Does what is asked, and tells the audit trail of it: of a change in the commit that makes it, of everything else before
 * it is answered.
 */
export async function runOperation(
  parts: ApiParts,
  operation: Operation,
  handler: Handler,
  asked: Asked,
  event: AuditEvent,
  call: IdempotentCall | undefined,
): Promise<Answer> {
  try {
    await handler.before?.(asked);
    return await run(parts, operation, handler, asked, event, call);
  } catch (error) {
    throw handler.explain ? await handler.explain(asked, error) : error;
  }
}

async function run(
  { scopes, keyRing, trail }: ApiParts,
  operation: Operation,
  handler: Handler,
  asked: Asked,
  event: AuditEvent,
  call: IdempotentCall | undefined,
): Promise<Answer> {
  const { tenantId } = asked;
  const inOwnUnit = <T>(work: (unit: Unit) => Promise<T>) => scopes.inTenant(tenantId, work);
  if ('alone' in handler || 'tellsItself' in handler) {
    if (operation.method !== 'get' && !handler.isForAnyStatus)
      await inOwnUnit((unit) => refuseSuspended(unit, tenantId));
    // Taken before and answered after, since it does its work in a transaction of its own. Where the answer was not kept, it
    // is done again.
    const kept = call && ((await inOwnUnit((unit) => takeKey(unit, keyRing, call))) as Answer | undefined);
    const answer = kept ?? (await ('alone' in handler ? handler.alone : handler.tellsItself)(asked));
    if (call && !kept)
      await inOwnUnit((unit) => keepAnswer(unit, keyRing, call, operation.answer.status, keptOf(answer)));
    if ('alone' in handler || kept)
      await trail.note(tenantId, { ...event, ...toldBy(answer, event), ...(kept && repeated) });
    return answer;
  }
  if (operation.method === 'get') {
    const answer = await inUnit(scopes, handler, asked, { end: async (_unit, answered) => answered });
    await trail.note(tenantId, { ...event, ...toldBy(answer, event) });
    return answer;
  }

  const prepared = await trail.prepare(tenantId, event);
  const end = async (unit: Unit, answer: Answer) => {
    await trail.append(unit, tenantId, { ...prepared, ...toldBy(answer, event) });
    if (call) await keepAnswer(unit, keyRing, call, operation.answer.status, keptOf(answer));
    return answer;
  };
  const begin = async (unit: Unit) => {
    if (!handler.isForAnyStatus) await refuseSuspended(unit, tenantId);
    const kept = call && ((await takeKey(unit, keyRing, call)) as Answer | undefined);
    if (kept) await trail.append(unit, tenantId, { ...prepared, ...repeated });
    return kept;
  };
  const answer = await inUnit(scopes, handler, asked, { begin, end });
  await answer.afterwards?.();
  return answer;
}

/** What the trail is told of a call whose answer was there already. */
const repeated = { detail: { isRepeated: true } };

// Who belongs to a tenant that is suspended may look on, and change nothing.
async function refuseSuspended(unit: Unit, tenantId: Uuid): Promise<void> {
  const [row] = await unit.sql<{ status: string }>('SELECT status FROM directory.tenants WHERE id = $1', [
    tenantId,
  ]);
  if (row?.status === 'closing')
    throw new ProblemError(
      403,
      'tenant_closing',
      'Tenant closing',
      'The tenant is closing: it can be looked at, and reopened, and nothing changed.',
    );
  if (row?.status !== 'active')
    throw new ProblemError(
      403,
      'tenant_suspended',
      'Tenant suspended',
      'The tenant is suspended: it can be looked at, and nothing changed, until an operator lets it go on.',
    );
}

type Around = {
  /** Answers for the handler where there is nothing left to do. */
  begin?: (unit: Unit) => Promise<Answer | undefined>;
  end: (unit: Unit, answer: Answer) => Promise<Answer>;
};

function inUnit(
  scopes: Scopes,
  handler: Extract<Handler, { inTenant: unknown } | { inPlatform: unknown }>,
  asked: Asked,
  { begin, end }: Around,
): Promise<Answer> {
  if ('inTenant' in handler)
    return scopes.inTenant(
      asked.tenantId,
      async (unit) => (await begin?.(unit)) ?? end(unit, await handler.inTenant(asked, unit)),
    );
  return scopes.inPlatform(async (unit) => {
    await begin?.(unit);
    const answer = await handler.inPlatform(asked, unit);
    await unit.becomeTenant(asked.tenantId);
    return end(unit, answer);
  });
}

function toldBy({ resourceId, detail }: Answer, event: AuditEvent): Partial<AuditEvent> {
  return {
    ...(resourceId !== undefined && { resource: { ...event.resource, id: resourceId } }),
    ...(detail && { detail }),
  };
}

function keptOf({ body, version }: Answer) {
  return { body, ...(version !== undefined && { version }) };
}
