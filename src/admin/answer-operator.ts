import type { Operation } from '@swarmgate/contract/rest/operation.ts';
import type { RequestHandler } from 'express';
import { type AuditEvent, installationTrail } from '#audit/audit-trail.ts';
import { currentContext } from '#kernel/context.ts';
import { ProblemError } from '#kernel/problem.ts';
import { TenantNotFoundError } from '#tenancy/scope-errors.ts';
import { countCall, send } from './answer-operation.ts';
import type { ApiParts } from './api-parts.ts';
import { pathIdsOf, readIds, readInput } from './call.ts';
import { countRefusal } from './count-refusal.ts';
import type { OperatorAsked, OperatorHandler } from './handler.ts';
import { forbidden, notFound } from './refusals.ts';
import { readIfMatch } from './versions.ts';

/**
 * Answers an operation about the installation, in the same order as those about a tenant; it is told on the installation's
 * trail.
 */
export function answerOperator(
  parts: ApiParts,
  name: string,
  operation: Operation,
  { operator, thenInTenant }: OperatorHandler,
): RequestHandler {
  return async (request, response) => {
    response.set('Cache-Control', 'no-store');
    const principal = await parts.authenticate(request);
    await countCall(parts, principal, response);
    const last = pathIdsOf(operation).at(-1);
    const event = {
      actor: { kind: principal.kind, id: principal.id },
      action: name,
      resource: {
        kind: 'organizations',
        ...(last !== undefined && { id: String(request.params[last]).slice(0, 100) }),
      },
      requestId: currentContext().requestId ?? '',
      personal: { address: request.ip ?? '', userAgent: (request.get('user-agent') ?? '').slice(0, 500) },
    } satisfies Partial<AuditEvent>;

    // Also one whose token is for a single tenant, or within a scope, acts as less than they are.
    const isOperator =
      principal.kind === 'user' && principal.isOperator && !principal.tenantId && !principal.scope;
    if (!isOperator) {
      // It is told on a trail that is kept for good.
      await countRefusal(parts.countCalls, request);
      const reason = 'An operator of the installation is needed, who has shown their second factor.';
      await parts.trail.note(installationTrail, { ...event, outcome: 'refused', reason });
      throw forbidden(reason);
    }

    try {
      // The installation is looked after at its own host.
      if ((await parts.hostTenant(request)) !== undefined) throw notFound();
      const { query, body } = readInput(operation, request);
      const ids = readIds(operation, request);
      const asked = {
        ...{ ids, query, body },
        seenVersion: operation.isVersioned ? readIfMatch(request.get('if-match')) : undefined,
      } as OperatorAsked;
      const allowed = { ...event, outcome: 'allowed', reason: 'By an operator.' } satisfies AuditEvent;
      const prepared = await parts.trail.prepare(installationTrail, allowed);
      const tenantId = thenInTenant && ids['tenantId'];
      const told = tenantId && (await parts.trail.prepare(tenantId, allowed));
      const answer = await parts.scopes.inPlatform(async (unit) => {
        const answered = await operator(asked, unit);
        const { resourceId, detail } = answered;
        await parts.trail.append(unit, installationTrail, {
          ...prepared,
          ...(resourceId !== undefined && { resource: { ...event.resource, id: resourceId } }),
          ...(detail && { detail }),
        });
        if (tenantId && told) {
          await unit.becomeTenant(tenantId);
          await thenInTenant(tenantId, unit);
          await parts.trail.append(unit, tenantId, { ...told, ...(detail && { detail }) });
        }
        return answered;
      });
      await answer.afterwards?.();
      send(response, operation, answer);
    } catch (error) {
      // One that is being deleted is not there any more.
      if (error instanceof TenantNotFoundError) throw notFound();
      if (error instanceof ProblemError)
        await parts.trail.note(installationTrail, { ...event, outcome: 'failed', reason: error.code });
      throw error;
    }
  };
}
