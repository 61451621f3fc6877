import { setTimeout as pause } from 'node:timers/promises';
import type { PaceBudget } from '../../journey.ts';
import type { DiscordApp } from '../channel.ts';
import type { DiscordApi } from '../outbound/api.ts';
import { codeOf } from '../outbound/api-failures.ts';

/** What Discord says about opening sockets. @see https://discord.com/developers/docs/events/gateway#get-gateway-bot */
export type GatewayInfo = {
  url: string;
  shards: number;
  session_start_limit: { remaining: number; reset_after: number; max_concurrency: number };
};

export async function askGateway(
  api: DiscordApi,
  app: DiscordApp,
  signal: AbortSignal,
): Promise<GatewayInfo> {
  return api.call<GatewayInfo>(app, { method: 'GET', route: '/gateway/bot' }, signal);
}

/** Discord asks for five seconds; clocks differ a little. */
const intervalMs = 5_200;
const tryEveryMs = 1_000;
/** Who identifies more than a thousand times a day has its token reset: some are left for an emergency. */
const reserve = 20;

/**
 * Waits until a shard may identify: one each five seconds of a key (`shard % max_concurrency`) over all processes, and
 * never the last of the day. What goes wrong is tried again until it is broken off: the SDK would identify all the same.
 */
export async function waitToIdentify(
  parts: { api: DiscordApi; budget: PaceBudget },
  app: DiscordApp,
  shard: number,
  signal: AbortSignal,
): Promise<void> {
  for (;;) {
    try {
      return await waitOnce(parts, app, shard, signal);
    } catch (error) {
      // The gateway refuses such a token as well, by a close code that says what to do.
      if (codeOf(error) === '401') return;
      await pause(tryEveryMs, undefined, { signal });
    }
  }
}

async function waitOnce(
  { api, budget }: { api: DiscordApi; budget: PaceBudget },
  app: DiscordApp,
  shard: number,
  signal: AbortSignal,
): Promise<void> {
  const { session_start_limit: limit } = await askGateway(api, app, signal);
  if (limit.remaining <= reserve) await pause(Math.max(limit.reset_after, tryEveryMs), undefined, { signal });
  const key = `discord/${app.applicationId}/identify/${shard % Math.max(1, limit.max_concurrency)}`;
  for (;;) {
    signal.throwIfAborted();
    const { granted, waitMs } = await budget.reserve(key, { intervalMs, cost: 1, burst: 1 }, intervalMs);
    if (waitMs > 0) await pause(waitMs, undefined, { signal });
    if (granted) return;
  }
}
