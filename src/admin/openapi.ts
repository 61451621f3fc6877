import { api } from '@swarmgate/contract/rest/api.ts';
import { problem } from '@swarmgate/contract/rest/common.ts';
import { type PathId, pathIdPrefixes } from '@swarmgate/contract/rest/ids.ts';
import type { Operation } from '@swarmgate/contract/rest/operation.ts';
import { webhookEvents, webhookPayload, webhookPing } from '@swarmgate/contract/webhook-events.ts';
import { z } from 'zod';
import { pathIdsOf } from './call.ts';

/** The API as an OpenAPI 3.1 document, made from the contract. */
export function describeApi(publicUrl: string): Record<string, unknown> {
  const paths: Record<string, Record<string, unknown>> = {};
  for (const [name, operation] of Object.entries<Operation>(api))
    paths[operation.path] = {
      ...paths[operation.path],
      [operation.method]: describeOperation(name, operation),
    };
  return {
    openapi: '3.1.0',
    info: {
      title: 'Swarmgate',
      version: '1',
      description:
        'Errors are problem+json (RFC 9457) with a `code`. Lists are read page by page with `cursor`. A POST about a tenant with an ' +
        '`Idempotency-Key` has one effect, however often it is sent within a day. What is changed carries an `ETag`; a ' +
        'change with `If-Match` is made only to the version that was seen.',
    },
    servers: [{ url: `${publicUrl}/api/v1` }],
    security: [{ bearer: [] }, { session: [] }],
    tags: [...new Set(Object.values<Operation>(api).map(({ tag }) => tag))].map((name) => ({
      ...{ name, description: tagDescriptions[name] },
    })),
    paths,
    webhooks: describeWebhooks(),
    components: {
      securitySchemes: {
        bearer: {
          type: 'http',
          scheme: 'bearer',
          description: 'An API key (`sgk_…`) or an access token.',
        },
        session: {
          type: 'apiKey',
          in: 'cookie',
          name: 'swarmgate-session',
          description:
            'Over https `__Host-swarmgate-session`. What changes something needs the header `X-CSRF: 1` too. A session may do what a bearer may.',
        },
      },
      schemas: { Problem: schemaOf(problem, 'output') },
      headers: rateHeaders,
      responses: Object.fromEntries(
        refusals.map(([, name, description, more]) => [name, describeRefusal(description, more)]),
      ),
    },
  };
}

/** What each group is about. */
const tagDescriptions: Readonly<Record<string, string>> = {
  Access: 'What is permitted, and why.',
  Agents: 'Who answers.',
  'API keys': 'What programs of a tenant come in with.',
  Audit: 'Who did what, when, and whether they were let.',
  Channels: 'Where messages come from and answers go to.',
  Conversations: 'What was said, and what is to be said.',
  'Dead letters': 'What could not be answered or delivered.',
  Members: 'Who belongs to a tenant, and who is invited.',
  Organizations: 'What an operator of the installation looks after.',
  People: 'How people sign in and look after themselves, and how programs act for them.',
  Roles: 'What members may do.',
  Tenants: 'A customer, a team: whose data is nobody else’s.',
  Webhooks: 'Who is told of what happens, and what came of it.',
};

// What an endpoint is sent. A type is one of these for good.
function describeWebhooks() {
  const all = { ...webhookEvents, ping: webhookPing };
  return Object.fromEntries(
    Object.entries(all).map(([type, { summary, data }]) => [
      type,
      {
        post: {
          operationId: `webhook.${type}`,
          tags: ['Webhooks'],
          summary,
          description:
            'Sent with `webhook-id`, `webhook-timestamp` and `webhook-signature`, as Standard Webhooks has them.',
          security: [],
          requestBody: {
            required: true,
            content: { 'application/json': { schema: schemaOf(webhookPayload(type, data), 'output') } },
          },
          responses: { '2XX': { description: 'It was taken. Anything else is tried again.' } },
        },
      },
    ]),
  );
}

const rateHeaders = {
  RateLimit: rateHeader('How many calls are left, and for how many seconds that holds.'),
  'RateLimit-Policy': rateHeader('How many calls are taken in which time.'),
};

function rateHeader(description: string) {
  return {
    description: `${description} On calls about a tenant.`,
    schema: { type: 'string', examples: ['"default";q=600;w=60'] },
  };
}

