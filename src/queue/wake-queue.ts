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
import type { Logger } from '#kernel/logger.ts';
import { within } from '#kernel/within.ts';
import { type WakeKind, type WakeQueue, type WakeUp, type WakeUpData, wakeUpData } from './job.ts';

export type WakeQueueParts = {
  logger: Logger;
  backend: { kind: 'redis'; redis: RedisConnections; prefix: string } | { kind: 'postgres'; pool: QueuePool };
};

const kinds: readonly WakeKind[] = ['turn', 'delivery'];
const wakeTimeoutMs = 250;
const reachableTimeoutMs = 1_000;

/** A job whose worker died is taken up again within 5 to 6 seconds (lock plus check interval). */
const lockDurationMs = 5_000;
const stalledIntervalMs = 2_000;

/** BullMQ behind {@link WakeQueue}: on Redis, or on its Postgres backend when there is no Redis. */
export function createWakeQueue({ logger, backend }: WakeQueueParts): WakeQueue {
  const queues = new Map(kinds.map((kind) => [kind, openQueue(kind)]));
  const workers: { close(): Promise<void> }[] = [];
  let stopping: Promise<unknown> | undefined;

  function openQueue(kind: WakeKind) {
    const { options, factory } = openBackend(false);
    const queue = new Queue(queueName(kind), options, factory);
    queue.on('error', (error) => logger.warn({ err: error, queue: kind }, 'the queue reported an error'));
    return queue;
  }

  function openBackend(forWorker: boolean): { options: QueueOptions; factory: BackendFactory } {
    if (backend.kind === 'redis') {
      const connection = forWorker ? backend.redis.forWorkers() : backend.redis.forCommands();
      return {
        options: { connection, prefix: backend.prefix },
        factory: undefined as unknown as BackendFactory,
      };
    }
    return {
      options: { connection: backend.pool as unknown as QueueOptions['connection'] },
      factory: createPostgresBackend as unknown as BackendFactory,
    };
  }

  const queueOf = (kind: WakeKind) => {
    const queue = queues.get(kind);
    if (!queue) throw new TypeError(`There is no queue for "${kind}".`);
    return queue;
  };

  return {
    async wake(wakeUp) {
      const added = queueOf(wakeUp.kind).add('wake', dataOf(wakeUp), optionsOf(wakeUp));
      const inTime = await within(wakeTimeoutMs, added);
      if (!inTime) logger.debug({ queue: wakeUp.kind }, 'a wake-up was not added in time; the sweeper will');
      return inTime;
    },

    async wakeAll(wakeUps) {
      for (const kind of kinds) {
        const jobs = wakeUps.filter((wakeUp) => wakeUp.kind === kind);
        if (jobs.length === 0) continue;
        await queueOf(kind).addBulk(
          jobs.map((wakeUp) => ({ name: 'wake', data: dataOf(wakeUp), opts: optionsOf(wakeUp) })),
        );
      }
    },

    work(kind, handle, concurrency) {
      const { options, factory } = openBackend(true);
      const worker = new Worker(
        queueName(kind),
        async (job) => handle(wakeUpData.parse(job.data)),
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

    isReachable: () => within(reachableTimeoutMs, queueOf('turn').count()),

    stopWork(timeoutMs) {
      stopping ??= Promise.all(workers.map((worker) => worker.close()));
      return within(timeoutMs, stopping);
    },

    async close() {
      await Promise.allSettled([...queues.values()].map((queue) => queue.close()));
    },
  };
}

function queueName(kind: WakeKind): string {
  return `${kind}-v1`;
}

function dataOf({ tenantId, conversationId }: WakeUp): WakeUpData {
  return { tenantId, conversationId };
}

// keepLastIfActive: a wake-up that comes while the conversation's last one is still at work makes exactly one more run
// afterwards. Plain deduplication would drop it, and what arrived after the last look would wait for the sweeper.
function optionsOf({ tenantId, conversationId }: WakeUp): JobsOptions {
  return {
    deduplication: { id: `${tenantId}/${conversationId}`, keepLastIfActive: true },
    removeOnComplete: true,
    removeOnFail: true,
  };
}
