import type { CalledApp, Identified, RawRequest, Verified, WebhookReply } from '../../gateway.ts';
import { appAccount } from '../app-account.ts';
import type { AppFinder } from '../channel.ts';
import type { DirectDesk } from '../direct/direct-desk.ts';
import type { Sightings } from '../direct/sightings.ts';
import { personOf } from './interaction-place.ts';
import { pong } from './interaction-replies.ts';
import { interactionTypes } from './interaction-types.ts';
import { type Fields, idOf, readJson } from './payload.ts';
import { readSocketEvent, socketEndpoint } from './socket-event.ts';

export type IdentifyParts = { desk: DirectDesk; sightings: Sightings; apps: AppFinder };

/**
 * The server that a request is about, or the answer to what concerns no tenant: Discord's ping, and the choice of a
 * server in direct messages.
 */
export async function identifyDiscord(
  { desk, sightings, apps }: IdentifyParts,
  request: Verified<RawRequest>,
  app: CalledApp,
): Promise<Identified> {
  if (request.endpoint === socketEndpoint) {
    const { account, data, name } = readSocketEvent(request);
    const guild = name.startsWith('GUILD_') ? idOf(data['id']) : idOf(data['guild_id']);
    return inGuild(guild, app, account);
  }
  const fields = readJson(request.body);
  if (!fields) return { kind: 'reply', reply: plain(400, 'This is not what Discord posts to this address.') };
  if (fields['type'] === interactionTypes.ping) return { kind: 'reply', reply: pong() };
  const guild = idOf(fields['guild_id']);
  if (guild !== undefined) {
    const user = idOf(personOf(fields)['id']);
    const called = app.own ? apps.of(app.own) : apps.shared;
    if (called && user !== undefined) sightings.noteSeen(called, user, guild);
    return inGuild(guild, app);
  }
  return inDirect(desk, fields, app);
}

function inGuild(
  guild: string | undefined,
  app: CalledApp,
  account?: { kind: string; key: string },
): Identified {
  const accounts = [...(account ? [account] : []), ...(guild ? [{ kind: 'guild', key: guild }] : [])];
  if (accounts.length === 0)
    return { kind: 'reply', reply: plain(400, 'This names neither a server nor a choice of one.') };
  return { kind: 'accounts', accounts: [...accounts, ...appAccount(app.own)] };
}

async function inDirect(desk: DirectDesk, fields: Fields, app: CalledApp): Promise<Identified> {
  const found = await desk.ofInteraction(fields, app.own);
  return found.kind === 'reply'
    ? found
    : { kind: 'accounts', accounts: [found.account, ...appAccount(app.own)] };
}

function plain(status: number, body: string): WebhookReply {
  return { status, contentType: 'text/plain; charset=utf-8', body };
}
