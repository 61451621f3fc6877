import type { SocketSessions } from '../../journey.ts';
import type { GatewayInfo } from './identify-pace.ts';
import { isSocketUrl, readSessionState } from './session-state.ts';
import type { SocketLease } from './socket-lease.ts';

/** How many shards a bot has, for all processes. */
export type ShardPlan = {
  /** Counts the changes of the number: sessions of an earlier one cannot be gone on with. */
  generation: number;
  count: number;
  /** Where new sessions begin. */
  url: string;
  /** When Discord was asked last. */
  askedAtMs: number;
  /** All sockets are to be closed, because there will be so many. */
  next?: number;
  /** Since when the shards before these may have missed something. */
  sinceMs?: number;
};

export type ShardPlannerParts = {
  lease: SocketLease;
  sessions: SocketSessions;
  /** How often Discord is asked how many it recommends; asked each time. */
  askEveryMs: () => number;
};

export interface ShardPlanner {
  /**
   * The plan as it stands. Who finds that Discord is to be asked, or that all sockets are closed for another number, takes
   * the plan's own lease and changes it; the database refuses what is written without the lease. `isIdle`: this process
   * has no socket open. @throws what `ask` throws, where there is no plan without it
   */
  look(ask: (() => Promise<GatewayInfo>) | undefined, isIdle: boolean): Promise<ShardPlan | undefined>;
}

const shardsMax = 256;

export function createShardPlanner(
  { lease, sessions, askEveryMs }: ShardPlannerParts,
  applicationId: string,
): ShardPlanner {
  const name = `${applicationId}/plan`;
  const read = async () => readShardPlan(await sessions.read(name));
  /** What was written by somebody else meanwhile is read at the next look. */
  const keep = async (plan: ShardPlan) => ((await sessions.keep(name, plan)) ? plan : undefined);

  async function underLease<T>(work: () => Promise<T>, otherwise: T): Promise<T> {
    if (!(await lease.take(name))) return otherwise;
    try {
      return await work();
    } finally {
      await lease.release(name).catch(() => {});
    }
  }

  async function askDiscord(ask: () => Promise<GatewayInfo>): Promise<ShardPlan | undefined> {
    const plan = await read();
    if (plan && !isDue(plan, askEveryMs())) return plan;
    const { shards, url } = await ask().catch(async (error: unknown) => {
      // For the operator, until it is asked with success.
      await sessions.keep(name, plan, (error as Error).message).catch(() => {});
      throw error;
    });
    const count = Math.min(Math.max(1, shards), shardsMax);
    const askedAtMs = Date.now();
    if (!isSocketUrl(url)) return plan;
    if (!plan) return keep({ generation: 1, count, url, askedAtMs });
    const { next = isWorthAChange(plan.count, count) ? count : undefined } = plan;
    return keep({ ...plan, url, askedAtMs, ...(next !== undefined && { next }) });
  }

  /** Once nobody has a socket of the old set any more, and nobody can open one, the new set begins. */
  async function change(): Promise<ShardPlan | undefined> {
    const plan = await read();
    if (plan?.next === undefined) return plan;
    const shards = Array.from({ length: plan.count }, (_, shard) => `${applicationId}/${shard}`);
    // Not given back before the change: who has not seen the plan yet would open one again.
    for (const shard of shards) if (!(await lease.take(shard))) return plan;
    const states = await Promise.all(
      shards.map(async (shard) => readSessionState(await sessions.read(shard))),
    );
    const { next: count, generation, url, askedAtMs } = plan;
    // A shard whose session has not begun yet has missed what the whole set had missed before it.
    const missedSinceMs = states.map((state) =>
      state ? (openGapOf(state) ?? state.aliveAtMs) : (plan.sinceMs ?? Number.POSITIVE_INFINITY),
    );
    const sinceMs = Math.min(...missedSinceMs, Date.now());
    const changed = await keep({ generation: generation + 1, count, url, askedAtMs, sinceMs });
    for (const shard of shards) {
      // Sessions of the old set are over, and what was wrong with them is of no interest any more.
      if (changed) await sessions.keep(shard, undefined);
      await lease.release(shard).catch(() => {});
    }
    return changed;
  }

  return {
    async look(ask, isIdle) {
      const plan = await read();
      if (plan?.next !== undefined) return isIdle ? underLease(change, plan) : plan;
      if (!ask || !isDue(plan, askEveryMs())) return plan;
      return underLease(() => askDiscord(ask), plan);
    },
  };
}

function isDue(plan: ShardPlan | undefined, askEveryMs: number): boolean {
  return !plan || Date.now() - plan.askedAtMs > askEveryMs;
}

/** Discord refuses too few; too many do no harm, and a change is a gap. */
function isWorthAChange(count: number, recommended: number): boolean {
  return recommended > count || recommended * 2 < count;
}

/** What a session that began in a gap has not looked up yet. */
function openGapOf({ gap }: { gap?: { sinceMs: number; untilMs: number } }): number | undefined {
  return gap && Date.now() < gap.untilMs ? gap.sinceMs : undefined;
}

function readShardPlan(kept: object | undefined): ShardPlan | undefined {
  const { generation, count, url, askedAtMs, next, sinceMs } = (kept ?? {}) as Partial<ShardPlan>;
  const isUsable =
    typeof generation === 'number' &&
    typeof count === 'number' &&
    typeof url === 'string' &&
    isSocketUrl(url) &&
    typeof askedAtMs === 'number';
  if (!isUsable) return undefined;
  return {
    ...{ generation, count, url, askedAtMs },
    ...(next !== undefined && { next }),
    ...(sinceMs !== undefined && { sinceMs }),
  };
}
