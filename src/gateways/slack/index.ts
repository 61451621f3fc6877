import type { FileStore } from '#files/file-store.ts';
import type { Logger } from '#kernel/logger.ts';
import type { OpenChannel, WebhookGateway } from '../gateway.ts';
import type { Pacer } from '../pacer.ts';
import { botTokenOf, settingsOf } from './channel.ts';
import { identifySlack } from './inbound/identify.ts';
import { parseSlack } from './inbound/parse.ts';
import { verifySlack } from './inbound/verify.ts';
import { fillOpening } from './interface/open.ts';
import { createSlackApi } from './outbound/api.ts';
import { createFileFetch, openAttachment } from './outbound/attachments.ts';
import { sendToSlack } from './outbound/send.ts';
import { createPlaceFinder } from './outbound/send-places.ts';
import { createSlackPosts } from './outbound/send-posts.ts';
import { openSlackStream } from './outbound/stream.ts';
import { createRefusals } from './outbound/stream-refusals.ts';
import { showWorking } from './outbound/stream-working.ts';
import { readAddress } from './places.ts';
import type { SlackTexts } from './texts.ts';

export type { SlackTexts } from './texts.ts';

export type SlackGatewayParts = {
  /** The app of the environment, for tenants without one of their own. */
  sharedApp?: { appId: string; signingSecret: string; clientId?: string; clientSecret?: string } | undefined;
  /** Where the Web API is, when it is not Slack's own: `http://127.0.0.1:1/api/`. */
  apiUrl?: string | undefined;
  /** The bot token of a channel as it is now; the one that is stored when absent. */
  tokens?: (channel: OpenChannel) => Promise<string>;
  pacer: Pacer;
  files: Pick<FileStore, 'open'>;
  texts: SlackTexts;
  /** Reaches the public internet only. */
  fetch: typeof globalThis.fetch;
  logger?: Logger;
};

/** Slack, for all channels of the process. */
export function createSlackGateway(parts: SlackGatewayParts): WebhookGateway {
  const { sharedApp, apiUrl, pacer, files, texts, logger } = parts;
  const tokens = parts.tokens ?? (async (channel: OpenChannel) => botTokenOf(channel));
  const api = createSlackApi({ apiUrl, tokens });
  const fetchFile = createFileFetch(parts.fetch, apiUrl);
  const posts = createSlackPosts({ api, pacer });
  const places = createPlaceFinder(api);
  const refusals = createRefusals();

  const sendParts = { api, posts, places, files, fetchFile };
  const sending = { ...sendParts, sharedAppId: sharedApp?.appId, sourcesTitle: texts.sources };
  const streaming = { api, posts, places, pacer, refusals, logger };
  const working = { api, refusals, status: texts.working };

  return {
    platform: 'slack',
    capabilities: { streaming: 'post', streamAfterMs: 700 },
    endpoints: ['events', 'interactions', 'commands'],
    bodyBytesMax: 1_048_576,
    sharedApp,
    ownApp: (channel) => settingsOf(channel).appId ?? '',
    verify: verifySlack,
    identify: identifySlack,
    parse: parseSlack,
    send: (channel, message, progress) => sendToSlack(sending, channel, message, progress),
    readAddress: (_channel, address) => readAddress(address),
    openStream: (channel, target, keep) => openSlackStream(streaming, channel, target, keep),
    showWorking: (channel, target) => showWorking(working, channel, target),
    openAttachment: (channel, source, signal) =>
      openAttachment({ api, fetchFile, tokens }, channel, source, signal),
    open: (channel, opening, signal) => fillOpening({ api, texts }, channel, opening, signal),
  };
}
