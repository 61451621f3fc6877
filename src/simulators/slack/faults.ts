import type { Json } from './json.ts';

export type Fault = {
  /**
   * `drop` closes the connection before anything is done; `answer_lost` does what was asked and closes it without an
   * answer; `slow` does it late.
   */
  kind: 'rate_limit' | 'ok_false' | 'http_500' | 'drop' | 'answer_lost' | 'slow';
  /** How many calls; 1 when absent. */
  times?: number;
  /** 1 when absent. */
  retryAfterSeconds?: number;
  /** `internal_error` when absent. */
  error?: string;
  /** Before anything is done. */
  delayMs?: number;
  /** Which calls; all when absent. */
  where?: (call: { teamId: string | undefined; arguments: Json }) => boolean;
};

export type Faults = ReturnType<typeof createFaults>;

/** What goes wrong with the next calls of a method, in the order in which it was ordered. */
export function createFaults() {
  const ordered: { method: string; fault: Fault; left: number }[] = [];
  return {
    fail(method: string, fault: Fault): void {
      ordered.push({ method, fault, left: fault.times ?? 1 });
    },

    /** The fault of this call, which is then used up; `undefined`: none. */
    next(method: string, call: { teamId: string | undefined; arguments: Json }): Fault | undefined {
      const found = ordered.find(
        (one) => one.method === method && one.left > 0 && (one.fault.where?.(call) ?? true),
      );
      if (!found) return undefined;
      found.left -= 1;
      return found.fault;
    },

    clear(): void {
      ordered.length = 0;
    },
  };
}
