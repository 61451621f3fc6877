/** Where a session of the gateway stands: enough for any process to go on with it. */
export type SessionState = {
  sessionId: string;
  resumeUrl: string;
  shardCount: number;
  /** Of the plan of shards that it began under. */
  generation: number;
  /** Everything up to here has been kept, or was nothing to keep. */
  sequence: number;
  botUser: string;
  /** When everything that had come was kept: what was said later may be missing where the session is lost. */
  aliveAtMs: number;
  /** The session began after another one was lost: what was said in between has to be looked up. */
  gap?: { sinceMs: number; untilMs: number };
};

/** What Discord tells of a session that has begun. */
export type DiscordSession = Omit<SessionState, 'aliveAtMs' | 'generation'>;

/** Reads what was kept; `undefined`: nothing that can be used. */
export function readSessionState(kept: object | undefined): SessionState | undefined {
  const { sessionId, resumeUrl, shardCount, generation, sequence, botUser, aliveAtMs, gap } = (kept ??
    {}) as Partial<SessionState>;
  const isUsable =
    typeof sessionId === 'string' &&
    typeof resumeUrl === 'string' &&
    isSocketUrl(resumeUrl) &&
    typeof shardCount === 'number' &&
    typeof generation === 'number' &&
    typeof sequence === 'number' &&
    typeof botUser === 'string' &&
    typeof aliveAtMs === 'number';
  if (!isUsable) return undefined;
  return {
    ...{ sessionId, resumeUrl, shardCount, generation, sequence, botUser, aliveAtMs },
    ...(gap && { gap }),
  };
}

/** An address that the SDK can open; it would end the process over another one. */
export function isSocketUrl(url: string): boolean {
  return URL.canParse(url) && ['ws:', 'wss:'].includes(new URL(url).protocol);
}

/** More than can be in flight, so that whatever comes again is known. */
const begunMax = 20_000;

/**
 * Follows the events of a session, which are kept at the same time and out of order: everything up to `sequence` is done.
 * What is not can be asked for again by resuming there; what comes again with it and is in flight, or done, is known.
 */
export function createSequenceTracker(start: number) {
  let sequence = start;
  let highest = start;
  let floor = start;
  /** The latest that were begun. The SDK may tell of READY after what came behind it. */
  const begun = new Set<number>();
  /** In flight, or left out. */
  const open = new Set<number>();
  const leftOut = new Set<number>();

  const settle = () => {
    while (sequence < highest && !open.has(sequence + 1)) sequence += 1;
  };
  return {
    get sequence() {
      return sequence;
    },
    get outstanding() {
      return open.size;
    },
    /** False: it is in flight or done, and has only come again. */
    begin(number: number): boolean {
      if ((number <= floor || begun.has(number)) && !leftOut.delete(number)) return false;
      begun.add(number);
      for (const oldest of begun) {
        if (begun.size <= begunMax) break;
        begun.delete(oldest);
        floor = Math.max(floor, oldest);
      }
      open.add(number);
      highest = Math.max(highest, number);
      settle();
      return true;
    },
    done(number: number): void {
      open.delete(number);
      settle();
    },
    /** It is begun when it comes again. Until then the place stays before it. */
    leave(number: number): void {
      leftOut.add(number);
    },
    /** Another session, or somebody else has gone on with it in between: what was open does not count any more. */
    reset(to: number): void {
      open.clear();
      leftOut.clear();
      begun.clear();
      floor = to;
      highest = to;
      sequence = to;
    },
  };
}
