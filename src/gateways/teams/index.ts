import type { FileStore } from '#files/file-store.ts';
import type { WebhookGateway } from '../gateway.ts';
import type { ConversationReferences } from '../journey.ts';
import type { Pacer } from '../pacer.ts';
import { endpointsOf, settingsOf, type TeamsAddresses, type TeamsApp } from './channel.ts';
import { identifyTeams } from './inbound/identify.ts';
import { parseTeams } from './inbound/parse.ts';
import { createSigningKeys, type SigningKeys } from './inbound/signing-keys.ts';
import { verifyTeams } from './inbound/verify.ts';
import { createAccessTokens } from './outbound/access-tokens.ts';
import { createTeamsApi } from './outbound/api.ts';
import { createConversations } from './outbound/conversations.ts';
import type { HandOverParts } from './outbound/hand-over-file.ts';
import { openAttachment } from './outbound/open-attachment.ts';
import { createTeamsPosts } from './outbound/posts.ts';
import { createConnector } from './outbound/sdk.ts';
import { sendToTeams } from './outbound/send.ts';
import { createShownTexts } from './outbound/shown-texts.ts';
import { openTeamsStream } from './outbound/stream.ts';
import { showWorking } from './outbound/working.ts';
import { readAddress } from './places.ts';
import type { TeamsTexts } from './texts.ts';

export type TeamsGatewayParts = {
  /** The bot of the environment, for tenants without one of their own. */
  sharedApp?: TeamsApp | undefined;
  /** Where keys and tokens come from, when it is not Microsoft's public cloud. */
  addresses: TeamsAddresses;
  references: ConversationReferences;
  pacer: Pacer;
  files: Pick<FileStore, 'open' | 'sign'>;
  checkLink: HandOverParts['checkLink'];
  texts: TeamsTexts;
  /** Reaches the public internet and the addresses of the operator's, and nothing behind them. */
  fetch: typeof globalThis.fetch;
  keys?: SigningKeys;
};

/** Microsoft Teams, for all channels of the process: any number of bots and Entra tenants. */
export function createTeamsGateway(parts: TeamsGatewayParts): WebhookGateway {
  const { sharedApp, addresses, references, pacer, files, texts, fetch } = parts;
  const keys = parts.keys ?? createSigningKeys();
  const api = createTeamsApi({
    ...{ connector: createConnector(), tokens: createAccessTokens(), sharedApp, addresses },
  });
  const conversations = createConversations({ api, references });
  const posts = createTeamsPosts({ api, pacer });
  const shown = createShownTexts();
  const { checkLink } = parts;
  const sending = { posts, conversations, files, checkLink, fetch, shown, texts };
  const streaming = { api, posts, conversations, pacer, shown, texts };

  return {
    platform: 'teams',
    capabilities: { streaming: 'post', streamAfterMs: 700 },
    endpoints: ['messages'],
    bodyBytesMax: 524_288,
    // Teams sends an activity again after some 15 s.
    answerWithinMs: 10_000,
    sharedApp,
    ownApp: (channel) => settingsOf(channel).appId ?? '',
    verify: (request, secrets, nowMs, own) =>
      verifyTeams(
        {
          keys,
          endpoints: endpointsOf(own, addresses),
          appId: own ? settingsOf(own).appId : secrets['appId'],
        },
        request,
        nowMs,
      ),
    identify: identifyTeams,
    parse: (request, channel) => parseTeams(request, channel, texts),
    send: (channel, message, progress) => sendToTeams(sending, channel, message, progress),
    readAddress: (_channel, address) => readAddress(address),
    // Teams streams to one person; in groups an answer is shown once it is complete.
    mayStream: ({ conversationExternalId }) => conversationExternalId.startsWith('@'),
    openStream: (channel, target, keep) => openTeamsStream(streaming, channel, target, keep),
    showWorking: (channel, target) => showWorking({ api, conversations, pacer }, channel, target),
    openAttachment: (channel, source, signal) => openAttachment({ api, fetch }, channel, source, signal),
  };
}
