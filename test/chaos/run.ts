import { setTimeout as sleep } from 'node:timers/promises';
import type { JourneyRows } from '../support/journey-rows.ts';
import { type Evidence, lastMark, type Post, type SaidMessage, type TenantEvidence } from './evidence.ts';
import { type Fault, planFaults } from './fault-plan.ts';
import { type Injected, injectFaults } from './inject-faults.ts';
import { judge, type Verdict } from './judge.ts';
import { planLoad, tenantKinds } from './load-plan.ts';
import { createRandom } from './random.ts';
import type { RunTenant } from './run-tenant.ts';
import { createSpeakers, type Speakers } from './speakers.ts';
import type { Stage } from './stage.ts';
import { makeTenants } from './tenants.ts';

export type RunOptions = {
  /** How long people talk, and within which faults begin. */
  talkMs: number;
  conversations: number;
  /** In each conversation. */
  messages: number;
  faultsMax: number;
  outageMsMax: number;
  /** How long is waited for everything to end. */
  patienceMs: number;
  recoveryMsMax: number;
};

export const usualRun: RunOptions = {
  talkMs: 4_000,
  conversations: 4,
  messages: 4,
  faultsMax: 4,
  outageMsMax: 4_000,
  patienceMs: 60_000,
  recoveryMsMax: 10_000,
};

export type RunResult = {
  seed: number;
  faults: readonly Injected[];
  verdict: Verdict;
  /** Of {@link Evidence}. */
  recoveryMs: number;
  usualMs: number;
  /** From the end of the last fault until everything was answered and stood on the platform. */
  settledMs: number;
  tookMs: number;
};

/** Plays one run: people talk while things go wrong; then everything is mended, and the judge looks at what is left. */
export async function playRun(
  stage: Stage,
  seed: number,
  options: RunOptions = usualRun,
): Promise<{ result: RunResult; evidence: Evidence }> {
  const startedAt = performance.now();
  const { talkMs, conversations, messages, faultsMax, outageMsMax } = options;
  const load = planLoad(createRandom(seed, 'load'), { withinMs: talkMs, conversations, messages });
  const faults = planFaults(createRandom(seed, 'faults'), {
    withinMs: talkMs,
    countMax: faultsMax,
    outageMsMax,
  });
  const tenants = await makeTenants(stage, String(seed));
  const speakers = createSpeakers(seed, tenants);
  const probes = tenantKinds.map((tenant) => ({
    tenant,
    conversation: conversations,
    place: 'direct' as const,
  }));
  await speakers.meet([...load, ...probes]);
  for (const process of stage.processes()) process.forget();
  const violationsBefore = stage.slack.violations.length;
  const first = await Promise.all(probes.map(speakers.say));
  const usualMs = await answeredMs(tenants, first, options.patienceMs);

  const talking = Promise.all(
    load.map(async (message) => {
      await sleep(message.atMs);
      await speakers.say(message);
    }),
  );
  const [injected] = await Promise.all([injectFaults(stage, faults), talking]);
  stage.heal();
  stage.slack.mend();

  const mendedAt = performance.now();
  const asked = await Promise.all(probes.map(speakers.say));
  const recoveryMs = await answeredMs(tenants, asked, options.patienceMs);
  const measured = { recoveryMs, usualMs, recoveryMsMax: options.recoveryMsMax, violationsBefore };
  const look = () => readEvidence(stage, tenants, speakers, injected, measured);
  const evidence = await settled(look, speakers, mendedAt + options.patienceMs);
  const result = {
    ...{ seed, faults: injected, verdict: judge(evidence), recoveryMs, usualMs },
    settledMs: performance.now() - mendedAt,
    tookMs: performance.now() - startedAt,
  };
  return { result, evidence };
}

const lookEveryMs = 100;

/** How long it takes until answers to all of these are seen; infinite when they are not. */
async function answeredMs(
  tenants: readonly RunTenant[],
  asked: readonly SaidMessage[],
  patienceMs: number,
): Promise<number> {
  const startedAt = performance.now();
  for (;;) {
    const seen = await Promise.all(tenants.map((tenant) => tenant.posts()));
    const texts = seen.flat().map(({ text }) => text);
    const tookMs = performance.now() - startedAt;
    if (asked.every(({ id }) => texts.some((text) => text.includes(lastMark(id))))) return tookMs;
    if (tookMs > patienceMs) return Number.POSITIVE_INFINITY;
    await sleep(lookEveryMs);
  }
}

/** Looks until nothing is wrong any more, or there is no more patience; answers what was seen last. */
async function settled(
  look: () => Promise<Evidence>,
  speakers: Speakers,
  giveUpAt: number,
): Promise<Evidence> {
  await Promise.race([speakers.silent(), sleep(Math.max(0, giveUpAt - performance.now()))]);
  for (;;) {
    const evidence = await look();
    const isUnfinished = judge(evidence).breaches.some(({ kind }) => passing.has(kind));
    if (!isUnfinished || performance.now() > giveUpAt) return evidence;
    await sleep(lookEveryMs * 2);
  }
}

/** What may only be a matter of time. */
const passing: ReadonlySet<string> = new Set(['unfinished', 'unseen']);

async function readEvidence(
  stage: Stage,
  tenants: readonly RunTenant[],
  speakers: Speakers,
  injected: readonly Injected[],
  {
    violationsBefore,
    ...measured
  }: Pick<Evidence, 'recoveryMs' | 'usualMs' | 'recoveryMsMax'> & { violationsBefore: number },
): Promise<Evidence> {
  return {
    said: speakers.said.map((message) => ({ ...message })),
    tenants: await Promise.all(tenants.map((tenant) => readTenant(stage, tenant, speakers.said))),
    violations: stage.slack.violations.slice(violationsBefore).map((violation) => JSON.stringify(violation)),
    unexpectedEnds: stage
      .processes()
      .flatMap(({ name, unexpectedEnds }) => unexpectedEnds.map((how) => `${name} ended: ${how}`)),
    interruptions: injected.filter(({ fault, isMet }) => isMet && cutsSends(fault)).length,
    ...measured,
  };
}

async function readTenant(
  stage: Stage,
  tenant: RunTenant,
  said: readonly SaidMessage[],
): Promise<TenantEvidence> {
  const { slug, meteredTokens } = tenant;
  const [rows, posts] = await Promise.all([stage.installation.rows(slug), tenant.posts()]);
  return tenant.isLasting
    ? { slug, meteredTokens, ...ofThisRun(said, rows, posts) }
    : { slug, meteredTokens, rows, posts };
}

/** What belongs to the conversations of this run. */
function ofThisRun(said: readonly SaidMessage[], rows: JourneyRows, posts: readonly Post[]) {
  const channels = new Set(said.map(({ channel }) => channel));
  const isAbout = ({ text }: { text: string }) => said.some(({ id }) => text.includes(id));
  const conversations = new Set(rows.messages.filter(isAbout).map((row) => row.conversation_id));
  const isOurs = (row: { conversation_id: string }) => conversations.has(row.conversation_id);
  return {
    rows: {
      ...rows,
      messages: rows.messages.filter(isOurs),
      turns: rows.turns.filter(isOurs),
      deliveries: rows.deliveries.filter(isOurs),
    },
    posts: posts.filter(({ channel }) => channels.has(channel)),
  };
}

/** A process that falls, or a platform whose answer is lost, leaves open whether a post was made. */
function cutsSends(fault: Fault): boolean {
  return fault.kind === 'link'
    ? fault.link !== 'events'
    : !['clock', 'flush-redis', 'kill-redis'].includes(fault.kind);
}
