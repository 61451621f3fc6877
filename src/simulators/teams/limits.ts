import { Refusal } from './refusal.ts';

export type LimitOptions = {
  /** Of a bot in one conversation, per seconds: Teams' own when absent. */
  perThread?: readonly { count: number; seconds: number }[];
  /** Of a bot in one tenant, in a second. */
  perTenantPerSecond?: number;
};

/** @see https://learn.microsoft.com/microsoftteams/platform/bots/how-to/rate-limit */
const perThreadOfTeams = [
  { count: 7, seconds: 1 },
  { count: 8, seconds: 2 },
  { count: 60, seconds: 30 },
  { count: 1_800, seconds: 3_600 },
];

/** Counts calls as Teams does, and refuses those that are too many with 429. */
export function createLimits(
  { perThread = perThreadOfTeams, perTenantPerSecond = 50 }: LimitOptions,
  now: () => number,
) {
  const times = new Map<string, number[]>();

  const take = (key: string, windows: readonly { count: number; seconds: number }[]): void => {
    const longestMs = Math.max(...windows.map(({ seconds }) => seconds)) * 1_000;
    const recent = (times.get(key) ?? []).filter((at) => at > now() - longestMs);
    for (const { count, seconds } of windows) {
      const within = recent.filter((at) => at > now() - seconds * 1_000);
      if (within.length >= count) throw new Refusal(429, 'TooManyRequests', { 'retry-after': '1' });
    }
    recent.push(now());
    times.set(key, recent);
  };

  return {
    count(appId: string, tenant: string, conversationId: string): void {
      take(`${appId}/${conversationId}`, perThread);
      take(`${appId}/${tenant}`, [{ count: perTenantPerSecond, seconds: 1 }]);
    },
  };
}
