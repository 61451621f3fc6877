/**
 * The whole service as a process of its own, for a test to kill, freeze and start again. Told by one JSON argument;
 * says by IPC where it listens and, when asked, what its database holds; ends in order on SIGTERM.
 */
import { flushCompileCache } from 'node:module';
import { readConfig } from '#config/config.ts';
import type { Env } from '#config/env.ts';
import { createLogger } from '#kernel/logger.ts';
import type { ApplyPlan } from '#tenancy/apply/apply-plan.ts';
import { createApp } from '../../src/app.ts';
import { postingGateway } from '../fakes/posting-gateway.ts';
import { openDiary } from './diary.ts';
import { type Fall, fallAt } from './fall-points.ts';
import { type JourneyRows, readJourneyRows } from './journey-rows.ts';
import { type FileOffer, offerFile } from './offer-file.ts';
import { inTenantOf } from './place-of.ts';

export type ServiceProcessPlan = {
  env: Env;
  redisPrefix: string;
  leaseMs: number;
  claimMs: number;
  diaryPath: string;
  fall?: Fall;
  /** Made before it listens. */
  plan?: ApplyPlan;
  /** How long the agent takes to say what it says. */
  speakingMs?: number;
  /** The base address of a stand-in for the platforms of all channels, as `swarmgate simulate` sets it. */
  standIn?: string;
  /** The platform that answers are posted to, in the place of the web chat's own way out. */
  platformUrl?: string;
};

/** What it tells its parent: once where it listens, then each time what it is asked for. */
export type ServiceProcessNews =
  | { kind: 'ready'; port: number | undefined }
  | { kind: 'rows'; rows: JourneyRows };
const tell = (news: ServiceProcessNews) => process.send?.(news);

const { env, redisPrefix, leaseMs, claimMs, diaryPath, fall, plan, platformUrl, speakingMs, standIn } =
  JSON.parse(process.argv[2] ?? '') as ServiceProcessPlan;
const { agent, wrapScopes, wrapQueue } = fallAt(fall, openDiary(diaryPath));
const stopped = new Promise((resolve) => process.once('SIGTERM', resolve));

const app = await createApp(readConfig(env), createLogger('info'), import.meta.dirname, {
  redisPrefix,
  leaseMs,
  claimMs,
  webhooks: { claimMs },
  wrapScopes,
  wrapQueue,
  wrapAgents: agent(speakingMs),
  ...(platformUrl && { wrapGateway: () => postingGateway(platformUrl) }),
});
if (plan) await app.apply(plan, { dryRun: false });
if (standIn !== undefined)
  await inTenantOf({ app }, 'shop', (unit) =>
    unit.sql(`UPDATE swarmgate.channels SET settings = settings || jsonb_build_object('apiUrl', $1::text)`, [
      standIn,
    ]),
  );
const { port } = await app.start();
process.on('message', async (asked: 'rows' | FileOffer) => {
  if (asked === 'rows') tell({ kind: 'rows', rows: await readJourneyRows(app.storage.scopes) });
  else await offerFile(app, asked);
});
tell({ kind: 'ready', port });
// What ends it may leave no time for that.
flushCompileCache();
await stopped;
await app.close();
process.disconnect();