const toRateHeaders = Object.fromEntries(
  Object.keys(rateHeaders).map((name) => [name, { $ref: `#/components/headers/${name}` }]),
);

const retryAfter = {
  'Retry-After': { description: 'Seconds to wait.', schema: { type: 'integer', minimum: 0 } },
};

const refusals = [
  ['400', 'Invalid', 'The request is not what this call takes; `errors` says where.', {}],
  ['401', 'Unauthorized', 'No credentials, or none that are good.', {}],
  ['403', 'Forbidden', 'What it needs is not permitted; `detail` says why.', {}],
  ['404', 'NotFound', 'There is nothing of that id that you have access to.', {}],
  ['429', 'RateLimited', 'Too many calls; `Retry-After` says when to go on.', retryAfter],
  ['500', 'Failed', 'A fault of ours; `requestId` finds it in the log.', {}],
  ['503', 'Unavailable', 'The database is away; try again.', {}],
] as const;

function describeOperation(name: string, operation: Operation): Record<string, unknown> {
  const { tag, summary, description, needs, body, answer, isVersioned } = operation;
  return {
    operationId: name,
    tags: [tag],
    summary,
    description: [description, spokenNeeds(needs)].filter(Boolean).join(' '),
    ...(needs === 'no-credentials' && { security: [] }),
    ...(needs === 'a-session' && { security: [{ session: [] }] }),
    parameters: [...pathParameters(operation), ...queryParameters(operation), ...headerParameters(operation)],
    ...(body && {
      requestBody: { required: true, content: { 'application/json': { schema: schemaOf(body, 'input') } } },
    }),
    responses: {
      [answer.status]: {
        description: 'Done.',
        headers: {
          ...(operation.path.includes('{tenantId}') && toRateHeaders),
          ...(isVersioned && { ETag: { description: 'Its version.', schema: { type: 'string' } } }),
        },
        ...(answer.body && { content: { 'application/json': { schema: schemaOf(answer.body, 'output') } } }),
      },
      ...Object.fromEntries(
        refusals.map(([status, response]) => [status, { $ref: `#/components/responses/${response}` }]),
      ),
    },
  };
}

function spokenNeeds(needs: Operation['needs']): string {
  switch (needs) {
    case 'nothing':
      return 'Needs access to the tenant.';
    case 'a-session':
      return 'Needs a session.';
    case 'an-operator':
      return 'Needs an operator of the installation.';
    case 'no-credentials':
      return 'Needs no credentials.';
    default:
      return `Needs \`${needs}\`.`;
  }
}

function pathParameters(operation: Operation) {
  return pathIdsOf(operation).map((name) => ({
    ...{ name, in: 'path', required: true, description: `The id of a ${spokenKind(name)}.` },
    schema: { type: 'string', pattern: `^${pathIdPrefixes[name]}_[0-9a-f]{32}$` },
  }));
}

// "apiKeyId" is the id of an "api key".
function spokenKind(name: PathId): string {
  return name.slice(0, -'Id'.length).replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
}

function queryParameters({ query }: Operation) {
  if (!query) return [];
  const { properties = {}, required = [] } = z.toJSONSchema(query, { io: 'input', unrepresentable: 'any' });
  return Object.entries(properties).map(([name, property]) => {
    const { description, ...schema } = property as { description?: string };
    return {
      ...{ name, in: 'query', required: required.includes(name), schema },
      ...(description && { description }),
    };
  });
}

function headerParameters({ method, path, needs, isVersioned }: Operation) {
  const isRepeatable = method === 'post' && path.includes('{tenantId}') && needs !== 'an-operator';
  const header = (name: string, description: string) => ({
    ...{ name, in: 'header', required: false, description },
    schema: { type: 'string', maxLength: 255 },
  });
  return [
    ...(isRepeatable ? [header('Idempotency-Key', 'Makes sending it again harmless.')] : []),
    ...(isVersioned && method !== 'get' && method !== 'post'
      ? [header('If-Match', 'The `ETag` that was seen; another version is not changed (412).')]
      : []),
  ];
}

function describeRefusal(description: string, moreHeaders: Record<string, unknown>) {
  return {
    description,
    headers: { ...toRateHeaders, ...moreHeaders },
    content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
  };
}

function schemaOf(schema: z.ZodType, io: 'input' | 'output'): Record<string, unknown> {
  const { $schema, ...rest } = z.toJSONSchema(schema, { io, unrepresentable: 'any' });
  return rest;
}
