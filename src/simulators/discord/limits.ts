export type LimitOptions = {
  /** Posts in a channel: Discord's usual is five in five seconds. */
  postsPerWindow?: number;
  windowMs?: number;
  /** Calls of one bot in a second. */
  globalPerSecond?: number;
};

export type Taken =
  | { ok: true; headers: Record<string, string> }
  | { ok: false; retryAfterSeconds: number; global: boolean; headers: Record<string, string> };

export type Limits = ReturnType<typeof createLimits>;

/** The buckets of routes, and the limit of all calls of a bot (https://discord.com/developers/docs/topics/rate-limits). */
export function createLimits(initial: LimitOptions, now: () => number) {
  let options = initial;
  const windows = new Map<string, { used: number; endsAtMs: number }>();

  function use(key: string, limit: number, windowMs: number) {
    const known = windows.get(key);
    const window = known && known.endsAtMs > now() ? known : { used: 0, endsAtMs: now() + windowMs };
    windows.set(key, window);
    const isAllowed = window.used < limit;
    if (isAllowed) window.used += 1;
    return {
      isAllowed,
      left: limit - window.used,
      resetSeconds: Math.max(0, window.endsAtMs - now()) / 1_000,
    };
  }

  return {
    change(next: LimitOptions): void {
      options = next;
      windows.clear();
    },
    take(appId: string, bucket: string, major: string, isInteraction: boolean): Taken {
      const { postsPerWindow = 5, windowMs = 5_000, globalPerSecond = 50 } = options;
      if (!isInteraction) {
        const whole = use(`global ${appId}`, globalPerSecond, 1_000);
        if (!whole.isAllowed)
          return {
            ok: false,
            global: true,
            retryAfterSeconds: whole.resetSeconds,
            headers: { 'x-ratelimit-global': 'true', 'x-ratelimit-scope': 'global' },
          };
      }
      const route = use(`${bucket} ${appId} ${major}`, postsPerWindow, windowMs);
      const headers = {
        'x-ratelimit-bucket': bucket.replaceAll(/\W/g, ''),
        'x-ratelimit-limit': String(postsPerWindow),
        'x-ratelimit-remaining': String(route.left),
        'x-ratelimit-reset-after': route.resetSeconds.toFixed(3),
        'x-ratelimit-reset': ((now() + route.resetSeconds * 1_000) / 1_000).toFixed(3),
      };
      if (route.isAllowed) return { ok: true, headers };
      return {
        ok: false,
        global: false,
        retryAfterSeconds: route.resetSeconds,
        headers: { ...headers, 'x-ratelimit-scope': 'user' },
      };
    },
  };
}
