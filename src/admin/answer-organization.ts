import type { Operation } from '@swarmgate/contract/rest/operation.ts';
import {
  type OrganizationPermission,
  organizationPermissions,
} from '@swarmgate/contract/rest/organization-permissions.ts';
import type { RequestHandler } from 'express';
import { type AuditEvent, installationTrail } from '#audit/audit-trail.ts';
import { toWire } from '#domain/ids.ts';
import { decide } from '#identity/decide.ts';
import { currentContext } from '#kernel/context.ts';
import { ProblemError } from '#kernel/problem.ts';
import { TenantNotFoundError } from '#tenancy/scope-errors.ts';
import { countCall, failureOf, ownTrail, send } from './answer-operation.ts';
import type { ApiParts } from './api-parts.ts';
import { pathIdsOf, readIds, readInput } from './call.ts';
import type { Answer, OrganizationAsked, OrganizationHandler } from './handler.ts';
import { forbidden, notFound } from './refusals.ts';
import { readIfMatch } from './versions.ts';

/**
 * Answers an operation about an organization, in the same order as those about a tenant: without a grant it is one that is
 * not there. It is told on the installation's trail, as what operators do is.
 */
export function answerOrganization(
  parts: ApiParts,
  name: string,
  operation: Operation,
  handler: OrganizationHandler,
): RequestHandler {
  const needed = neededBy(name, operation);
  return async (request, response) => {
    response.set('Cache-Control', 'no-store');
    const principal = await parts.authenticate(request);
    await countCall(parts, principal, response);
    const { organizationId, ...ids } = readIds(operation, request);
    if (!organizationId) throw new TypeError(`"${name}" names no organization.`);
    const last = pathIdsOf(operation).at(-1) ?? 'organizationId';
    const event = {
      actor: { kind: principal.kind, id: principal.id },
      action: name,
      permission: needed,
      resource: { kind: 'organizations', id: String(request.params[last]).slice(0, 100) },
      requestId: currentContext().requestId ?? '',
      personal: { address: request.ip ?? '', userAgent: (request.get('user-agent') ?? '').slice(0, 500) },
    } satisfies Partial<AuditEvent>;

    // On a tenant's own host there is nothing but the tenant.
    const isElsewhere = (await parts.hostTenant(request)) !== undefined;
    const grant = isElsewhere ? undefined : await parts.organizationGrantIn(principal, organizationId);
    const decision = decide(grant, needed, 'organization');
    if (!decision.allowed || !grant) {
      const { reason } = decision;
      const refused = { ...event, outcome: 'refused', reason } as const;
      if (grant) {
        await parts.trail.note(installationTrail, refused);
        throw forbidden(reason);
      }
      parts.onForeignTenant();
      const reachedFor = { kind: 'organizations', id: toWire('organization', organizationId) };
      await parts.trail.note(ownTrail(principal), { ...refused, resource: reachedFor });
      throw notFound();
    }

    try {
      const { query, body } = readInput(operation, request);
      const asked = {
        ...{ organizationId, ids, query, body, principal, grant },
        seenVersion: operation.isVersioned ? readIfMatch(request.get('if-match')) : undefined,
        client: { ...event.personal, requestId: event.requestId },
      } as OrganizationAsked;
      const allowed = { ...event, outcome: 'allowed', reason: decision.reason } satisfies AuditEvent;
      send(response, operation, await runOrganization(parts, operation, handler, asked, allowed));
    } catch (error) {
      // An operator may ask for any organization, so also for one that is not there.
      if (error instanceof TenantNotFoundError) throw notFound();
      await parts.trail
        .note(installationTrail, { ...event, ...failureOf(error) })
        .catch((noteError: unknown) => {
          // What went wrong first says more than that it could not be told.
          if (error instanceof ProblemError) throw noteError;
        });
      throw error;
    }
  };
}

// Deny by default: what does not say what it needs is not mounted at all.
function neededBy(name: string, { needs }: Operation): OrganizationPermission {
  const needed = organizationPermissions.find((permission) => permission === needs);
  if (!needed) throw new TypeError(`"${name}" needs "${needs}", which is nothing of an organization's.`);
  return needed;
}

async function runOrganization(
  { scopes, trail }: ApiParts,
  { method }: Operation,
  handler: OrganizationHandler,
  asked: OrganizationAsked,
  event: AuditEvent,
): Promise<Answer> {
  const tell = ({ detail }: Answer): AuditEvent => ({ ...event, ...(detail && { detail }) });
  await handler.before?.(asked);
  if ('tellsOfOrganization' in handler) return handler.tellsOfOrganization(asked);
  if ('inOrganization' in handler && method === 'get') {
    const answer = await scopes.inOrganization(asked.organizationId, (unit) =>
      handler.inOrganization(asked, unit),
    );
    await trail.note(installationTrail, tell(answer));
    return answer;
  }
  const prepared = await trail.prepare(installationTrail, event);
  if ('inOrganization' in handler)
    return scopes.inOrganization(asked.organizationId, async (unit) => {
      const answer = await handler.inOrganization(asked, unit);
      await trail.append(unit, installationTrail, { ...prepared, ...detailOf(answer) });
      return answer;
    });
  return scopes.inPlatform(async (unit) => {
    const answer = await handler.overOrganization(asked, unit);
    await trail.append(unit, installationTrail, { ...prepared, ...detailOf(answer) });
    return answer;
  });
}

function detailOf({ detail }: Answer) {
  return detail ? { detail } : {};
}
