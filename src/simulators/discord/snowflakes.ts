const epochMs = 1_420_070_400_000;

/** Ids as Discord makes them: milliseconds since 2015, and a counter; each larger than the one before. */
export function createSnowflakes(now: () => number): () => string {
  let last = 0n;
  return () => {
    const made = BigInt(now() - epochMs) << 22n;
    last = made > last ? made : last + 1n;
    return String(last);
  };
}
