import { EventEmitter } from 'node:events';
import type pg from 'pg';
import type { QueueClient, QueuePool } from './database.ts';
import type { Notifications } from './embedded-notifications.ts';

const listens = /^\s*LISTEN\s+"?([A-Za-z0-9_]+)"?\s*;?\s*$/i;
const opens = /^\s*(?:BEGIN|START\s+TRANSACTION)\b/i;
const closes = /^\s*(?:COMMIT|END|ABORT|ROLLBACK(?!\s+TO\b))\b/i;

/**
 * The job queue's view of the embedded database: as many clients as it asks for, each borrowing the one session for a
 * statement, or from BEGIN to COMMIT, or not at all while it only listens.
 */
export function createEmbeddedQueuePool(sessions: pg.Pool, notifications: Notifications): QueuePool {
  class Client extends EventEmitter implements QueueClient {
    #previous: Promise<unknown> = Promise.resolve();
    #session: pg.PoolClient | undefined;
    #listening: { channel: string; onPayload: (payload: string) => void }[] = [];

    query(text: string, values?: readonly unknown[]) {
      const result = this.#previous.then(() => this.#run(text, values));
      this.#previous = result.catch(() => {});
      return result;
    }

    async #run(text: string, values?: readonly unknown[]) {
      // PGlite answers in microtasks: without a turn of the event loop, timers and sockets starve behind the queue.
      await new Promise(setImmediate);
      const statement = text.replace(/--.*$/gm, '');
      const channel = listens.exec(statement)?.[1];
      if (channel !== undefined) return this.#listen(channel);
      const session = this.#session ?? (await sessions.connect());
      let keep = this.#session !== undefined;
      try {
        const result = await session.query(text, values as unknown[] | undefined);
        if (opens.test(statement)) keep = true;
        return last(result);
      } finally {
        if (closes.test(statement)) keep = false;
        this.#session = keep ? session : undefined;
        if (!keep) session.release();
      }
    }

    async #listen(channel: string) {
      const onPayload = (payload: string) => this.emit('notification', { channel, payload });
      this.#listening.push({ channel, onPayload });
      await notifications.listen(channel, onPayload);
      return { rows: [], rowCount: 0 };
    }

    release() {
      if (this.#session) void this.query('ROLLBACK').catch(() => {});
      for (const { channel, onPayload } of this.#listening.splice(0))
        notifications.forget(channel, onPayload);
    }
  }

  const newClient = () => new Client().setMaxListeners(0);

  class Pool extends EventEmitter implements QueuePool {
    // BullMQ caps how long a worker may block unless it knows that a dead connection is noticed; this one cannot die.
    readonly options = { keepAlive: true };
    connect = async () => newClient();
    query = (text: string, values?: readonly unknown[]) => newClient().query(text, values);
    end = async () => {};
  }
  return new Pool().setMaxListeners(0);
}

// Several statements in one text give several results; the last one is the answer.
function last(result: pg.QueryResult | pg.QueryResult[]): pg.QueryResult {
  return Array.isArray(result) ? (result.at(-1) as pg.QueryResult) : result;
}
