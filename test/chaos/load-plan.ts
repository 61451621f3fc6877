import type { Random } from './random.ts';

/**
 * A tenant in Slack whose agent repeats what it hears, one with a model that takes its time, one with an app of its own
 * over Socket Mode, and one with a web chat.
 */
export type TenantKind = 'echo' | 'model' | 'socket' | 'web';
export const tenantKinds = ['echo', 'model', 'socket', 'web'] as const satisfies readonly TenantKind[];

/** Something that a person says. */
export type PlannedMessage = {
  atMs: number;
  tenant: TenantKind;
  /** A person's direct messages, or a thread; the same number in two tenants is not the same place. */
  conversation: number;
  place: 'direct' | 'thread';
  /** Longer than a post may be: the answer has several parts. */
  isLong: boolean;
  /** How the platform tells of it. */
  manner: { repeat?: number; newEventIds?: boolean; reorder?: boolean };
};

export type LoadPlanOptions = { withinMs: number; conversations: number; messages: number };

/** What is said in a run, in order. `conversations` and `messages` (in each of them) are for one tenant. */
export function planLoad(random: Random, options: LoadPlanOptions): PlannedMessage[] {
  const planned: PlannedMessage[] = [];
  for (const tenant of tenantKinds)
    for (let conversation = 0; conversation < options.conversations; conversation++) {
      const place = random.pick(['direct', 'thread'] as const);
      for (let number = 0; number < options.messages; number++)
        planned.push({
          ...{ tenant, conversation, place },
          atMs: random.between(0, options.withinMs),
          isLong: random.chance(0.08),
          manner: mannerOf(random),
        });
    }
  return planned.sort((a, b) => a.atMs - b.atMs);
}

function mannerOf(random: Random): PlannedMessage['manner'] {
  const isRepeated = random.chance(0.2);
  return {
    ...(isRepeated && { repeat: random.between(2, 3), newEventIds: random.chance(0.5) }),
    ...(random.chance(0.2) && { reorder: true }),
  };
}
