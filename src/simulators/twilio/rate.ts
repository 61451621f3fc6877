/** Counts calls of accounts over the last second; `maxOf` says how many one may make. */
export function createRate(maxOf: (accountSid: string) => number): (accountSid: string) => boolean {
  const recent = new Map<string, number[]>();
  return (accountSid) => {
    const nowMs = performance.now();
    const calls = (recent.get(accountSid) ?? []).filter((at) => at > nowMs - 1_000);
    const isWithin = calls.length < maxOf(accountSid);
    if (isWithin) calls.push(nowMs);
    recent.set(accountSid, calls);
    return isWithin;
  };
}
