import type { MessageStatus } from './messages.ts';

export type StatusStep = {
  status: MessageStatus;
  /** With `failed` or `undelivered`: why, such as 30003 (unreachable handset). */
  errorCode?: number;
  /** Waits before it is told. */
  delayMs?: number;
};

export type StatusPlan = {
  /** What is told of each message, one after the other: any order, repeated, or nothing at all. */
  steps: readonly (MessageStatus | StatusStep)[];
  /** Tells all of it before the call that makes the message is answered. */
  beforeAnswer?: boolean;
  /** How many messages it is for; all from now on when absent. */
  times?: number;
};

export type ChosenPlan = { onCreation: StatusStep[]; afterwards: StatusStep[]; beforeAnswer: boolean };

/** Plans which status callbacks a message is to have. */
export function createStatusPlans() {
  let lasting: StatusPlan = { steps: ['queued', 'sent', 'delivered'] };
  let passing: (StatusPlan & { left: number })[] = [];

  return {
    plan(plan: StatusPlan): void {
      if (plan.times === undefined) lasting = plan;
      else passing.push({ ...plan, left: plan.times });
    },
    next(): ChosenPlan {
      const [first] = passing;
      if (first) first.left--;
      passing = passing.filter(({ left }) => left > 0);
      const { steps, beforeAnswer = false } = first ?? lasting;
      const described = steps.map((step) => (typeof step === 'string' ? { status: step } : step));
      const early = described.findIndex(({ status }) => status !== 'accepted' && status !== 'queued');
      const split = early === -1 ? described.length : early;
      return { onCreation: described.slice(0, split), afterwards: described.slice(split), beforeAnswer };
    },
  };
}

export type StatusPlans = ReturnType<typeof createStatusPlans>;

export function isFailure({ status }: StatusStep): boolean {
  return status === 'failed' || status === 'undelivered';
}
