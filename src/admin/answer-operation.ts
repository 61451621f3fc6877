import type { Operation } from '@swarmgate/contract/rest/operation.ts';
import type { Permission } from '@swarmgate/contract/rest/permissions.ts';
import type { RequestHandler, Response } from 'express';
import type { AuditEvent } from '#audit/audit-trail.ts';
import { installationTrail } from '#audit/audit-trail.ts';
import { toWire, type Uuid } from '#domain/ids.ts';
import { type Decision, decide } from '#identity/decide.ts';
import type { Grant, Principal } from '#identity/principal.ts';
import { currentContext, extendContext } from '#kernel/context.ts';
import { ProblemError, tooManyRequests } from '#kernel/problem.ts';
import { TenantNotFoundError } from '#tenancy/scope-errors.ts';
import type { ApiParts } from './api-parts.ts';
import { pathIdsOf, readIds, readInput } from './call.ts';
import type { Answer, Asked, Handler } from './handler.ts';
import { identifyCall, readIdempotencyKey } from './idempotency.ts';
import { forbidden, notFound } from './refusals.ts';
import { runOperation } from './run-operation.ts';
import { etagOf, readIfMatch } from './versions.ts';

/** How many calls a minute one caller has; more is 429. */
const callsPerMinute = 600;

/**
 * Answers one operation, in the one order that is safe: who calls (401), how often (429), whether it is permitted (404 or
 * 403, and an audit event either way), what is asked (400), and only then what it does, in one commit with its audit event.
 */
export function answerOperation(
  parts: ApiParts,
  name: string,
  operation: Operation,
  handler: Handler,
): RequestHandler {
  return async (request, response) => {
    response.set('Cache-Control', 'no-store');
    const principal = await parts.authenticate(request);
    await countCall(parts, principal, response);
    const ids = readIds(operation, request);
    const { tenantId } = ids;
    if (!tenantId) throw new TypeError(`"${name}" names no tenant.`);
    extendContext({ tenantId });
    const event = {
      actor: { kind: principal.kind, id: principal.id },
      action: name,
      ...(isPermission(operation.needs) && { permission: operation.needs }),
      resource: resourceOf(operation, request.params),
      requestId: currentContext().requestId ?? '',
      personal: {
        ...{ address: request.ip ?? '', userAgent: (request.get('user-agent') ?? '').slice(0, 500) },
        ...(principal.kind === 'token_subject' && { subject: principal.subject }),
      },
    } satisfies Partial<AuditEvent>;

    // On the host of one tenant there is no other.
    const hostTenant = await parts.hostTenant(request);
    const isThere = hostTenant === undefined || hostTenant === tenantId;
    const grant = isThere ? await parts.grantIn(principal, tenantId) : undefined;
    const decision = decisionOn(operation, grant);
    if (!decision.allowed || !grant) {
      const { reason } = decision;
      const isForeign = !grant;
      if (isForeign) parts.onForeignTenant();
      const refused = { ...event, outcome: 'refused', reason } as const;
      const reachedFor = { kind: 'tenant', id: toWire('tenant', tenantId) };
      if (isForeign) await parts.trail.note(ownTrail(principal), { ...refused, resource: reachedFor });
      else await parts.trail.note(tenantId, refused);
      throw isForeign ? notFound() : forbidden(reason);
    }

    try {
      const { query, body } = readInput(operation, request);
      const header = readIdempotencyKey(request.get('idempotency-key'));
      const { tenantId: _, ...otherIds } = ids;
      const asked: Asked = {
        ...{ tenantId, principal, grant },
        ids: otherIds,
        query: query as Asked['query'],
        body: body as Asked['body'],
        seenVersion: operation.isVersioned ? readIfMatch(request.get('if-match')) : undefined,
        key: `${principal.id}/${name}/${header ?? event.requestId}`,
        client: {
          ...{ address: event.personal.address, userAgent: event.personal.userAgent },
          requestId: event.requestId,
        },
      };
      const call =
        header !== undefined && operation.method === 'post'
          ? identifyCall(tenantId, {
              caller: callerOf(principal),
              operation: name,
              header,
              request: [ids, query, body],
            })
          : undefined;
      const allowed = { ...event, outcome: 'allowed', reason: decision.reason } satisfies AuditEvent;
      send(response, operation, await runOperation(parts, operation, handler, asked, allowed, call));
    } catch (error) {
      // An operator may ask for any tenant, so also for one that is not there.
      if (error instanceof TenantNotFoundError) throw notFound();
      await parts.trail.note(tenantId, { ...event, ...failureOf(error) }).catch((noteError: unknown) => {
        // What went wrong first says more than that it could not be told.
        if (error instanceof ProblemError) throw noteError;
      });
      throw error;
    }
  };
}

/** @throws {ProblemError} 429 */
export async function countCall(
  { countCalls }: ApiParts,
  principal: Principal,
  response: Response,
): Promise<void> {
  const count = await countCalls(`api ${principal.kind} ${principal.id}`, callsPerMinute);
  if (!count.allowed) throw tooManyRequests(count.retryAfterMs, 'That was too much for one caller.');
  response.set({
    'RateLimit-Policy': `"default";q=${callsPerMinute};w=60`,
    RateLimit: `"default";r=${count.remaining};t=${Math.ceil(count.resetMs / 1_000)}`,
  });
}

function decisionOn({ needs }: Operation, grant: Grant | undefined): Decision {
  if (isPermission(needs)) return decide(grant, needs);
  return grant
    ? { allowed: true, reason: 'Whoever has access to the tenant may.' }
    : decide(grant, 'tenant:read');
}

function isPermission(needs: Operation['needs']): needs is Permission {
  return needs.includes(':');
}

/** What a handler refuses is as much a refusal as what was refused before it. */
export function failureOf(error: unknown): Pick<AuditEvent, 'outcome' | 'reason'> {
  if (!(error instanceof ProblemError)) return { outcome: 'failed', reason: 'internal' };
  return error.status === 403
    ? { outcome: 'refused', reason: error.message }
    : { outcome: 'failed', reason: error.code };
}

// Who calls, and as how much of what they are: a token within a scope is not answered what its owner was.
function callerOf(principal: Principal): string {
  if (principal.kind !== 'user') return principal.id;
  return [principal.id, principal.tenantId ?? '', ...[...(principal.scope ?? ['*'])].sort()].join(' ');
}

/** Whoever reaches for a tenant that is none of theirs is on their own trail, and cannot write on another's. */
export function ownTrail(principal: Principal): Uuid {
  return principal.kind === 'user' ? installationTrail : principal.tenantId;
}

function resourceOf(operation: Operation, params: Readonly<Record<string, unknown>>) {
  const kind = isPermission(operation.needs) ? (operation.needs.split(':')[0] ?? '') : 'tenant';
  const last = pathIdsOf(operation)
    .filter((name) => name !== 'tenantId')
    .at(-1);
  return last === undefined ? { kind } : { kind, id: String(params[last]).slice(0, 100) };
}

/** Sends what the contract names of an answer, and nothing else. */
export function send(
  response: Response,
  { answer: { status, body: schema } }: Operation,
  answer: Answer,
): void {
  if (answer.version !== undefined) response.set('ETag', etagOf(answer.version));
  response.status(status);
  // Nothing leaves that the contract does not name.
  if (schema) response.json(schema.parse(answer.body));
  else response.end();
}
