/** What an API call is about. */
export type Operation = 'create' | 'list' | 'fetch' | 'media' | 'account';

export type FaultKind = 'rate_limit' | 'http_500' | 'drop' | 'answer_lost' | 'slow' | 'error';

/** Something that goes wrong with the next `times` calls. */
export type Fault = {
  /**
   * `rate_limit`: 429 with code 20429. `http_500`: nothing was done. `error`: `status` and `code`, nothing was done.
   * `drop`: the connection ends before anything was done. `answer_lost`: it is done, and then the connection ends.
   * `slow`: it is done at once and answered after `delayMs`.
   */
  kind: FaultKind;
  /** 1 when absent. */
  times?: number;
  /** Which calls; `create` when absent. */
  on?: Operation | 'any';
  /** Only calls of this account; any when absent. */
  accountSid?: string;
  status?: number;
  code?: number;
  /** With any answer that says no: the Retry-After header. */
  retryAfterSeconds?: number;
  /** 1,000 when absent. */
  delayMs?: number;
};

export type Faults = ReturnType<typeof createFaults>;

/** Faults in the order in which they were asked for. */
export function createFaults() {
  let waiting: (Fault & { left: number })[] = [];
  return {
    plan(fault: Fault): void {
      waiting.push({ ...fault, left: fault.times ?? 1 });
    },
    /** The fault that befalls this call, which uses it up once. */
    take(operation: Operation, accountSid: string): Fault | undefined {
      const fault = waiting.find(
        ({ on = 'create', accountSid: only }) =>
          (on === 'any' || on === operation) && (only === undefined || only === accountSid),
      );
      if (!fault) return undefined;
      fault.left--;
      waiting = waiting.filter(({ left }) => left > 0);
      return fault;
    },
    clear: () => {
      waiting = [];
    },
  };
}
