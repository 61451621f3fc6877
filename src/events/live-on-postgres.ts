import type { Database } from '#connections/database.ts';
import type { Logger } from '#kernel/logger.ts';
import { type LiveUpdate, type LiveUpdates, parseUpdate, topicKey } from './live.ts';
import { createSubscribers } from './subscribers.ts';

const channel = 'swarmgate_live';

/** Live updates between processes over LISTEN/NOTIFY, when there is no Redis. One channel for all; each process sifts. */
export async function createLiveOnPostgres(database: Database, logger: Logger): Promise<LiveUpdates> {
  const subscribers = createSubscribers();
  await database.listen(
    channel,
    (payload) => {
      const message = parseUpdate<[string, LiveUpdate]>(payload);
      if (Array.isArray(message)) subscribers.tell(...message);
    },
    // What was told meanwhile is lost, so whoever listens looks again.
    () => subscribers.tellAll({ kind: 'changed' }),
  );
  return {
    publish(topic, update) {
      database.pool
        .query('SELECT pg_notify($1, $2)', [channel, JSON.stringify([topicKey(topic), update])])
        .catch((error: unknown) => {
          logger.debug({ err: error }, 'a live update was not published');
        });
    },
    async subscribe(topic, onUpdate) {
      subscribers.add(topicKey(topic), onUpdate);
      return () => subscribers.remove(topicKey(topic), onUpdate);
    },
  };
}
