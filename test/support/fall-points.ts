import type { Agent } from '#agents/agent.ts';
import type { WakeQueue } from '#queue/job.ts';
import type { HotPathFunction, Scopes } from '#tenancy/scopes.ts';
import { type TwoStepPoint, twoStepAgent } from '../fakes/two-step-agent.ts';
import type { Diary } from './diary.ts';

/** Around a call to the database. `before`: it has not been asked. `after`: it has committed, nobody knows yet. */
const callPoints = {
  'after-receive-commit': { side: 'after', call: 'swarmgate.receive_messages_v4' },
  'before-step-commit': { side: 'before', call: 'swarmgate.commit_step_v1' },
  'before-stream-part': { side: 'before', call: 'swarmgate.keep_stream_part_v2' },
  'after-stream-part': { side: 'after', call: 'swarmgate.keep_stream_part_v2' },
  'before-turn-commit': { side: 'before', call: 'swarmgate.commit_turns_v1' },
  'after-turn-commit': { side: 'after', call: 'swarmgate.commit_turns_v1' },
  // The platform has taken a part of the message.
  'before-delivery-part': { side: 'before', call: 'swarmgate.keep_delivery_part_v1' },
  // The platform has taken the message.
  'mid-delivery': { side: 'before', call: 'swarmgate.record_deliveries_v1' },
  // A tenant's receiver has taken a webhook.
  'mid-webhook': { side: 'before', call: 'swarmgate.record_webhook_v1' },
  // Some rows of a tenant that is deleted are gone.
  'mid-tenant-deletion': { side: 'after', call: 'swarmgate.delete_tenant_rows_v1' },
} as const satisfies Record<string, { side: 'before' | 'after'; call: HotPathFunction }>;

type CallPoint = keyof typeof callPoints;

/** Where on the journey of a message a process may fall. `before-wake`: acknowledged, and no wake-up added. */
export type FallPoint = CallPoint | TwoStepPoint | 'before-wake';

/** How: killed, or frozen until it gets SIGCONT. */
export type Fall = { at: FallPoint; signal: 'SIGKILL' | 'SIGSTOP' };

export const fellNote = 'fell';

/** Time for the acknowledgement to reach its sender. */
const acknowledgedMs = 100;

/** Makes this process fall at its point, once: whoever shares the diary with one that fell already goes on. */
export function fallAt(fall: Fall | undefined, diary: Diary) {
  const reach = (point: FallPoint) => {
    if (point !== fall?.at || diary.count(fellNote) > 0) return;
    diary.note(fellNote);
    process.kill(process.pid, fall.signal);
    // The signal may meet another thread first; this one does nothing more until then.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 100);
  };
  const { side, call } = callPoints[fall?.at as CallPoint] ?? {};

  return {
    agent: (speakingMs?: number) => (): Agent => twoStepAgent(diary.note, reach, speakingMs),
    wrapScopes: (scopes: Scopes): Scopes => ({
      ...scopes,
      async call<Row extends object>(name: HotPathFunction, parameters: readonly unknown[]) {
        if (name === call && side === 'before' && fall) reach(fall.at);
        const rows = await scopes.call<Row>(name, parameters);
        if (name === call && side === 'after' && fall) reach(fall.at);
        return rows;
      },
    }),
    wrapQueue: (queue: WakeQueue): WakeQueue => ({
      ...queue,
      async wake(wakeUp) {
        if (fall?.at !== 'before-wake' || wakeUp.kind !== 'turn' || diary.count(fellNote) > 0)
          return queue.wake(wakeUp);
        setTimeout(reach, acknowledgedMs, 'before-wake');
        return false;
      },
    }),
  };
}
