import { createHash } from 'node:crypto';
import { AppError } from '#domain/errors.ts';
import type { Logger } from '#kernel/logger.ts';
import type { OpenChannel, WebhookGateway } from '../../gateway.ts';
import { GatewayError } from '../../gateway-error.ts';
import type { Handled, ReceiveWebhook } from '../../receive-webhook.ts';
import { type DiscordApp, forDirect } from '../channel.ts';
import type { DirectDesk, DirectFound } from '../direct/direct-desk.ts';
import { createMenuTurns } from '../direct/menu-turns.ts';
import type { Sightings } from '../direct/sightings.ts';
import type { ChannelFacts } from '../inbound/channel-facts.ts';
import { isAddressed } from '../inbound/inbound-text.ts';
import { isFromBot } from '../inbound/parse-message.ts';
import { type Fields, fieldsOf, idOf, tokenOf } from '../inbound/payload.ts';
import { type SocketEvent, writeSocketEvent, writeSocketInteraction } from '../inbound/socket-event.ts';
import type { DiscordApi } from '../outbound/api.ts';
import { madeAtMs } from '../places.ts';

export type ReceiveEventParts = {
  receiveWebhook: Pick<ReceiveWebhook, 'receiveVerified'>;
  gateway: WebhookGateway;
  api: DiscordApi;
  desk: DirectDesk;
  sightings: Sightings;
  facts: ChannelFacts;
  logger: Logger;
};

/** The bot whose socket told of something; `own` is its channel, when it is a tenant's own. */
export type Hearer = { app: DiscordApp; own: OpenChannel | undefined; botUser: string };

export type GatewayEvent = { name: string; data: Fields; eventId: string };

/** Keeps what an event tells. Resolves after the commit. @throws what keeping throws, and {@link GatewayError} */
export type ReceiveEvent = (hearer: Hearer, event: GatewayEvent) => Promise<void>;

/** What is told here of, of all that a socket brings. */
const told: ReadonlySet<string> = new Set([
  ...['MESSAGE_CREATE', 'MESSAGE_UPDATE', 'MESSAGE_DELETE', 'MESSAGE_DELETE_BULK'],
  ...[
    'MESSAGE_REACTION_ADD',
    'MESSAGE_REACTION_REMOVE',
    'GUILD_CREATE',
    'GUILD_DELETE',
    'INTERACTION_CREATE',
  ],
]);
const lookMs = 5_000;

