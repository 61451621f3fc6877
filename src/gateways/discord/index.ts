import type { FileStore } from '#files/file-store.ts';
import type { KeyRing } from '#kernel/key-ring.ts';
import type { Logger } from '#kernel/logger.ts';
import type { WebhookGateway } from '../gateway.ts';
import type { ChannelDirectory, DirectCandidates, DirectChoices, PaceBudget } from '../journey.ts';
import type { Pacer } from '../pacer.ts';
import { createAppFinder, type SharedDiscordApp, settingsOf } from './channel.ts';
import { createDirectDesk } from './direct/direct-desk.ts';
import { createMembership } from './direct/membership.ts';
import { createFindOffer } from './direct/offer.ts';
import { createShowLater } from './direct/show-later.ts';
import { createSightings } from './direct/sightings.ts';
import { identifyDiscord } from './inbound/identify.ts';
import { onlyForYou } from './inbound/interaction-replies.ts';
import { parseDiscord } from './inbound/parse.ts';
import { createTickets } from './inbound/ticket.ts';
import { verifyDiscord } from './inbound/verify.ts';
import { createDiscordApi } from './outbound/api.ts';
import { createDestinationFinder, type FindAnswered } from './outbound/destination.ts';
import { createInvalidGuard } from './outbound/invalid-guard.ts';
import { openAttachment } from './outbound/open-attachment.ts';
import { createDiscordPosts } from './outbound/posts.ts';
import { type DiscordSendParts, sendToDiscord } from './outbound/send.ts';
import { openDiscordStream } from './outbound/stream.ts';
import { showWorking } from './outbound/working.ts';
import { readAddress } from './places.ts';
import type { DiscordTexts } from './texts.ts';

export type { DiscordTexts } from './texts.ts';

export type DiscordGatewayParts = {
  sharedApp?: SharedDiscordApp | undefined;
  /** Where the API is, when it is not Discord's own: `http://127.0.0.1:1/api`. */
  apiUrl?: string | undefined;
  channels: Pick<ChannelDirectory, 'findByAccount'>;
  choices: DirectChoices;
  candidates: DirectCandidates;
  keyRing: KeyRing;
  pacer: Pacer;
  paceBudget: PaceBudget;
  files: Pick<FileStore, 'open'>;
  findAnswered: FindAnswered;
  isRecordedElsewhere: DiscordSendParts['isRecordedElsewhere'];
  texts: DiscordTexts;
  /** Reaches the public internet only. */
  fetch: typeof globalThis.fetch;
  logger?: Logger;
  nowMs?: () => number;
};

export type DiscordGateway = ReturnType<typeof createDiscordGateway>;

/** Discord, for all channels of the process. Its sockets use the same calls, and so the same limits. */
export function createDiscordGateway(parts: DiscordGatewayParts) {
  const { sharedApp, apiUrl, channels, choices, candidates, pacer, files, texts, findAnswered, logger } =
    parts;
  const nowMs = parts.nowMs ?? Date.now;
  const apps = createAppFinder(sharedApp, apiUrl);
  const tickets = createTickets(parts.keyRing);
  const api = createDiscordApi({ pacer, guard: createInvalidGuard(parts.paceBudget, nowMs), nowMs });
  const membership = createMembership({ api, pacer, nowMs });
  const findOffer = createFindOffer({ candidates, membership });
  const showLater = createShowLater({ api, logger });
  const desk = createDirectDesk({ apps, channels, choices, membership, findOffer, showLater, texts });
  const sightings = createSightings(candidates, nowMs, logger);
  const posts = createDiscordPosts({ api, pacer });
  const threadName = texts.question.title;
  const destinations = createDestinationFinder({ api, apps, tickets, findAnswered, threadName, nowMs });
  const { isRecordedElsewhere } = parts;
  const sending = {
    ...{ api, posts, destinations, files, isRecordedElsewhere, sourcesTitle: texts.sources, nowMs },
  };
  const attachments = { api, apps, apiUrl, fetch: parts.fetch };
  const parsing = { tickets, texts, nowMs };

  const gateway: WebhookGateway = {
    platform: 'discord',
    capabilities: { streaming: 'post', streamAfterMs: 700 },
    endpoints: ['interactions'],
    bodyBytesMax: 1_048_576,
    sharedApp,
    ownApp: (channel) => settingsOf(channel).applicationId ?? '',
    verify: verifyDiscord,
    identify: (request, app) => identifyDiscord({ desk, sightings, apps }, request, app),
    unclaimed: ({ endpoint }) => (endpoint === 'interactions' ? onlyForYou(texts.unclaimed) : undefined),
    parse: (request, channel) => parseDiscord(parsing, request, channel),
    send: (channel, message, progress) => sendToDiscord(sending, channel, message, progress),
    readAddress: (_channel, address) => readAddress(address),
    openStream: (channel, target, keep) => openDiscordStream({ posts, destinations }, channel, target, keep),
    showWorking: (channel, target) => showWorking({ api, destinations }, channel, target),
    openAttachment: (channel, source, signal) => openAttachment(attachments, channel, source, signal),
  };
  return { gateway, api, apps, desk, sightings };
}
