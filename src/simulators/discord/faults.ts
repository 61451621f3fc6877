export type Fault = {
  /** `drop`: nothing is done, no answer; `answer_lost`: it is done, and there is no answer; `slow`: it is done late. */
  kind: 'status' | 'drop' | 'answer_lost' | 'slow';
  /** With `status`. */
  status?: number;
  code?: number;
  delayMs?: number;
  /** So many calls go well before it; none when absent. */
  skip?: number;
  /** How many calls; 1 when absent. */
  times?: number;
  /** Such a call has come in; its answer may still take a while. */
  onBegun?: () => void;
};

export type Faults = ReturnType<typeof createFaults>;

/** What goes wrong with the next calls, by method and form of the path, in the order in which it was ordered. */
export function createFaults() {
  const ordered: { method: string; path: RegExp; fault: Fault; skip: number; left: number }[] = [];
  return {
    fail(method: string, path: RegExp, fault: Fault): void {
      ordered.push({ method, path, fault, skip: fault.skip ?? 0, left: fault.times ?? 1 });
    },
    next(method: string, path: string): Fault | undefined {
      const found = ordered.find((one) => one.left > 0 && one.method === method && one.path.test(path));
      if (!found) return undefined;
      if (found.skip > 0) {
        found.skip -= 1;
        return undefined;
      }
      found.left -= 1;
      found.fault.onBegun?.();
      return found.fault;
    },
    clear(): void {
      ordered.length = 0;
    },
  };
}
