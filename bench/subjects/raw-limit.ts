import { readConfig } from '../../src/config/config.ts';
import { connectRedis } from '../../src/connections/redis.ts';
import { createDeliveryJournal } from '../../src/conversations/delivery-journal.ts';
import { createReceiveMessage } from '../../src/conversations/receive-message.ts';
import { createTurnJournal } from '../../src/conversations/turn-journal.ts';
import { newId, type Uuid } from '../../src/domain/ids.ts';
import { createLogger } from '../../src/kernel/logger.ts';
import { createFairClockOnRedis } from '../../src/queue/fair-clock-on-redis.ts';
import { createWakeQueue } from '../../src/queue/wake-queue.ts';
import { openStorage } from '../../src/storage.ts';
import { runSql } from '../servers.ts';
import type { Installation } from './swarmgate.ts';

const atOnce = 64;
/** As many as a process of the service. */
const turnsAtOnce = 100;
const lasting = { holder: 'raw-limit', leaseMs: 30_000, claimMs: 30_000 };

/**
 * The statements and the queue calls of the journey with nothing around them: no HTTP, no signature, no gateway, no agent,
 * no live updates. What is left between this and the service is the service's own work.
 */
export async function startRawLimit({ env, databaseUrl }: Installation) {
  const logger = createLogger('error');
  const config = readConfig(env as Record<string, string>);
  const storage = await openStorage(config, logger);
  const { scopes } = storage;
  const redis = connectRedis(env['REDIS_URL'] ?? '', () => {});
  const prefix = 'raw-limit';
  const queue = createWakeQueue({
    logger,
    clockOf: (name) => createFairClockOnRedis(redis, prefix, name),
    backend: { kind: 'redis', redis, prefix },
  });
  const receive = createReceiveMessage({
    ...{ scopes, queue },
    live: { publish: () => {} },
    metrics: { received: () => {} },
  });
  const turns = createTurnJournal(scopes, lasting);
  const deliveries = createDeliveryJournal(scopes, lasting);
  const places = (await runSql(
    databaseUrl,
    'SELECT tenant_id, id AS channel_id FROM swarmgate.channels',
  )) as { tenant_id: Uuid; channel_id: Uuid }[];
  let answered = 0;
  let named = 0;
  queue.work(
    'turn',
    async ({ tenantId, conversationId }) => {
      const turn = await turns.begin(tenantId as Uuid, conversationId as Uuid);
      if (!turn) return undefined;
      const outcome = { state: 'done', role: 'agent', text: turn.message.text, content: {} } as const;
      const committed = await turns.commit(turn, outcome, { takeNext: true, claim: true });
      const sent = { state: 'sent', externalIds: [newId()], doubled: false } as const;
      if (committed?.delivery) await deliveries.record(committed.delivery, sent, true);
      answered += 1;
      return undefined;
    },
    turnsAtOnce,
  );

  return {
    /** How many messages a second go all the way. */
    async measure(messages: number): Promise<number> {
      const beganAt = performance.now();
      let next = 0;
      await Promise.all(
        Array.from({ length: atOnce }, async () => {
          while (next < messages) {
            const place = places[next % places.length];
            if (!place) throw new Error('The installation has no channel.');
            next += 1;
            const name = `raw-${named++}`;
            await receive(
              { tenantId: place.tenant_id, channelId: place.channel_id, platform: 'slack' },
              {
                ...{ kind: 'message', key: name, conversationExternalId: name, content: {} },
                participant: { externalId: `U${next % 50}`, verified: true, profile: {} },
                text: 'could you tell me when the order that I placed last week is going to arrive?',
              },
            );
          }
        }),
      );
      while (answered < messages) await new Promise((resolve) => setTimeout(resolve, 5));
      answered = 0;
      return messages / ((performance.now() - beganAt) / 1_000);
    },
    async close(): Promise<void> {
      await queue.stopWork(2_000);
      await queue.close();
      await redis.close();
      await storage.close();
    },
  };
}
