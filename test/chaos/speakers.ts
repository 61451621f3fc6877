import { fillMark, firstMark, lastMark, type SaidMessage } from './evidence.ts';
import type { PlannedMessage } from './load-plan.ts';
import type { Conversation, RunTenant } from './run-tenant.ts';

/** Longer than a post of Slack's; a page may not say so much at once. */
const fillingsLong = 800;
const fillingsLongOnPage = 300;

export type Speakers = ReturnType<typeof createSpeakers>;

type Place = Pick<PlannedMessage, 'tenant' | 'conversation' | 'place'>;

/** The people of a run, and all that they have said. */
export function createSpeakers(seed: number, tenants: readonly RunTenant[]) {
  const said: SaidMessage[] = [];
  const telling = new Set<Promise<void>>();
  const conversations = new Map<string, Promise<Conversation>>();
  let count = 0;

  const tenantOf = ({ tenant }: Place): RunTenant => {
    const found = tenants.find(({ kind }) => kind === tenant);
    if (!found) throw new RangeError(`There is no tenant ${tenant}.`);
    return found;
  };
  const keyOf = ({ tenant, conversation }: Place) => `${tenant}/${conversation}`;

  return {
    said,

    /** Opens the conversations, while nothing is wrong yet. */
    async meet(places: readonly Place[]): Promise<void> {
      for (const at of places)
        if (!conversations.has(keyOf(at)))
          conversations.set(keyOf(at), tenantOf(at).open(`${seed}N${at.conversation}`, at.place));
      await Promise.all(conversations.values());
    },

    /** Says it now. Whether it was taken is known later, when those who tell of it have stopped. */
    async say(message: Place & Partial<PlannedMessage>): Promise<SaidMessage> {
      const tenant = tenantOf(message);
      const conversation = await conversations.get(keyOf(message));
      if (!conversation) throw new RangeError(`Nobody has met in ${keyOf(message)}.`);
      const id = `s${seed}m${String(++count).padStart(3, '0')}`;
      const long = tenant.kind === 'web' ? fillingsLongOnPage : fillingsLong;
      const fillings = message.isLong ? long : 2;
      const text = [firstMark(id), ...Array.from({ length: fillings }, () => fillMark(id)), lastMark(id)];
      const entry: SaidMessage = {
        ...{ id, fillings, tenantSlug: tenant.slug, channel: conversation.channel, isAccepted: false },
        ...{ saidAtMs: performance.now(), toldAtMs: Number.POSITIVE_INFINITY },
      };
      said.push(entry);
      const told = conversation
        .say(text.join(' '), message.manner ?? {})
        .then((isTaken) => {
          entry.isAccepted = isTaken;
          entry.toldAtMs = performance.now();
        })
        .finally(() => telling.delete(told));
      telling.add(told);
      return entry;
    },

    /** Resolves when nobody tells of anything any more. */
    async silent(): Promise<void> {
      while (telling.size > 0) await Promise.all(telling);
    },
  };
}
