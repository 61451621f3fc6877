import type { Service } from './a-service.ts';
import { removeRedisKeys } from './own-databases.ts';

/** Takes from a running service everything that its queue knows: its keys in Redis, or the queue's own tables. */
export async function emptyQueue({ app, installation }: Service): Promise<void> {
  if (installation.env.REDIS_URL) return removeRedisKeys(installation.redisPrefix);
  const { queuePool } = app.storage.database;
  const { rows } = await queuePool.query(
    `SELECT string_agg(format('bullmq.%I', table_name), ', ') AS tables FROM information_schema.tables
      WHERE table_schema = 'bullmq' AND table_name <> 'migration'`,
  );
  const [{ tables }] = rows as [{ tables: string }];
  await queuePool.query(`TRUNCATE ${tables}`);
}
