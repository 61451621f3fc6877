import type { Operation } from '@swarmgate/contract/rest/operation.ts';
import type { AuditEvent } from '#audit/audit-trail.ts';
import type { Scopes, Unit } from '#tenancy/scopes.ts';
import type { ApiParts } from './api-parts.ts';
import type { Answer, Asked, Handler } from './handler.ts';
import { type IdempotentCall, keepAnswer, takeKey } from './idempotency.ts';

/**
 * Does what is asked, and tells the audit trail of it: of a change in the commit that makes it, of everything else before
 * it is answered.
 */
export async function runOperation(
  { scopes, keyRing, trail }: ApiParts,
  operation: Operation,
  handler: Handler,
  asked: Asked,
  event: AuditEvent,
  call: IdempotentCall | undefined,
): Promise<Answer> {
  const { tenantId } = asked;
  if ('tellsItself' in handler) return handler.tellsItself(asked);
  if ('alone' in handler) {
    // Taken before and answered after, since it does its work in a transaction of its own. Where the answer was not kept, it
    // is done again, which has no second effect.
    const inOwnUnit = <T>(work: (unit: Unit) => Promise<T>) => scopes.inTenant(tenantId, work);
    const kept = call && ((await inOwnUnit((unit) => takeKey(unit, keyRing, call))) as Answer | undefined);
    const answer = kept ?? (await handler.alone(asked));
    if (call && !kept)
      await inOwnUnit((unit) => keepAnswer(unit, keyRing, call, operation.answer.status, keptOf(answer)));
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
    const kept = call && ((await takeKey(unit, keyRing, call)) as Answer | undefined);
    if (kept) await trail.append(unit, tenantId, { ...prepared, ...repeated });
    return kept;
  };
  const answer = await inUnit(scopes, handler, asked, { begin, end });
  answer.afterwards?.();
  return answer;
}

/** What the trail is told of a call whose answer was there already. */
const repeated = { detail: { isRepeated: true } };

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
