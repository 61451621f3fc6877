import type { EventEmitter } from 'node:events';
import type pg from 'pg';

/**
 * An open database. Everything the application says to it goes through `pool`, whose connections carry the role
 * `swarmgate_service`: it may step into a scope, and sees nothing before it has.
 */
export interface Database {
  readonly kind: 'embedded' | 'server';
  readonly pool: pg.Pool;
  /** What the queue works on: its own schema and role. On the embedded database it shares the one session with `pool`. */
  readonly queuePool: QueuePool;
  /**
   * Calls back for each `NOTIFY` of a channel, also after a lost connection was made anew, of which `onListeningAgain`
   * tells. Ends with the database.
   */
  listen(channel: string, onPayload: (payload: string) => void, onListeningAgain?: () => void): Promise<void>;
  close(): Promise<void>;
}

/** A connection of the pool while somebody has it. */
export type Connection = pg.PoolClient;

/** The part of `pg.Pool` that the queue uses. */
export interface QueuePool extends EventEmitter {
  connect(): Promise<QueueClient>;
  query(text: string, values?: readonly unknown[]): Promise<QueueResult>;
  end(): Promise<void>;
}

export interface QueueClient extends EventEmitter {
  query(text: string, values?: readonly unknown[]): Promise<QueueResult>;
  release(destroy?: boolean | Error): void;
}

type QueueResult = { rows: unknown[]; rowCount: number | null };
