import {
  type BackendFactory,
  createPostgresBackend,
  type JobsOptions,
  Queue,
  type QueueOptions,
  Worker,
} from 'bullmq';
import type { QueuePool } from '#connections/database.ts';
import type { RedisConnections } from '#connections/redis.ts';
import { createBatcher } from '#kernel/batcher.ts';
import type { Logger } from '#kernel/logger.ts';
import { within } from '#kernel/within.ts';
import { costOf, type FairClock, halfRange, movedBelow } from './fair-clock.ts';
import { type WakeKind, type WakeQueue, type WakeUp, type WakeUpData, wakeUpData } from './job.ts';

export type WakeQueueParts = {
  logger: Logger;
  /** The clock that orders the wake-ups of the queue with this name. */
  clockOf: (queue: string) => FairClock;
  backend: { kind: 'redis'; redis: RedisConnections; prefix: string } | { kind: 'postgres'; pool: QueuePool };
};

const kinds: readonly WakeKind[] = ['turn', 'delivery'];
/** Wake-ups that go to the queue in one round trip. */
const batchSizeMax = 500;
const pageSize = 500;
const wakeTimeoutMs = 250;
const reachableTimeoutMs = 1_000;

/** A job whose worker died is taken up again within 5 to 6 seconds (lock plus check interval). */
const lockDurationMs = 5_000;
const stalledIntervalMs = 2_000;

/** BullMQ behind {@link WakeQueue}: on Redis, or on its Postgres backend when there is no Redis. */
export function createWakeQueue({ logger, clockOf, backend }: WakeQueueParts): WakeQueue {
  const lanes = new Map(kinds.map((kind) => [kind, openLane(kind)]));
  const workers: { close(): Promise<void> }[] = [];
  let stopping: Promise<unknown> | undefined;

  function openLane(kind: WakeKind) {
    const { options, factory } = openBackend(false);
    const queue = new Queue(queueName(kind), options, factory);
    queue.on('error', (error) => logger.warn({ err: error, queue: kind }, 'the queue reported an error'));
    const clock = clockOf(queueName(kind));
    const addAll = async (wakeUps: readonly WakeUp[]) => {
      const priorities = await clock.assign(wakeUps.map(startOf));
      await queue.addBulk(
        wakeUps.map((wakeUp, index) => ({
          name: 'wake',
          data: dataOf(wakeUp),
          opts: optionsOf(wakeUp, priorities[index]),
        })),
      );
      return wakeUps.map(() => true);
    };
    // Those that begin while the clock is told of one go together: it stands where the latest of them started.
    const advance = createBatcher(async (priorities: readonly number[]) => {
      await clock.advance(Math.max(...priorities));
      return priorities.map(() => undefined);
    }, batchSizeMax);
    return {
      ...{ queue, clock, addAll, add: createBatcher(addAll, batchSizeMax) },
      advance: (priority: number) => quietly(kind, advance(priority)),
    };
  }

  function openBackend(forWorker: boolean): { options: QueueOptions; factory: BackendFactory } {
    if (backend.kind === 'redis') {
      const connection = forWorker ? backend.redis.forWorkers() : backend.redis.forCommands();
      return {
        // Commands fail after a second. Were one of them the version check, which BullMQ makes once and whose failure it
        // keeps, a Redis that is slow at that moment would leave this process without a queue for good.
        options: { connection, prefix: backend.prefix, skipVersionCheck: !forWorker },
        factory: undefined as unknown as BackendFactory,
      };
    }
    return {
      options: { connection: backend.pool as unknown as QueueOptions['connection'] },
      factory: createPostgresBackend as unknown as BackendFactory,
    };
  }

  const laneOf = (kind: WakeKind) => {
    const lane = lanes.get(kind);
    if (!lane) throw new TypeError(`There is no queue for "${kind}".`);
    return lane;
  };

  // Order is worth something, but not an answer: a clock that is away is not waited for.
  const quietly = (kind: WakeKind, change: Promise<unknown>) =>
    void change.catch((error) => logger.debug({ err: error, queue: kind }, 'the fair clock was not told'));

  return {
    async wake(wakeUp) {
      const inTime = await within(wakeTimeoutMs, laneOf(wakeUp.kind).add(wakeUp));
      if (!inTime) logger.debug({ queue: wakeUp.kind }, 'a wake-up was not added in time; the sweeper will');
      return inTime;
    },

    async wakeAll(wakeUps) {
      for (const kind of kinds) {
        const some = wakeUps.filter((wakeUp) => wakeUp.kind === kind);
        if (some.length > 0) await laneOf(kind).addAll(some);
      }
    },

    work(kind, handle, concurrency) {
      const { options, factory } = openBackend(true);
      const lane = laneOf(kind);
      const worker = new Worker(
        queueName(kind),
        async (job) => {
          const data = wakeUpData.parse(job.data);
          lane.advance(job.priority);
          const served = await handle(data);
          if (served && served.count > 1)
            quietly(kind, lane.clock.charge(data.tenantId, costOf(served.weight, served.count - 1)));
        },
        // Attempts are counted in the database, so a job that stalls again and again must not end as failed here.
        {
          ...options,
          concurrency,
          lockDuration: lockDurationMs,
          stalledInterval: stalledIntervalMs,
          maxStalledCount: 1_000_000,
        },
        factory,
      );
      worker.on('error', (error) =>
        logger.warn({ err: error, queue: kind }, 'a queue worker reported an error'),
      );
      worker.on('failed', (_job, error) =>
        logger.error({ err: error, queue: kind }, 'a wake-up failed; the sweeper repeats it'),
      );
      workers.push(worker);
    },

    async keepOrder() {
      for (const { queue, clock } of lanes.values()) {
        if (!(await clock.isMoving())) continue;
        await moveToNewBase(queue);
        await clock.moved();
      }
    },

    async forget(tenantId) {
      for (const { queue, clock } of lanes.values()) {
        await removeJobs(queue, tenantId);
        await clock.forget(tenantId);
      }
    },

    isReachable: () => within(reachableTimeoutMs, laneOf('turn').queue.count()),

    stopWork(timeoutMs) {
      stopping ??= Promise.all(workers.map((worker) => worker.close()));
      return within(timeoutMs, stopping);
    },

    async close() {
      await Promise.allSettled([...lanes.values()].map(({ queue }) => queue.close()));
    },
  };
}

