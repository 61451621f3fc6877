import { runMigrations } from 'bullmq';
import type { QueueClient } from '#connections/database.ts';

/**
 * Lays out the job queue's schema as the owner and hands it to the queue's role. BullMQ makes sequences while it works,
 * so the role may create things there, and only there.
 */
export async function createQueueSchema(client: QueueClient): Promise<void> {
  await runMigrations(client as Parameters<typeof runMigrations>[0]);
  await client.query(`
    GRANT USAGE, CREATE ON SCHEMA bullmq TO swarmgate_queue;
    GRANT ALL ON ALL TABLES IN SCHEMA bullmq TO swarmgate_queue;
    GRANT ALL ON ALL SEQUENCES IN SCHEMA bullmq TO swarmgate_queue;
    GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA bullmq TO swarmgate_queue`);
}

/**
 * The same for the embedded database, with nothing in the queue: what a killed process had at work would be locked for
 * seconds, although the data directory's lock proves that nobody works on it. The sweeper wakes all that is due.
 */
export async function createEmptyQueueSchema(client: QueueClient): Promise<void> {
  await createQueueSchema(client);
  await client.query(`
    DO $$ BEGIN
      EXECUTE (SELECT format('TRUNCATE %s', string_agg(format('bullmq.%I', table_name), ', '))
        FROM information_schema.tables WHERE table_schema = 'bullmq' AND table_name <> 'migration');
    END $$`);
}
