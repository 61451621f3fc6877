import express, { type Express, type Router } from 'express';
import helmet from 'helmet';
import { newId } from '#domain/ids.ts';
import { withContext } from '#kernel/context.ts';
import type { Logger } from '#kernel/logger.ts';
import type { Metrics } from '#kernel/metrics.ts';
import { answerNotFound, answerProblem } from './problem-handler.ts';

export type HttpParts = {
  logger: Logger;
  metrics: Metrics;
  trustedProxies: readonly string[];
  /** Where each router is mounted, in order. */
  routes: readonly { path: string; router: Router }[];
};

/** The HTTP application: request ids, security headers, the routers it is handed, and problem+json for whatever goes wrong. */
export function createHttpApp({ logger, metrics, trustedProxies, routes }: HttpParts): Express {
  const app = express();
  app.disable('x-powered-by');
  app.set('trust proxy', trustedProxies.length > 0 ? [...trustedProxies] : false);
  app.use((_request, response, next) => {
    const requestId = newId();
    response.setHeader('X-Request-Id', requestId);
    withContext({ requestId }, next);
  });
  // Nothing may run, load or frame unless a page says otherwise for itself. `default-src` says nothing of the others here.
  app.use(
    helmet({
      contentSecurityPolicy: {
        useDefaults: false,
        directives: {
          defaultSrc: ["'none'"],
          objectSrc: ["'none'"],
          baseUri: ["'none'"],
          formAction: ["'none'"],
          frameAncestors: ["'none'"],
        },
      },
    }),
  );
  for (const { path, router } of routes) app.use(path, router);
  app.use(answerNotFound);
  app.use(answerProblem(logger, metrics));
  return app;
}
