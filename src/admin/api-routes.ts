import { api } from '@swarmgate/contract/rest/api.ts';
import type { Operation } from '@swarmgate/contract/rest/operation.ts';
import express, { type RequestHandler, Router } from 'express';
import { answerOperation } from './answer-operation.ts';
import { answerOperator } from './answer-operator.ts';
import { answerOrganization } from './answer-organization.ts';
import { answerPerson, type PersonParts } from './answer-person.ts';
import type { ApiParts } from './api-parts.ts';
import type { AnyHandler, Handlers } from './handler.ts';
import { describeApi } from './openapi.ts';

const bodyBytesMax = 256 * 1024;

/** The REST API, to be mounted at `/api/v1`: one route for each operation of the contract, and the document of them all. */
export function apiRoutes(
  parts: ApiParts & PersonParts,
  handlers: Handlers,
  publicUrl: () => string,
): Router {
  const router = Router();
  router.get('/openapi.json', (_request, response) => {
    response.json(describeApi(publicUrl()));
  });
  const readJson = express.json({ limit: bodyBytesMax });
  for (const [name, operation] of Object.entries<Operation>(api)) {
    const path = operation.path.replaceAll(/\{(\w+)\}/g, ':$1');
    const handler = (handlers as Readonly<Record<string, AnyHandler>>)[name];
    if (!handler) throw new TypeError(`Nothing answers "${name}".`);
    router[operation.method](path, readJson, answerOf(parts, name, operation, handler));
  }
  return router;
}

function answerOf(
  parts: ApiParts & PersonParts,
  name: string,
  operation: Operation,
  handler: AnyHandler,
): RequestHandler {
  if ('person' in handler) return answerPerson(parts, name, operation, handler);
  if ('operator' in handler) return answerOperator(parts, name, operation, handler);
  const isOfOrganization =
    'inOrganization' in handler || 'overOrganization' in handler || 'tellsOfOrganization' in handler;
  return isOfOrganization
    ? answerOrganization(parts, name, operation, handler)
    : answerOperation(parts, name, operation, handler);
}
