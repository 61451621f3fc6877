import type { Operation } from '@swarmgate/contract/rest/operation.ts';
import type { Request, RequestHandler } from 'express';
import { type AuditTrail, installationTrail } from '#audit/audit-trail.ts';
import { toWire, type Uuid } from '#domain/ids.ts';
import type { Client, FoundSession, Identity } from '#identity/identity.ts';
import { currentContext } from '#kernel/context.ts';
import { networkOf } from '#kernel/network-of.ts';
import { ProblemError, tooManyRequests } from '#kernel/problem.ts';
import type { CountCalls } from './api-parts.ts';
import { readIds, readInput } from './call.ts';
import { countRefusal } from './count-refusal.ts';
import { isOurOwnPage, keepCookie, readCredentials } from './credentials.ts';
import type { PersonAsked, PersonHandler } from './handler.ts';
import { notFound, unauthorized } from './refusals.ts';
import { isFromThisMachine } from './this-machine.ts';

export type PersonParts = {
  people: () => Identity;
  countCalls: CountCalls;
  trail: AuditTrail;
  /** Whose host is asked; `undefined`: the installation's own. */
  hostTenant: (request: Request) => Promise<Uuid | undefined>;
};

/** What one network may ask a minute without saying who it is, and one person about themselves. */
const strangerCallsPerMinute = 60;
const personCallsPerMinute = 300;

/**
 * Answers an operation about whoever calls. How often comes first here, because each of these is work for a stranger's
 * asking: hashing passwords, writing to the trail.
 */
export function answerPerson(
  { people, countCalls, trail, hostTenant }: PersonParts,
  name: string,
  operation: Operation,
  { person }: PersonHandler,
): RequestHandler {
  const isOpen = operation.needs === 'no-credentials';

  async function findSession(request: Request): Promise<FoundSession | undefined> {
    // What anybody may call is called without the cookie of a page that is not ours.
    const counts = !isOpen || isOurOwnPage(request);
    const credentials = counts ? readCredentials(request, people().cookie) : undefined;
    const session =
      credentials && 'sessionToken' in credentials
        ? await people().findSession(credentials.sessionToken)
        : undefined;
    if (session || isOpen) return session;
    await countRefusal(countCalls, request);
    throw unauthorized('session_missing', 'Sign in first: this is about a person’s own account.');
  }

  async function tellRefusal(
    action: string,
    { userId }: FoundSession,
    { address, userAgent, requestId }: Client,
    error: ProblemError,
  ): Promise<void> {
    await trail.note(installationTrail, {
      actor: { kind: 'user', id: userId },
      action,
      resource: { kind: 'users', id: toWire('user', userId) },
      outcome: error.status === 403 ? 'refused' : 'failed',
      reason: error.code,
      ...(requestId !== undefined && { requestId }),
      personal: { address, ...(userAgent !== undefined && { userAgent }) },
    });
  }

  // Who signs in again has one session in this browser, and not one more that nobody knows of.
  async function endReplaced(before: FoundSession, token: string, client: Client): Promise<void> {
    const now = await people().findSession(token);
    if (now?.id !== before.id) await people().revokeSessions(before, { only: before.id }, client);
  }

  return async (request, response) => {
    response.set('Cache-Control', 'no-store');
    // What stands before a tenant's own host is the tenant's, and would see what its people sign in with everywhere.
    if ((await hostTenant(request)) !== undefined) throw notFound();
    const client = clientOf(request);
    if (isOpen)
      await countCall(countCalls, `api stranger ${networkOf(client.address)}`, strangerCallsPerMinute);
    const session = await findSession(request);
    if (session) await countCall(countCalls, `api person ${session.userId}`, personCallsPerMinute);
    const { body } = readInput(operation, request);
    const asked = { ids: readIds(operation, request), body, client, session } as PersonAsked;
    const answer = await person(asked).catch(async (error: unknown) => {
      // What strangers are refused is told where it is known what they tried.
      if (session && error instanceof ProblemError) await tellRefusal(name, session, client, error);
      throw error;
    });
    if (answer.session) keepCookie(response, people().cookie, answer.session);
    if (answer.signOn) keepCookie(response, people().signOn.cookie, answer.signOn);
    const { status, body: schema } = operation.answer;
    response.status(status);
    if (answer.session === 'ended') response.set('Clear-Site-Data', '"cache", "storage"');
    else if (answer.session && session) await endReplaced(session, answer.session.token, client);
    if (schema) response.json(schema.parse(answer.body));
    else response.end();
  };
}

async function countCall(countCalls: CountCalls, key: string, perMinute: number): Promise<void> {
  const count = await countCalls(key, perMinute);
  if (!count.allowed) throw tooManyRequests(count.retryAfterMs, 'That was too much at once.');
}

/** Where a request comes from. */
export function clientOf(request: Request): Client {
  const userAgent = request.get('user-agent');
  const { requestId } = currentContext();
  return {
    ...{ address: request.ip ?? '', isFromThisMachine: isFromThisMachine(request) },
    ...(userAgent !== undefined && { userAgent }),
    ...(requestId !== undefined && { requestId }),
  };
}