function queueName(kind: WakeKind): string {
  return `${kind}-v1`;
}

function startOf({ tenantId, weight }: WakeUp) {
  return { tenantId, cost: costOf(weight ?? 1), charged: weight !== undefined };
}

/** Moves what was added before the base was raised. May be begun again by another process: what was moved lies low. */
async function moveToNewBase(queue: Pick<Queue, 'getJobs'>): Promise<void> {
  const old: Awaited<ReturnType<typeof queue.getJobs>> = [];
  for (let from = 0; ; from += pageSize) {
    const page = await queue.getJobs('prioritized', from, from + pageSize - 1, true);
    old.push(...page.filter((job) => job.priority > movedBelow));
    if (page.length === 0) break;
  }
  // The lowest first: those whose time had come already all get the lowest number, and keep their order by this.
  old.sort((one, other) => one.priority - other.priority);
  for (const job of old) await job.changePriority({ priority: Math.max(1, job.priority - halfRange) });
}

/** What of a tenant's waits, page by page. What is at work ends by itself, and finds nothing any more. */
async function removeJobs(queue: Pick<Queue, 'getJobs'>, tenantId: string): Promise<void> {
  for (let from = 0; ; ) {
    const page = await queue.getJobs(['wait', 'prioritized', 'delayed'], from, from + pageSize - 1, true);
    if (page.length === 0) return;
    const theirs = page.filter((job) => (job.data as Partial<WakeUpData>)?.tenantId === tenantId);
    for (const job of theirs) await job.remove();
    // What was behind them has moved up.
    from += page.length - theirs.length;
  }
}

function dataOf({ tenantId, conversationId }: WakeUp): WakeUpData {
  return { tenantId, conversationId };
}

// keepLastIfActive: a wake-up that comes while the conversation's last one is still at work makes exactly one more run
// afterwards. Plain deduplication would drop it, and what arrived after the last look would wait for the sweeper.
function optionsOf({ tenantId, conversationId }: WakeUp, priority: number | undefined): JobsOptions {
  if (priority === undefined) throw new TypeError('The fair clock gave a wake-up no priority.');
  return {
    priority,
    deduplication: { id: `${tenantId}/${conversationId}`, keepLastIfActive: true },
    removeOnComplete: true,
    removeOnFail: true,
  };
}
