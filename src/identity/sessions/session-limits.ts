const minuteMs = 60_000;
const hourMs = 60 * minuteMs;

/** A session that nobody uses for so long has ended. */
export const sessionIdleMs = 12 * hourMs;
/** Every session ends after so long, whatever is done with it. */
export const sessionLifetimeMs = 7 * 24 * hourMs;
/** For so long after a factor was shown one need not show it again for what is dear: another factor, a new password. */
export const freshnessMs = 10 * minuteMs;
