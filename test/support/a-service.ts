import { afterAll, beforeAll, onTestFinished } from 'vitest';
import { readConfig } from '#config/config.ts';
import type { Env } from '#config/env.ts';
import { createLogger } from '#kernel/logger.ts';
import type { ApplyPlan } from '#tenancy/apply/apply-plan.ts';
import { type AppOverrides, createApp } from '../../src/app.ts';
import { planTenant, shopOrigin, type TenantOptions } from './a-tenant.ts';
import { aVisitor, type Visitor, type VisitorOptions } from './a-visitor.ts';
import { anInstallation, type Installation } from './an-installation.ts';
import { type JourneyRows, readJourneyRows } from './journey-rows.ts';

export type ServiceOptions = {
  /** Its data; a new, empty installation when absent. */
  installation?: Installation;
  env?: Env;
  overrides?: AppOverrides;
  /** Made before the service starts. */
  tenants?: readonly TenantOptions[];
  /** The same, as an apply file would have them. */
  plans?: readonly ApplyPlan[];
};

export type Service = Awaited<ReturnType<typeof aService>>;

type AtEnd = (end: () => Promise<void>) => void;

/** Starts the whole service in this process, on the backend of this run; it ends, and its data goes, with the test. */
export async function aService(options: ServiceOptions = {}, atEnd: AtEnd = onTestFinished) {
  const installation = options.installation ?? (await anInstallation());
  if (!options.installation) atEnd(installation.remove);
  const logLines: Record<string, unknown>[] = [];
  const logger = createLogger('debug', { write: (line) => void logLines.push(JSON.parse(line)) });
  const config = readConfig({ ...installation.env, PORT: '0', ...options.env });
  const app = await createApp(config, logger, import.meta.dirname, {
    redisPrefix: installation.redisPrefix,
    // As where others reach it, on whichever backend.
    secondFactorOf: 'admins',
    ...options.overrides,
  });
  const visitors: Visitor[] = [];
  let closing: Promise<void> | undefined;
  const close = () => (closing ??= app.close());
  atEnd(async () => {
    for (const visitor of visitors) visitor.leave();
    await close();
  });

  const tenants = options.tenants ?? (options.plans ? [] : [{}]);
  for (const plan of [...tenants.map(planTenant), ...(options.plans ?? [])])
    await app.apply(plan, { dryRun: false });
  const { port } = await app.start();
  const service = {
    app,
    config,
    installation,
    url: `http://127.0.0.1:${port}`,
    logLines,
    /** A visitor of the tenant `shop`, unless told otherwise. */
    async aVisitor(who: Partial<VisitorOptions> = {}): Promise<Visitor> {
      const visitor = await aVisitor(service, { key: 'wk_shop', origin: shopOrigin, ...who });
      visitors.push(visitor);
      return visitor;
    },
    rows: (tenantSlug?: string): Promise<JourneyRows> => readJourneyRows(app.storage.scopes, tenantSlug),
    close,
  };
  return service;
}

/** One service for all tests of a file or block whose promises do not disturb each other. */
export function sharedService(options: ServiceOptions = {}): () => Service {
  const ends: (() => Promise<void>)[] = [];
  let service: Service | undefined;
  beforeAll(async () => {
    service = await aService(options, (end) => ends.unshift(end));
  });
  afterAll(async () => {
    for (const end of ends) await end();
  });
  return () => {
    if (!service) throw new Error('The service has not been started yet.');
    return service;
  };
}
