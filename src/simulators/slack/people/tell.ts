import { setTimeout as delay } from 'node:timers/promises';
import type { Deliverer, Delivery } from '../deliver.ts';
import { newSlackId } from '../identifiers.ts';
import type { App } from '../installations.ts';
import { type Json, textOf } from '../json.ts';
import type { Actor, Stage } from '../stage.ts';
import { type Channel, isMember } from '../world.ts';
import { envelopeOf } from './event-envelope.ts';

/** How an event reaches the apps: Slack is not always at its best. */
export type Manner = {
  /** Only this app hears of it; all that are there when absent. */
  app?: string;
  /** Tells everything this many times. */
  repeat?: number;
  /** Repetitions come under event ids of their own. */
  newEventIds?: boolean;
  /** The last event first, each after the one before. */
  reorder?: boolean;
  /** How long it takes until the app hears of it. */
  delayMs?: number;
};

export type Teller = ReturnType<typeof createTeller>;

export type Told = { event: Json; fromTeamId?: string; isShared?: boolean };

export function createTeller(stage: Stage, deliver: Deliverer) {
  return {
    /** The apps that hear what happens in a channel: those whose bot is a member. */
    listeners(channel: Channel, only?: string): Actor[] {
      return stage.installations
        .inTeam(channel.teamId)
        .filter((one) => (only === undefined || one.appId === only) && isMember(channel, one.botUserId))
        .map((installation) => ({ installation, teamId: channel.teamId }));
    },

    /** An app in a workspace. @throws {RangeError} when it is not installed there */
    actor(teamId: string, appId?: string): Actor {
      const installed = stage.installations
        .inTeam(teamId)
        .filter((one) => appId === undefined || one.appId === appId);
      const [installation] = installed;
      if (!installation) throw new RangeError(`There is no such app in ${teamId}.`);
      if (installed.length > 1) throw new RangeError(`There are several apps in ${teamId}: say which.`);
      return { installation, teamId };
    },

    /**
     * Tells one app of several events at the same time, as Slack tells of a message and of its mention. An app that has
     * no way to hear of events is told nothing.
     */
    async tell(actor: Actor, told: readonly Told[], manner: Manner = {}): Promise<Delivery[]> {
      const app = stage.installations.app(actor.installation.appId);
      if (app.eventsUrl === undefined && app.appToken === undefined) return [];
      const wanted = told.filter(({ event }) => isSubscribed(app, event));
      const { repeat = 1, newEventIds = false, reorder = false, delayMs } = manner;
      if (delayMs !== undefined) await delay(delayMs);
      const payloads = wanted.flatMap(({ event, ...options }) => {
        const eventId = newSlackId('Ev');
        return Array.from({ length: repeat }, () =>
          envelopeOf(stage, app, actor, event, {
            ...options,
            eventId: newEventIds ? newSlackId('Ev') : eventId,
          }),
        );
      });
      if (!reorder) return (await Promise.all(payloads.map((payload) => deliver.event(app, payload)))).flat();
      const deliveries: Delivery[] = [];
      for (const payload of payloads.reverse()) deliveries.push(...(await deliver.event(app, payload)));
      return deliveries;
    },
  };
}

const messageKinds: Readonly<Record<string, string>> = {
  channel: 'message.channels',
  group: 'message.groups',
  im: 'message.im',
  mpim: 'message.mpim',
};

function isSubscribed({ events }: App, event: Json): boolean {
  const type = textOf(event['type']);
  const name = type === 'message' ? messageKinds[textOf(event['channel_type'])] : type;
  return events === undefined || (name !== undefined && events.includes(name));
}
