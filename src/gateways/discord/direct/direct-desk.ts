import { within } from '#kernel/within.ts';
import type { OpenChannel, WebhookReply } from '../../gateway.ts';
import type { ChannelDirectory, DirectChoices } from '../../journey.ts';
import { type AppFinder, choicesOf, type DiscordApp, settingsOf } from '../channel.ts';
import { personOf } from '../inbound/interaction-place.ts';
import { atWork, instead, onlyForYou, said } from '../inbound/interaction-replies.ts';
import { interactionTypes } from '../inbound/interaction-types.ts';
import { type Fields, fieldsOf, idOf, rowsOf, textOf } from '../inbound/payload.ts';
import { madeAtMs } from '../places.ts';
import type { DiscordTexts } from '../texts.ts';
import type { Membership } from './membership.ts';
import { type Menu, readChoice, readMenu, writeMenu } from './menu.ts';
import type { FindOffer } from './offer.ts';

export type DirectAccount = { kind: string; key: string };
export type DirectFound =
  | { kind: 'account'; account: DirectAccount }
  | { kind: 'menu'; menu: Menu }
  /** It was said before the person chose as they have now: it may be for another one, and comes too late. */
  | { kind: 'late' }
  /** They were asked a moment ago. */
  | { kind: 'asked' };

export type DirectReply = { kind: 'reply'; reply: WebhookReply; afterwards?: () => Promise<void> };

export type DirectDeskParts = {
  apps: AppFinder;
  channels: Pick<ChannelDirectory, 'findByAccount'>;
  choices: DirectChoices;
  membership: Membership;
  findOffer: FindOffer;
  /** Puts a menu in the place of "… is thinking". Never rejects. */
  showLater: (app: DiscordApp, fields: Fields, menu: Menu) => Promise<void>;
  texts: DiscordTexts;
};

/**
 * Whom a direct message is for: it names no server, and so no tenant. The person says it, by a menu of the servers that
 * they share with the bot; until then nothing of what they write is kept. Whether they are still there is looked at again.
 */
export interface DirectDesk {
  /** `saidAtMs` by Discord's clock. Only when `mayAsk` says so is a menu looked for. */
  ofMessage(
    app: DiscordApp,
    own: OpenChannel | undefined,
    by: { user: string; direct: string; saidAtMs: number },
    mayAsk: () => boolean,
  ): Promise<DirectFound>;
  ofInteraction(
    fields: Fields,
    own: OpenChannel | undefined,
  ): Promise<{ kind: 'account'; account: DirectAccount } | DirectReply>;
  /**
   * Whose a message may be that was said at a time, as it was chosen then, without looking again: the likeliest first, of
   * those that are still claimed. For what happens to messages later.
   */
  known(
    app: DiscordApp,
    own: OpenChannel | undefined,
    by: { user: string | undefined; direct: string | undefined; saidAtMs: number },
  ): Promise<DirectAccount[]>;
}

/** How long a person is taken for a member without looking again, and while Discord does not answer. */
const trustMs = 60 * 60_000;
const trustAwayMs = 24 * 60 * 60_000;
/** Discord waits for three seconds for what a person has pressed; a menu may have to follow a look that finds nobody. */
const lookMs = 2_000;
const lookAgainMs = 1_200;
/** A menu that takes longer is shown when it is there. */
const menuAtOnceMs = 1_000;

