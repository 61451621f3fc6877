import { api } from '@swarmgate/contract/rest/api.ts';
import type { Operation } from '@swarmgate/contract/rest/operation.ts';
import express, { Router } from 'express';
import { answerOperation } from './answer-operation.ts';
import { answerOperator } from './answer-operator.ts';
import { answerPerson, type PersonParts } from './answer-person.ts';
import type { ApiParts } from './api-parts.ts';
import type { Handler, Handlers, OperatorHandler, PersonHandler } from './handler.ts';
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
    const handler = (handlers as Readonly<Record<string, Handler | PersonHandler | OperatorHandler>>)[name];
    if (!handler) throw new TypeError(`Nothing answers "${name}".`);
    const answer =
      'person' in handler
        ? answerPerson(parts, name, operation, handler)
        : 'operator' in handler
          ? answerOperator(parts, name, operation, handler)
          : answerOperation(parts, name, operation, handler);
    router[operation.method](path, readJson, answer);
  }
  return router;
}
