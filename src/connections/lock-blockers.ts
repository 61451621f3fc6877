import { setTimeout as sleep } from 'node:timers/promises';
import type pg from 'pg';

/** A session that another one waits for. What it has been told, Postgres may know; it could be a secret, and is not read. */
export type Blocker = {
  pid: number;
  application: string;
  user: string;
  /** `null`: none, or this user may not see it. */
  transactionSeconds: number | null;
};

export type Blockers = { relation: string | null; sessions: readonly Blocker[] };

export interface LockWatch {
  /** Whom it was last seen to wait for. */
  seen(): Blockers | undefined;
  stop(): Promise<void>;
}

const everyMs = 100;

/**
 * Looks whom `client` waits for while it waits, from a second connection; `undefined` where the pool has only one. What
 * cannot be seen is not told: nothing depends on it.
 */
export async function watchBlockers(pool: pg.Pool, client: pg.PoolClient): Promise<LockWatch | undefined> {
  if (pool.options.max < 2) return undefined;
  const { rows } = await client.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
  const pid = rows[0]?.pid;
  const stop = new AbortController();
  let seen: Blockers | undefined;

  const watching = (async () => {
    while (!stop.signal.aborted) {
      seen = (await look(pool, pid).catch(() => undefined)) ?? seen;
      await sleep(everyMs, undefined, { signal: stop.signal }).catch(() => {});
    }
  })();
  return {
    seen: () => seen,
    async stop() {
      stop.abort();
      await watching;
    },
  };
}

async function look(pool: pg.Pool, pid: number | undefined): Promise<Blockers | undefined> {
  const { rows } = await pool.query<Blocker & { relation: string | null }>(
    `SELECT a.pid, coalesce(a.application_name, '') AS application, coalesce(a.usename, '') AS "user",
       round(extract(epoch FROM clock_timestamp() - a.xact_start))::int AS "transactionSeconds",
       (SELECT l.relation::regclass::text FROM pg_locks l WHERE l.pid = $1 AND NOT l.granted AND l.relation IS NOT NULL LIMIT 1) AS relation
     FROM pg_stat_activity a WHERE a.pid = ANY (pg_blocking_pids($1)) ORDER BY a.xact_start LIMIT 5`,
    [pid],
  );
  return rows.length === 0 ? undefined : { relation: rows[0]?.relation ?? null, sessions: rows };
}

/** `swarmgate.messages is held by session 4711 (application "psql", user "ann", in a transaction for 35 s)` */
export function describeBlockers({ relation, sessions }: Blockers): string {
  const named = sessions.map(({ pid, application, user, transactionSeconds }) => {
    const since = transactionSeconds === null ? '' : `, in a transaction for ${transactionSeconds} s`;
    return `session ${pid} (application "${application}", user "${user}"${since})`;
  });
  return `${relation ?? 'a lock'} is held by ${named.join(' and ')}`;
}
