/**
 * The whole service as a process of its own, for a test to kill, freeze and start again. Told by one JSON argument;
 * says by IPC where it listens and, when asked, what its database holds; ends in order on SIGTERM.
 */
import { readConfig } from '#config/config.ts';
import type { Env } from '#config/env.ts';
import { createLogger } from '#kernel/logger.ts';
import type { ApplyPlan } from '#tenancy/apply/apply-plan.ts';
import { createApp } from '../../src/app.ts';
import { postingGateway } from '../fakes/posting-gateway.ts';
import { openDiary } from './diary.ts';
import { type Fall, fallAt } from './fall-points.ts';
import { type JourneyRows, readJourneyRows } from './journey-rows.ts';

export type ServiceProcessPlan = {
  env: Env;
  redisPrefix: string;
  leaseMs: number;
  claimMs: number;
  diaryPath: string;
  fall?: Fall;
  /** Made before it listens. */
  plan?: ApplyPlan;
  /** The platform that answers are posted to, in the place of the web chat's own way out. */
  platformUrl?: string;
};

/** What it tells its parent: once where it listens, then each time what it is asked for. */
export type ServiceProcessNews =
  | { kind: 'ready'; port: number | undefined }
  | { kind: 'rows'; rows: JourneyRows };
const tell = (news: ServiceProcessNews) => process.send?.(news);

const { env, redisPrefix, leaseMs, claimMs, diaryPath, fall, plan, platformUrl } = JSON.parse(
  process.argv[2] ?? '',
) as ServiceProcessPlan;
const { agent, wrapScopes, wrapQueue } = fallAt(fall, openDiary(diaryPath));
const stopped = new Promise((resolve) => process.once('SIGTERM', resolve));

const app = await createApp(readConfig(env), createLogger('info'), import.meta.dirname, {
  redisPrefix,
  leaseMs,
  claimMs,
  wrapScopes,
  wrapQueue,
  wrapAgents: agent,
  ...(platformUrl && { wrapGateway: () => postingGateway(platformUrl) }),
});
if (plan) await app.apply(plan, { dryRun: false });
const { port } = await app.start();
process.on('message', async () => tell({ kind: 'rows', rows: await readJourneyRows(app.storage.scopes) }));
tell({ kind: 'ready', port });
await stopped;
await app.close();
process.disconnect();
