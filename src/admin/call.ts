import { type PathId, pathIdPrefixes } from '@swarmgate/contract/rest/ids.ts';
import type { Operation } from '@swarmgate/contract/rest/operation.ts';
import type { Request } from 'express';
import { storableText } from '#conversations/storable.ts';
import { fromWire, type IdKind, type Uuid } from '#domain/ids.ts';
import { ProblemError } from '#kernel/problem.ts';
import { invalidRequest, notFound } from './refusals.ts';

/** What the ids of paths are ids of. */
export const pathIdKinds: Readonly<Record<PathId, IdKind>> = {
  tenantId: 'tenant',
  organizationId: 'organization',
  apiKeyId: 'apiKey',
  roleId: 'role',
  userId: 'user',
  channelId: 'channel',
  agentId: 'agent',
  conversationId: 'conversation',
  messageId: 'message',
  sessionId: 'session',
  passkeyId: 'passkey',
  invitationId: 'invitation',
  webhookId: 'webhook',
  eventId: 'event',
  transferId: 'transfer',
  domainId: 'domain',
  organizationInvitationId: 'organizationInvitation',
  tokenIssuerId: 'tokenIssuer',
  signOnConnectionId: 'signOnConnection',
  signOnDomainId: 'signOnDomain',
};

const isPathId = (name: string): name is PathId => name in pathIdPrefixes;

/** The names in the braces of an operation's path, in order. */
export function pathIdsOf({ path }: Operation): PathId[] {
  return [...path.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => {
    if (!isPathId(name)) throw new TypeError(`"${path}" names "${name}", which is no id of a path.`);
    return name;
  });
}

/** The ids of a call's path. @throws {ProblemError} 404 for one that cannot be an id */
export function readIds(operation: Operation, request: Request): Record<string, Uuid> {
  return Object.fromEntries(
    pathIdsOf(operation).map((name) => {
      const id = fromWire(pathIdKinds[name], String(request.params[name]));
      if (!id) throw notFound();
      return [name, id];
    }),
  );
}

/** The query and the body of a call as its operation understands them. @throws {ProblemError} 400 or 415 */
export function readInput(operation: Operation, request: Request): { query: unknown; body: unknown } {
  return { query: readQuery(operation, request), body: readBody(operation, request) };
}

function readQuery({ query }: Operation, request: Request): unknown {
  if (!query) return undefined;
  const read = query.safeParse(storable(request.query));
  if (!read.success) throw invalidRequest('query', read.error);
  return read.data;
}

function readBody({ body }: Operation, request: Request): unknown {
  if (!body) return undefined;
  // Absent is as good as empty where nothing in it is needed.
  if (request.body === undefined && request.get('content-type') !== undefined)
    throw new ProblemError(
      415,
      'unsupported_media_type',
      'Unsupported media type',
      'Send the body as application/json.',
    );
  const read = body.safeParse(storable(request.body ?? {}));
  if (!read.success) throw invalidRequest('body', read.error);
  return read.data;
}

/** Nothing that the contract names is deeper. */
const depthMax = 32;

// Whatever is kept of it then, the database can hold.
function storable(value: unknown, depth = 0): unknown {
  if (depth > depthMax)
    throw new ProblemError(
      400,
      'too_deep',
      'Invalid request',
      `Nothing here is nested deeper than ${depthMax}.`,
    );
  if (typeof value === 'string') return storableText(value);
  if (Array.isArray(value)) return value.map((part) => storable(part, depth + 1));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, part]) => [storableText(name), storable(part, depth + 1)]),
  );
}