export function createDirectDesk(parts: DirectDeskParts): DirectDesk {
  const { apps, channels, choices, membership, findOffer, texts } = parts;

  const applicationAccount = (own: OpenChannel | undefined): DirectAccount | undefined => {
    const { applicationId, guild } = own ? settingsOf(own) : {};
    return applicationId !== undefined && guild === undefined
      ? { kind: 'application', key: applicationId }
      : undefined;
  };

  async function isClaimed(app: DiscordApp, own: OpenChannel | undefined, guild: string): Promise<boolean> {
    const channel = await channels.findByAccount('discord', { kind: 'guild', app: app.account, key: guild });
    return channel !== undefined && (!own || channel.tenantId === own.tenantId);
  }

  /** The server that holds; `undefined`: none was chosen, or the person is not there any more. */
  async function chosen(
    app: DiscordApp,
    own: OpenChannel | undefined,
    user: string,
  ): Promise<{ guild: string; chosenAtMs: number } | undefined> {
    const choice = await choices.find(choicesOf(app), { person: user });
    if (!choice) return undefined;
    const isStillClaimed = await isClaimed(app, own, choice.account);
    const found = { guild: choice.account, chosenAtMs: choice.chosenAtMs };
    if (isStillClaimed && choice.sinceMs < trustMs) return found;
    const isThere =
      isStillClaimed &&
      (await membership
        .isMember(app, choice.account, user, AbortSignal.timeout(lookAgainMs))
        .catch((error: unknown) => {
          if (choice.sinceMs < trustAwayMs) return undefined;
          throw error;
        }));
    if (isThere === undefined) return found;
    // While Discord was asked the person may have chosen anew: only what was looked at changes.
    if (isThere) await choices.recheck(choicesOf(app), user, choice);
    if (isThere) return found;
    await choices.forget(choicesOf(app), user, choice);
    const next = await choices.find(choicesOf(app), { person: user });
    return next && { guild: next.account, chosenAtMs: next.chosenAtMs };
  }

  async function decided(
    app: DiscordApp,
    own: OpenChannel | undefined,
    user: string,
    saidAtMs: number,
  ): Promise<Extract<DirectFound, { kind: 'account' | 'late' }> | undefined> {
    const whole = applicationAccount(own);
    if (whole) return { kind: 'account', account: whole };
    const choice = await chosen(app, own, user);
    if (choice && saidAtMs < choice.chosenAtMs) return { kind: 'late' };
    return choice && { kind: 'account', account: { kind: 'guild', key: choice.guild } };
  }

  async function offered(
    app: DiscordApp,
    own: OpenChannel | undefined,
    user: string,
    direct: string,
    saidAtMs: number,
  ): Promise<Extract<DirectFound, { kind: 'account' | 'menu' }>> {
    const offer = await findOffer(app, own, user);
    const [only] = offer.servers;
    // All of an own app's servers are one tenant's: with one there is nothing to choose.
    if (own && only && offer.isComplete && offer.servers.length === 1) {
      const isChosen = await choices.choose(choicesOf(app), user, only.id, direct, saidAtMs);
      if (isChosen) return { kind: 'account', account: { kind: 'guild', key: only.id } };
    }
    return { kind: 'menu', menu: writeMenu(offer, texts.direct) };
  }

  /** Shows a menu at once where it is there in time, else when it is. */
  async function replyWith(
    app: DiscordApp,
    fields: Fields,
    finding: Promise<Menu>,
    waitMs = menuAtOnceMs,
  ): Promise<DirectReply> {
    if (await within(waitMs, finding)) {
      const { content, components } = await finding;
      return { kind: 'reply', reply: said(content, components) };
    }
    const afterwards = async () => {
      const menu = await finding.catch(() => ({ content: texts.direct.notNow, components: [] }));
      await parts.showLater(app, fields, menu);
    };
    return { kind: 'reply', reply: atWork(), afterwards };
  }

  async function choose(
    app: DiscordApp,
    own: OpenChannel | undefined,
    fields: Fields,
    by: { user: string; direct: string; guild: string; atMs: number },
  ): Promise<WebhookReply> {
    const { user, direct, guild, atMs } = by;
    const isThere =
      (await isClaimed(app, own, guild)) &&
      (await membership.isMember(app, guild, user, AbortSignal.timeout(lookMs)));
    if (!isThere) return onlyForYou(texts.direct.notThere);
    if (!(await choices.choose(choicesOf(app), user, guild, direct, atMs)))
      return onlyForYou(texts.direct.askAgain);
    // The menu stays, for another choice.
    const { name, components } = readMenu(fields['message'], guild);
    return instead(texts.direct.chosen(name), components);
  }

  return {
    async ofMessage(app, own, { user, direct, saidAtMs }, mayAsk) {
      const found = await decided(app, own, user, saidAtMs);
      if (found) return found;
      return mayAsk() ? offered(app, own, user, direct, saidAtMs) : { kind: 'asked' };
    },

    async ofInteraction(fields, own) {
      const app = own ? apps.of(own) : apps.shared;
      const user = idOf(personOf(fields)['id']);
      const direct = idOf(fields['channel_id']);
      const atMs = madeAtMs(idOf(fields['id']));
      if (!app || user === undefined || direct === undefined || atMs === undefined)
        return { kind: 'reply', reply: onlyForYou(texts.unsupported) };
      const data = fieldsOf(fields['data']);
      const guild = fields['type'] === interactionTypes.component ? readChoice(data) : undefined;
      if (guild !== undefined)
        return { kind: 'reply', reply: await choose(app, own, fields, { user, direct, guild, atMs }) };

      const isAskedAnew =
        fields['type'] === interactionTypes.command && data['name'] === texts.commands.server.name;
      if (isAskedAnew) {
        const part = textOf(rowsOf(data['options']).find(({ value }) => textOf(value))?.['value']);
        const finding = findOffer(app, own, user, part?.trim());
        return replyWith(
          app,
          fields,
          finding.then((offer) => writeMenu(offer, texts.direct, part !== undefined)),
        );
      }
      const found = await decided(app, own, user, atMs);
      if (found?.kind === 'account') return found;
      if (found?.kind === 'late') return { kind: 'reply', reply: onlyForYou(texts.unsupported) };
      const finding = offered(app, own, user, direct, atMs);
      if (await within(menuAtOnceMs, finding)) {
        const soon = await finding;
        if (soon.kind === 'account') return soon;
      }
      const menu = finding.then((later) =>
        // It was chosen for the person, too late for what they asked: they ask again.
        later.kind === 'menu' ? later.menu : { content: texts.direct.askAgain, components: [] },
      );
      return replyWith(app, fields, menu, 0);
    },

    async known(app, own, { user, direct, saidAtMs }) {
      const whole = applicationAccount(own);
      if (whole) return [whole];
      const by = { ...(user !== undefined && { person: user }), ...(direct !== undefined && { direct }) };
      const accounts = await choices.accountsOf(choicesOf(app), by, saidAtMs);
      const claimed: DirectAccount[] = [];
      for (const key of accounts) if (await isClaimed(app, own, key)) claimed.push({ kind: 'guild', key });
      return claimed;
    },
  };
}
