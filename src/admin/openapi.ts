import { api } from '@swarmgate/contract/rest/api.ts';
import { problem } from '@swarmgate/contract/rest/common.ts';
import { pathIdPrefixes } from '@swarmgate/contract/rest/ids.ts';
import type { Operation } from '@swarmgate/contract/rest/operation.ts';
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
    tags: [...new Set(Object.values<Operation>(api).map(({ tag }) => tag))].map((name) => ({ name })),
    paths,
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
      responses: Object.fromEntries(
        refusals.map(([, name, description]) => [name, describeRefusal(description)]),
      ),
    },
  };
}

const refusals = [
  ['400', 'Invalid', 'The request is not what this call takes; `errors` says where.'],
  ['401', 'Unauthorized', 'No credentials, or none that are good.'],
  ['403', 'Forbidden', 'What it needs is not permitted; `detail` says why.'],
  ['404', 'NotFound', 'There is nothing of that id that you have access to.'],
  ['429', 'RateLimited', 'Too many calls; `Retry-After` says when to go on.'],
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
        ...(isVersioned && { headers: { ETag: { schema: { type: 'string' } } } }),
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
    ...{ name, in: 'path', required: true },
    schema: { type: 'string', pattern: `^${pathIdPrefixes[name]}_[0-9a-f]{32}$` },
  }));
}

function queryParameters({ query }: Operation) {
  if (!query) return [];
  const { properties = {}, required = [] } = z.toJSONSchema(query, { io: 'input', unrepresentable: 'any' });
  return Object.entries(properties).map(([name, schema]) => ({
    ...{ name, in: 'query', required: required.includes(name), schema },
  }));
}

function headerParameters({ method, path, needs, isVersioned }: Operation) {
  const isRepeatable = method === 'post' && path.includes('{tenantId}') && needs !== 'an-operator';
  const header = (name: string, description: string) => ({
    ...{ name, in: 'header', required: false, description, schema: { type: 'string' } },
  });
  return [
    ...(isRepeatable ? [header('Idempotency-Key', 'Makes sending it again harmless.')] : []),
    ...(isVersioned && method !== 'get' && method !== 'post'
      ? [header('If-Match', 'The `ETag` that was seen; another version is not changed (412).')]
      : []),
  ];
}

function describeRefusal(description: string) {
  return {
    description,
    content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
  };
}

function schemaOf(schema: z.ZodType, io: 'input' | 'output'): Record<string, unknown> {
  const { $schema, ...rest } = z.toJSONSchema(schema, { io, unrepresentable: 'any' });
  return rest;
}
