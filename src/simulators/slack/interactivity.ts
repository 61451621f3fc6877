import { randomBytes, randomInt } from 'node:crypto';
import { SlackRefusal } from './refusal.ts';

/** What a person's click gives an app for a while: the right to open a view and an address to answer to. */

/** What a trigger or an address of answers was made for. */
export type Occasion = {
  appId: string;
  teamId: string;
  user: string;
  channel: string | undefined;
  /** The message that was clicked in. */
  ts: string | undefined;
  threadTs: string | undefined;
  isEphemeral: boolean;
};

export type Interactivity = ReturnType<typeof createInteractivity>;

const triggerLifetimeMs = 3_000;
const responseLifetimeMs = 30 * 60_000;
const responsesMax = 5;

export function createInteractivity(now: () => number) {
  const triggers = new Map<string, { occasion: Occasion; atMs: number; isUsed: boolean }>();
  const responses = new Map<string, { occasion: Occasion; atMs: number; uses: number }>();
  return {
    newTrigger(occasion: Occasion): string {
      const id = `${randomInt(1e12)}.${randomInt(1e12)}.${randomBytes(16).toString('hex')}`;
      triggers.set(id, { occasion, atMs: now(), isUsed: false });
      return id;
    },

    /** @throws {SlackRefusal} when it is not the app's, too old, or used */
    useTrigger(id: string, appId: string): Occasion {
      const trigger = triggers.get(id);
      if (!trigger || trigger.occasion.appId !== appId) throw new SlackRefusal('invalid_trigger_id');
      if (trigger.isUsed) throw new SlackRefusal('exchanged_trigger_id');
      if (now() - trigger.atMs > triggerLifetimeMs) throw new SlackRefusal('expired_trigger_id');
      trigger.isUsed = true;
      return trigger.occasion;
    },

    newResponse(occasion: Occasion): string {
      const id = randomBytes(12).toString('hex');
      responses.set(id, { occasion, atMs: now(), uses: 0 });
      return id;
    },

    /** @throws {SlackRefusal} after thirty minutes or five uses */
    useResponse(id: string): Occasion {
      const response = responses.get(id);
      if (!response || now() - response.atMs > responseLifetimeMs) throw new SlackRefusal('expired_url');
      if (response.uses >= responsesMax) throw new SlackRefusal('used_url');
      response.uses += 1;
      return response.occasion;
    },
  };
}
