import { type Request, Router } from 'express';
import ipaddr from 'ipaddr.js';
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
 * answers come late). `/metrics`: Prometheus; only with the token, or where none is set, to this machine.
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
    const isAllowed =
      metricsToken === undefined
        ? isOfThisMachine(request)
        : equalInConstantTime(request.get('authorization') ?? '', `Bearer ${metricsToken}`);
    if (!isAllowed) {
      throw new ProblemError(
        401,
        'metrics_token_required',
        'Not authorized',
        'Set METRICS_TOKEN, and send it as a bearer token; without one, only this machine is told.',
        { 'WWW-Authenticate': 'Bearer' },
      );
    }
    response.type(metrics.contentType).send(await metrics.render());
  });
  return router;
}

// A proxy of this machine asks for others, and says so.
function isOfThisMachine({ socket, headers }: Request): boolean {
  if (headers['x-forwarded-for'] !== undefined || headers['forwarded'] !== undefined) return false;
  const address = socket.remoteAddress ?? '';
  return ipaddr.isValid(address) && ipaddr.process(address).range() === 'loopback';
}
