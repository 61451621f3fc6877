import { setTimeout as pause } from 'node:timers/promises';
import type { Call } from './judge.ts';
import { Refusal } from './refusal.ts';

type Asked = Pick<Call, 'method' | 'path' | 'appId' | 'conversationId' | 'activity'>;

/** Something that goes wrong at the connector. */
export type Fault = {
  /** `answer_lost`: it is done, and nobody hears of it; `slow`: it is done late; otherwise the status of the answer. */
  kind: 'answer_lost' | 'status' | 'slow';
  /** With `slow`. */
  delayMs?: number;
  status?: number;
  code?: string;
  retryAfterSeconds?: number;
  times?: number;
  where?: (call: Asked) => boolean;
};

/** Planned faults, each for as many calls as it says. */
export function createFaults() {
  const planned: (Fault & { left: number })[] = [];
  return {
    plan(fault: Fault): void {
      planned.push({ ...fault, left: fault.times ?? 1 });
    },
    clear(): void {
      planned.length = 0;
    },
    /** Throws what goes wrong, after its time; true: the answer is to be lost. */
    async meet(call: Asked): Promise<boolean> {
      const fault = planned.find(({ left, where = () => true }) => left > 0 && where(call));
      if (!fault) return false;
      fault.left -= 1;
      if (fault.kind === 'answer_lost') return true;
      if (fault.kind === 'slow') {
        await pause(fault.delayMs);
        return false;
      }
      throw new Refusal(fault.status ?? 500, fault.code ?? 'ServiceError', {
        ...(fault.retryAfterSeconds !== undefined && { 'retry-after': String(fault.retryAfterSeconds) }),
      });
    },
  };
}
