import { randomUUID } from 'node:crypto';
import { type Delivery, deliver } from './deliver.ts';
import type { Signing, TokenTwist } from './signing.ts';
import type { App, Conversation, World } from './world.ts';

export type Place = {
  tenant: string;
  /** Who acts; `29:…`. */
  user?: string;
  /** A group or a channel, with the thread behind `;messageid=`; the chat of user and bot when absent. */
  conversation?: string;
};

export type Said = Place & {
  text: string;
  /** Whether the bot is named; a personal chat needs none. */
  mention?: boolean;
  /** As often is it delivered, as Teams does when an answer was late. */
  repeat?: number;
  /** Sent as of this id. */
  id?: string;
  more?: Readonly<Record<string, unknown>>;
};

export type PeopleParts = {
  world: World;
  signing: Signing;
  serviceUrlOf: (tenant: string) => string;
  now: () => number;
};

/** What people do in Teams, as their bots are told of it. Each resolves when the bot has answered. */
export function createPeople({ world, signing, serviceUrlOf, now }: PeopleParts) {
  const appOf = (appId: string): App => {
    const app = world.apps.get(appId);
    if (!app) throw new Error(`There is no bot ${appId}.`);
    return app;
  };

  const placeOf = (appId: string, { tenant, user = '29:somebody', conversation }: Place) => {
    const found =
      conversation === undefined
        ? world.direct(appId, tenant, user)
        : world.conversations.get(conversation.split(';')[0] ?? '');
    if (!found) throw new Error(`There is no conversation ${conversation}.`);
    return { found, user, address: conversation ?? found.id };
  };

  const tell = async (appId: string, activity: Readonly<Record<string, unknown>>, twist?: TokenTwist) => {
    const token = await signing.mint(appId, String(activity['serviceUrl']), twist);
    return deliver(appOf(appId), activity, { authorization: `Bearer ${token}` });
  };

  const envelope = (appId: string, found: Conversation, address: string, user: string) => ({
    ...{
      channelId: 'msteams',
      serviceUrl: serviceUrlOf(found.tenant),
      timestamp: new Date(now()).toISOString(),
    },
    from: { id: user, name: `Name of ${user}`, aadObjectId: aadIdOf(user) },
    recipient: { id: `28:${appId}`, name: appOf(appId).name },
    conversation: {
      ...{ id: address, conversationType: found.scope, tenantId: found.tenant },
      ...(found.scope !== 'personal' && { isGroup: true }),
    },
    channelData: {
      tenant: { id: found.tenant },
      ...(found.team && { team: { id: found.team }, channel: { id: found.id } }),
    },
  });

  return {
    tell,

    /** Any activity, with everything around it that Teams adds. */
    activity(appId: string, place: Place, more: Readonly<Record<string, unknown>>): Record<string, unknown> {
      const { found, user, address } = placeOf(appId, place);
      return { ...envelope(appId, found, address, user), ...more };
    },

    async say(appId: string, { text, mention = false, repeat = 1, more = {}, ...given }: Said) {
      const { found, user, address } = placeOf(appId, given);
      const id = given.id ?? world.nextId();
      const isRoot = found.scope === 'channel' && !address.includes(';');
      const at = isRoot ? `${address};messageid=${id}` : address;
      const name = appOf(appId).name;
      const written = escapeText(text);
      const activity = {
        ...envelope(appId, found, at, user),
        ...{ type: 'message', id, textFormat: 'plain' },
        text: mention ? `<at>${name}</at> ${written}` : written,
        entities: mention
          ? [{ type: 'mention', mentioned: { id: `28:${appId}`, name }, text: `<at>${name}</at>` }]
          : [],
        ...more,
      };
      const deliveries: Delivery[] = [];
      for (let times = 0; times < repeat; times++) deliveries.push(await tell(appId, activity));
      return { id, conversation: at, deliveries };
    },

    edit(appId: string, place: Place, id: string, text: string) {
      const { found, user, address } = placeOf(appId, place);
      const channelData = { ...envelope(appId, found, address, user).channelData, eventType: 'editMessage' };
      const more = { type: 'messageUpdate', id, text: escapeText(text), channelData };
      return tell(appId, { ...envelope(appId, found, address, user), ...more });
    },

    remove(appId: string, place: Place, id: string) {
      const { found, user, address } = placeOf(appId, place);
      const channelData = {
        ...envelope(appId, found, address, user).channelData,
        eventType: 'softDeleteMessage',
      };
      return tell(appId, {
        ...envelope(appId, found, address, user),
        type: 'messageDelete',
        id,
        channelData,
      });
    },

    react(appId: string, place: Place, to: string, type: string, added = true) {
      const { found, user, address } = placeOf(appId, place);
      const list = added ? 'reactionsAdded' : 'reactionsRemoved';
      const more = { type: 'messageReaction', id: to, replyToId: to, [list]: [{ type }] };
      return tell(appId, { ...envelope(appId, found, address, user), ...more });
    },

    /** Something that Teams waits for the answer of. It is told again, as often as `repeat` says, under the same id. */
    async invoke(
      appId: string,
      place: Place,
      name: string,
      value: Readonly<Record<string, unknown>>,
      replyToId?: string,
      repeat = 1,
    ) {
      const { found, user, address } = placeOf(appId, place);
      const more = { type: 'invoke', id: `f:${randomUUID()}`, name, value, ...(replyToId && { replyToId }) };
      const activity = { ...envelope(appId, found, address, user), ...more };
      for (let times = 1; times < repeat; times++) await tell(appId, activity);
      return tell(appId, activity);
    },

    /** A bot comes to a person, a group or a team, or goes. */
    install(appId: string, place: Place, action: 'add' | 'remove' = 'add') {
      const { found, user, address } = placeOf(appId, place);
      if (action === 'add') {
        found.apps.add(appId);
        found.blockedApps.delete(appId);
      } else {
        found.apps.delete(appId);
        found.blockedApps.add(appId);
      }
      const more = { type: 'installationUpdate', id: `f:${randomUUID()}`, action };
      return tell(appId, { ...envelope(appId, found, address, user), ...more });
    },
  };
}

/** What people write is escaped as HTML is. */
function escapeText(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

function aadIdOf(user: string): string {
  const hex = Buffer.from(user).toString('hex').padEnd(32, '0').slice(0, 32);
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}
