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
  /** Calls back for each `NOTIFY` of a channel, also after a lost connection was made anew. Ends with the database. */
  listen(channel: string, onPayload: (payload: string) => void): Promise<void>;
  close(): Promise<void>;
}

/** The part of `pg.Pool` that the queue uses. */
export interface QueuePool {
  connect(): Promise<QueueClient>;
  query(text: string, values?: readonly unknown[]): Promise<{ rows: unknown[]; rowCount: number | null }>;
  end(): Promise<void>;
  on(event: string, listener: (...args: never[]) => void): this;
  removeListener(event: string, listener: (...args: never[]) => void): this;
  removeAllListeners(event?: string): this;
}

export interface QueueClient {
  query(text: string, values?: readonly unknown[]): Promise<{ rows: unknown[]; rowCount: number | null }>;
  release(destroy?: boolean | Error): void;
  on(event: string, listener: (...args: never[]) => void): this;
  removeListener(event: string, listener: (...args: never[]) => void): this;
  removeAllListeners(event?: string): this;
}
