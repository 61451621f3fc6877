import { Router } from 'express';
import { equalInConstantTime } from '#kernel/key-ring.ts';
import type { Metrics } from '#kernel/metrics.ts';
import { ProblemError } from '#kernel/problem.ts';

export type Readiness = {
  ready: boolean;
  degraded: boolean;
  checks: Readonly<Record<string, 'ok' | 'failing' | 'stopping'>>;
};

export type OperationsParts = {
  metrics: Metrics;
  metricsToken: string | undefined;
  checkReadiness: () => Promise<Readiness>;
};

/**
 * `/healthz`: the process runs. `/readyz`: it can do the work of its roles (503 when not; "degraded" when it can, but
 * answers come late). `/metrics`: Prometheus; with a token set, only with it.
 */
export function operationsRoutes({ metrics, metricsToken, checkReadiness }: OperationsParts): Router {
  const router = Router();
  router.get('/healthz', (_request, response) => {
    response.json({ status: 'ok' });
  });
  router.get('/readyz', async (_request, response) => {
    const { ready, degraded, checks } = await checkReadiness();
    response
      .status(ready ? 200 : 503)
      .json({ status: ready ? (degraded ? 'degraded' : 'ready') : 'unready', checks });
  });
  router.get('/metrics', async (request, response) => {
    if (
      metricsToken !== undefined &&
      !equalInConstantTime(request.get('authorization') ?? '', `Bearer ${metricsToken}`)
    ) {
      throw new ProblemError(
        401,
        'metrics_token_required',
        'Not authorized',
        'Send METRICS_TOKEN as a bearer token.',
        { 'WWW-Authenticate': 'Bearer' },
      );
    }
    response.type(metrics.contentType).send(await metrics.render());
  });
  return router;
}
