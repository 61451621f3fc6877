/**
 * Loaded into each process before the service itself (`node --import`), for tests only. Takes {@link Order}s by IPC: it
 * watches the calls to the database and to Redis, so that the process can fall at a named step, and it moves the wall
 * clock of this one process. The service knows nothing of it.
 */
import { Redis } from 'ioredis';
import pg from 'pg';
import { type FallPoint, fallPoints } from './fall-points.ts';
import type { Note, Order } from './orders.ts';

let armed: (Order & { kind: 'fall' }) | undefined;
let skewMs = 0;

process.on('message', (order: Order) => {
  switch (order.kind) {
    case 'fall':
      armed = order;
      return;
    case 'stand':
      armed = undefined;
      return;
    case 'clock':
      skewMs = order.skewMs;
  }
});
// Who started it is gone, however that ended. An orderly end might wait for what is gone too.
process.once('disconnect', () => process.kill(process.pid, 'SIGKILL'));
// The channel alone keeps no process alive.
process.channel?.unref();

watchDatabaseCalls();
watchRedisCalls();
moveClock();

function fallIfAt(side: 'before' | 'after', call: string): void {
  if (!armed || fallPoints[armed.at].side !== side || fallPoints[armed.at].call !== call) return;
  const { at, signal } = armed;
  armed = undefined;
  tell({ kind: 'falls', at });
  process.kill(process.pid, signal);
  // The signal may meet another thread first; this one does nothing more until then.
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 100);
}

function tell(note: Note & { at: FallPoint }): void {
  process.send?.(note);
}

type Query = (config: unknown, ...rest: unknown[]) => unknown;

/** Hot-path calls are prepared statements that carry the function's name; both forms of pg's `query` are met. */
function watchDatabaseCalls(): void {
  const prototype = pg.Client.prototype as unknown as { query: Query };
  const query = prototype.query;
  prototype.query = function watched(this: unknown, config: unknown, ...rest: unknown[]): unknown {
    const call = (config as { name?: unknown } | undefined)?.name;
    if (typeof call !== 'string') return query.call(this, config, ...rest);
    fallIfAt('before', call);
    const last = rest.at(-1);
    if (typeof last === 'function') {
      const told = (error: unknown, ...result: unknown[]) => {
        if (!error) fallIfAt('after', call);
        return last(error, ...result);
      };
      return query.call(this, config, ...rest.slice(0, -1), told);
    }
    const answer = query.call(this, config, ...rest);
    return answer instanceof Promise
      ? answer.then((result: unknown) => {
          fallIfAt('after', call);
          return result;
        })
      : answer;
  };
}

type Send = (command: { name: string }, ...rest: unknown[]) => unknown;

/** Waking begins with a script of the fair clock. */
function watchRedisCalls(): void {
  const prototype = Redis.prototype as unknown as { sendCommand: Send };
  const send = prototype.sendCommand;
  prototype.sendCommand = function watched(this: unknown, command, ...rest) {
    fallIfAt('before', `redis.${command.name}`);
    return send.call(this, command, ...rest);
  };
}

/** `Date` as the process sees it. Timers and `performance.now()` go on as they were, as when a clock is set by hand. */
function moveClock(): void {
  const real = Date;
  const now = () => real.now() + skewMs;
  globalThis.Date = new Proxy(real, {
    construct: (target, given, newTarget) =>
      Reflect.construct(target, given.length === 0 ? [now()] : given, newTarget),
    get: (target, key, receiver) => (key === 'now' ? now : Reflect.get(target, key, receiver)),
  });
}
