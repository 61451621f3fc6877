import type { OpenChannel } from '../../gateway.ts';
import type { DirectCandidates } from '../../journey.ts';
import type { DiscordApp } from '../channel.ts';
import { credentialKey } from '../credential-key.ts';
import type { Membership } from './membership.ts';
import { type Offer, serversMax } from './menu.ts';

/** The servers that a person may choose from; with `namePart` only those whose name has it. */
export type FindOffer = (
  app: DiscordApp,
  own: OpenChannel | undefined,
  user: string,
  namePart?: string,
) => Promise<Offer>;

/** Everything that is looked at for one person is looked at within this time. */
const lookMs = 25_000;
/** Names that Discord has not told of by itself are asked for, so many of them. */
const namesAskedMax = 25;

/**
 * Looks for the servers that a person shares with a bot. Discord tells of one server at a time, so the work is bounded,
 * however many servers there are: those where the person has spoken to the bot come first, then as many others as a menu
 * can show.
 */
export function createFindOffer({
  candidates,
  membership,
}: {
  candidates: Pick<DirectCandidates, 'list'>;
  membership: Membership;
}): FindOffer {
  const find: FindOffer = async (app, own, user, namePart) => {
    const signal = AbortSignal.timeout(lookMs);
    const search = { person: user, tenantId: own?.tenantId, namePart, limit: serversMax + 1 };
    const found = await candidates.list(app.account, search);
    const looked = found.slice(0, serversMax);
    const names = new Map(looked.map(({ account, name }) => [account, name]));
    const shared = await membership.among(app, [...names.keys()], user, signal);
    const nameless = shared.guilds.filter((id) => names.get(id) === undefined).slice(0, namesAskedMax);
    await Promise.all(nameless.map(async (id) => names.set(id, await membership.nameOf(app, id, signal))));
    return {
      servers: shared.guilds.map((id) => ({ id, name: names.get(id) ?? id })),
      isComplete: shared.isComplete && found.length <= serversMax,
    };
  };

  /** Who asks again while it is looked for gets the same answer. */
  const underWay = new Map<string, Promise<Offer>>();
  return (app, own, user, namePart) => {
    const key = JSON.stringify([credentialKey(app), own?.tenantId, user, namePart]);
    const finding = underWay.get(key) ?? find(app, own, user, namePart).finally(() => underWay.delete(key));
    underWay.set(key, finding);
    return finding;
  };
}
