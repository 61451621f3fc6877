/** How often a method may be called, by Slack's tiers (https://docs.slack.dev/apis/web-api/rate-limits). */
export type Tier = 1 | 2 | 3 | 4;

export type LimitOptions = {
  /** `chat.postMessage`, for each channel. */
  postsPerSecond?: number;
  /** How many posts may come at once after a pause. */
  postBurst?: number;
  /** Calls a minute for each method, workspace and app. */
  perMinute?: Partial<Record<Tier, number>>;
  /** The same for a method of its own, in place of its tier. */
  methodsPerMinute?: Readonly<Record<string, number>>;
};

/** What Slack promises to allow at least. */
export const documentedPerMinute = { 1: 1, 2: 20, 3: 50, 4: 100 } as const satisfies Record<Tier, number>;
/** Slack lets bursts above that pass. */
const usualPerMinute = { 1: 20, 2: 60, 3: 150, 4: 300 } as const satisfies Record<Tier, number>;

export type Limits = ReturnType<typeof createLimits>;

export function createLimits(initial: LimitOptions, now: () => number) {
  let options = initial;
  const buckets = new Map<string, { left: number; atMs: number }>();

  /** Takes one from a bucket that fills at a steady rate; answers the seconds to wait when it is empty. */
  function take(key: string, perSecond: number, burst: number): number | undefined {
    const { left, atMs } = buckets.get(key) ?? { left: burst, atMs: now() };
    const filled = Math.min(burst, left + ((now() - atMs) / 1_000) * perSecond);
    const isAllowed = filled >= 1;
    buckets.set(key, { left: isAllowed ? filled - 1 : filled, atMs: now() });
    return isAllowed ? undefined : Math.max(1, Math.ceil((1 - filled) / perSecond));
  }

  return {
    /** Replaces the limits, and forgets what was used of the old ones. */
    change(next: LimitOptions): void {
      options = next;
      buckets.clear();
    },

    /** Seconds to wait before this post into a channel; `undefined`: none. */
    post(appId: string, teamId: string, channelId: string): number | undefined {
      const { postsPerSecond = 1, postBurst = 3 } = options;
      return take(`post ${appId} ${teamId} ${channelId}`, postsPerSecond, postBurst);
    },

    /** Seconds to wait before this call; `undefined`: none. */
    call(method: string, tier: Tier, appId: string, teamId: string): number | undefined {
      const perMinute =
        options.methodsPerMinute?.[method] ?? options.perMinute?.[tier] ?? usualPerMinute[tier];
      return take(`call ${method} ${appId} ${teamId}`, perMinute / 60, perMinute);
    },
  };
}