export function createReceiveEvent(parts: ReceiveEventParts): ReceiveEvent {
  const { receiveWebhook, gateway, api, desk, sightings, facts, logger } = parts;
  const turns = createMenuTurns();

  const appOf = ({ own }: Hearer) => ({ secrets: own?.secrets ?? {}, own });
  const tell = (hearer: Hearer, event: SocketEvent): Promise<Handled> =>
    receiveWebhook.receiveVerified(gateway, appOf(hearer), writeSocketEvent(event));
  const keep = async (hearer: Hearer, event: SocketEvent): Promise<void> => {
    await tell(hearer, event);
  };

  async function receiveMessage(hearer: Hearer, event: SocketEvent): Promise<void> {
    const { data } = event;
    if (isFromBot(data)) return;
    const guild = idOf(data['guild_id']);
    if (guild === undefined) return receiveDirect(hearer, event);
    const bot = await withRoles(hearer, guild, data);
    const channel = idOf(data['channel_id']);
    if (channel === undefined) return;
    const isForBot = isAddressed(data, bot);
    const user = idOf(fieldsOf(data['author'])['id']);
    if (isForBot && user !== undefined) sightings.noteSeen(hearer.app, user, guild);
    // Only what is said to the bot begins a conversation, and only there it matters what kind of channel it is.
    const isThread = isForBot && (await isInThread(hearer, guild, channel, data));
    return keep(hearer, { ...event, bot, isThread });
  }

  async function withRoles(
    { app, botUser }: Hearer,
    guild: string,
    data: Fields,
  ): Promise<SocketEvent['bot']> {
    const mentioned = data['mention_roles'];
    if (!Array.isArray(mentioned) || mentioned.length === 0) return { user: botUser, roles: [] };
    return { user: botUser, roles: await facts.rolesOf(app, guild, AbortSignal.timeout(lookMs)) };
  }

  async function isInThread({ app }: Hearer, guild: string, channel: string, data: Fields): Promise<boolean> {
    if (data['id'] === channel) return true;
    try {
      return await facts.isThread(app, guild, channel, AbortSignal.timeout(lookMs));
    } catch (error) {
      if (error instanceof GatewayError && error.retry === 'later') throw error;
      return false;
    }
  }

  async function receiveDirect(hearer: Hearer, event: SocketEvent): Promise<void> {
    const { app, own } = hearer;
    const user = idOf(fieldsOf(event.data['author'])['id']);
    const direct = idOf(event.data['channel_id']);
    const saidAtMs = madeAtMs(idOf(event.data['id']));
    if (user === undefined || direct === undefined || saidAtMs === undefined) return;
    const mayAsk = () => turns.take(direct);
    const found = await desk
      .ofMessage(app, own, { user, direct, saidAtMs }, mayAsk)
      .catch((error: unknown) => {
        turns.free(direct);
        throw error;
      });
    // It is told again after another choice, or came while the person chose: whose it was is not known any more.
    if (found.kind === 'late')
      return logger.debug({}, 'a direct message from before its author chose a server was left out');
    if (found.kind === 'account') {
      turns.free(direct);
      return keep(hearer, { ...event, account: found.account });
    }
    // Nothing of it is kept: nobody knows whose it would be.
    if (found.kind === 'menu') await showMenu(app, direct, event, found);
  }

  async function showMenu(
    app: DiscordApp,
    direct: string,
    event: SocketEvent,
    found: Extract<DirectFound, { kind: 'menu' }>,
  ): Promise<void> {
    const nonce = createHash('sha256').update(`menu/${event.eventId}`).digest('base64url').slice(0, 22);
    const body = { ...found.menu, nonce, enforce_nonce: true, allowed_mentions: { parse: [] } };
    const call = { method: 'POST', route: `/channels/${direct}/messages`, body } as const;
    await api.call(forDirect(app), call, AbortSignal.timeout(lookMs)).catch((error: unknown) => {
      if (error instanceof GatewayError && error.retry === 'later') {
        turns.free(direct);
        throw error;
      }
      logger.debug({ err: error }, 'a menu of servers could not be sent');
    });
  }

  async function receiveChange(hearer: Hearer, event: SocketEvent): Promise<void> {
    const { data } = event;
    if (idOf(data['guild_id']) !== undefined) return keep(hearer, event);
    const user = idOf(data['user_id']) ?? idOf(fieldsOf(data['author'])['id']);
    const direct = idOf(data['channel_id']);
    const [first] = Array.isArray(data['ids']) ? (data['ids'] as unknown[]) : [];
    const saidAtMs = madeAtMs(idOf(data['message_id']) ?? idOf(data['id']) ?? idOf(first)) ?? 0;
    // Whom the message was for stays as it was, whatever the person has chosen since; an answer may have come later.
    for (const account of await desk.known(hearer.app, hearer.own, { user, direct, saidAtMs }))
      if (!(await tell(hearer, { ...event, account })).isUnknown) return;
  }

  async function receiveInteraction(hearer: Hearer, data: Fields): Promise<void> {
    const { reply, afterwards } = await receiveWebhook.receiveVerified(
      gateway,
      appOf(hearer),
      writeSocketInteraction(data),
    );
    const [id, token] = [tokenOf(data['id']), tokenOf(data['token'])];
    if (id === undefined || token === undefined || reply.body === '') return;
    const body = JSON.parse(reply.body) as object;
    const route = `/interactions/${id}/${token}/callback` as const;
    // Said again after the commit, it is no interaction any more: what was asked is answered all the same.
    await api
      .call(hearer.app, { method: 'POST', route, body, byInteraction: true }, AbortSignal.timeout(lookMs))
      .catch((error: unknown) => logger.debug({ err: error }, 'an interaction was not acknowledged'));
    await afterwards?.();
  }

  return async (hearer, { name, data, eventId }) => {
    facts.note(hearer.app, name, data);
    if (name === 'GUILD_CREATE' || name === 'GUILD_UPDATE') sightings.noteGuild(hearer.app, data);
    if (!told.has(name)) return;
    const event: SocketEvent = { name, data, eventId, bot: { user: hearer.botUser, roles: [] } };
    switch (name) {
      case 'MESSAGE_CREATE':
        return receiveMessage(hearer, event);
      case 'INTERACTION_CREATE':
        return receiveInteraction(hearer, data);
      case 'GUILD_CREATE':
      case 'GUILD_DELETE':
        // Of a server only its id and whether it is away: the rest of it is large.
        return keep(hearer, { ...event, data: { id: data['id'], unavailable: data['unavailable'] } });
      default:
        return receiveChange(hearer, event);
    }
  };
}

/** Whether it may end well the next time. */
export function mayPass(error: unknown): boolean {
  return !(error instanceof AppError) || error.retry === 'later';
}
