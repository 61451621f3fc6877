import type { Config, PlatformsConfig } from '#config/config.ts';
import { createFindAnswered } from '#conversations/find-answered.ts';
import { createFindPart } from '#conversations/find-part.ts';
import type { Uuid } from '#domain/ids.ts';
import { createFileStore } from '#files/create-file-store.ts';
import { createDiskBlobs } from '#files/disk-blobs.ts';
import { createFileLinks } from '#files/file-links.ts';
import type { FileStore } from '#files/file-store.ts';
import { createOpenLink } from '#files/open-link.ts';
import { createS3Blobs } from '#files/s3-blobs.ts';
import { createDiscordGateway } from '#gateways/discord/index.ts';
import { createDiscordInstall } from '#gateways/discord/install/install.ts';
import { startDiscord } from '#gateways/discord/socket/start.ts';
import type { WebhookGateway } from '#gateways/gateway.ts';
import { GatewayError } from '#gateways/gateway-error.ts';
import { createInstallLinks } from '#gateways/install-links.ts';
import type { ChannelDirectory, ChannelKeeper, ChannelPlace, PaceBudget } from '#gateways/journey.ts';
import { createPacer } from '#gateways/pacer.ts';
import type { ReceiveWebhook } from '#gateways/receive-webhook.ts';
import { createSlackGateway } from '#gateways/slack/index.ts';
import { createSlackInstall } from '#gateways/slack/install/install.ts';
import { createSlackTokens } from '#gateways/slack/install/tokens.ts';
import { startSlackSockets } from '#gateways/slack/socket/socket-mode.ts';
import { receiveEnvelope } from '#gateways/slack/socket/socket-request.ts';
import { createTeamsGateway } from '#gateways/teams/index.ts';
import { createTwilioGateway } from '#gateways/twilio/index.ts';
import type { GatewayPage } from '#gateways/webhook-router.ts';
import { createGuardedFetch } from '#kernel/guarded-fetch.ts';
import type { KeyRing } from '#kernel/key-ring.ts';
import type { Logger } from '#kernel/logger.ts';
import type { Metrics } from '#kernel/metrics.ts';
import { discordTexts, slackTexts, teamsTexts, twilioTexts } from '#locales/en.ts';
import { createConsentLedger } from '#tenancy/consent-ledger.ts';
import { createConversationReferences } from '#tenancy/conversation-references.ts';
import { createDirectCandidates } from '#tenancy/direct-candidates.ts';
import { createDirectChoices } from '#tenancy/direct-choices.ts';
import { createInstallStates } from '#tenancy/install-states.ts';
import type { Scopes } from '#tenancy/scopes.ts';
import { createSocketLeases } from '#tenancy/socket-leases.ts';
import { createSocketSessions } from '#tenancy/socket-sessions.ts';

export type PlatformsParts = {
  config: Config;
  scopes: Scopes;
  keyRing: KeyRing;
  channels: ChannelDirectory;
  keeper: ChannelKeeper;
  paceBudget: PaceBudget;
  logger: Logger;
  metrics: Metrics;
  /** Names this process among those that share the database. */
  holder: string;
  /** Whether other processes take this one for alive. */
  isAlive: () => boolean;
  /** The address that platforms know us by. */
  publicUrl: () => string;
  /** Hosts that are reached although they are not public. */
  allowedHosts: readonly string[];
};

/** Who holds an app's socket and gives no sign of life loses it after this time. */
const socketLeaseMs = 6_000;

/** The platforms that call us by webhook or socket, and the files that come and go with their messages. */
export function createPlatforms(parts: PlatformsParts) {
  const { config, scopes, keyRing, channels, keeper, logger, publicUrl } = parts;
  const {
    slack: slackConfig,
    twilio: twilioConfig,
    discord: discordConfig,
    teams: teamsConfig,
  } = config.platforms;
  // What the operator gives in a platform's place may be on this machine; the addresses of tenants may not.
  const ownAddresses = [slackConfig.apiUrl, twilioConfig.apiUrl, discordConfig.apiUrl, teamsConfig.loginUrl];
  const standIns = ownAddresses.flatMap((url) => (url ? [new URL(url).host] : []));
  const fetch = createGuardedFetch({ allowedHosts: [...parts.allowedHosts, ...standIns] });
  const byPlatform = new Map<string, WebhookGateway>();
  const links = createFileLinks(keyRing, publicUrl);
  const files = createFiles(parts, byPlatform, links);
  const pacer = createPacer(parts.paceBudget, undefined, parts.isAlive);
  const findPart = createFindPart(scopes);
  const isRecordedElsewhere = async (at: ChannelPlace, externalId: string, deliveryId: string) => {
    const found = await findPart(at, externalId);
    return found !== undefined && found !== deliveryId;
  };
  const consents = createConsentLedger(scopes);

  const sharedApp = withOAuth(slackConfig.app);
  const slackParts = { channels, keeper, sharedApp, apiUrl: slackConfig.apiUrl, logger };
  const slack = createSlackGateway({
    sharedApp: slackConfig.app,
    apiUrl: slackConfig.apiUrl,
    tokens: createSlackTokens(slackParts),
    pacer,
    files,
    texts: slackTexts,
    fetch,
    logger,
  });
  const twilio = createTwilioGateway({
    sharedAccount: twilioConfig.account,
    apiUrl: twilioConfig.apiUrl,
    publicUrl,
    consents,
    files,
    texts: twilioTexts,
    fetch,
    pacer,
    isRecordedElsewhere,
  });
  const findAnswered = createFindAnswered(scopes);
  const discordChoices = createDirectChoices(scopes, 'discord');
  const discord = createDiscordGateway({
    sharedApp: discordConfig.app,
    apiUrl: discordConfig.apiUrl,
    choices: discordChoices,
    candidates: createDirectCandidates(scopes, { platform: 'discord', kind: 'guild' }),
    logger,
    findAnswered: ({ tenantId }, turnId) => findAnswered(tenantId, turnId),
    texts: discordTexts,
    paceBudget: parts.paceBudget,
    ...{ channels, keyRing, pacer, files, fetch, isRecordedElsewhere },
  });
  const references = createConversationReferences(scopes);
  const teams = createTeamsGateway({
    ...{ sharedApp: teamsConfig.app, addresses: teamsConfig, references, pacer, files },
    ...{ checkLink: (url) => links.check(url.split('/').at(-1) ?? ''), texts: teamsTexts, fetch },
  });
  const gateways = [slack, twilio, discord.gateway, teams];
  for (const gateway of gateways) byPlatform.set(gateway.platform, gateway);

  const slackInstall = createSlackInstall({
    ...slackParts,
    keyRing,
    links: createInstallLinks(keyRing, 'slack'),
    states: createInstallStates(scopes),
  });

  const discordInstall = createDiscordInstall({
    ...{ channels, keeper, keyRing, logger, apiUrl: discordConfig.apiUrl, sharedApp: discordConfig.app },
    links: createInstallLinks(keyRing, 'discord'),
    states: createInstallStates(scopes),
  });

  return {
    gateways,
    consents,
    references,
    files,
    openLink: createOpenLink(links, files),
    pages: { slack: installPages(slackInstall), discord: installPages(discordInstall) },
    /** Opens the sockets of the apps that talk that way, each in one process of all. */
    startSockets(receiveWebhook: ReceiveWebhook) {
      const { holder } = parts;
      const slackSockets = startSlackSockets({
        listApps: async () =>
          (await channels.listClaims('slack', 'socket')).map(({ key, tenantId, channelId }) => ({
            appId: key,
            tenantId,
            channelId,
          })),
        openChannel: channels.find,
        lease: createSocketLeases(scopes, { platform: 'slack', holder, leaseMs: socketLeaseMs }),
        deliver: (channel, envelope) => receiveEnvelope(receiveWebhook, slack, channel, envelope),
        apiUrl: slackConfig.apiUrl,
        logger,
      });
      const discordSockets = startDiscord(discord, {
        ...{ channels, keeper, receiveWebhook, logger, metrics: parts.metrics, choices: discordChoices },
        budget: parts.paceBudget,
        lease: createSocketLeases(scopes, { platform: 'discord', holder, leaseMs: socketLeaseMs }),
        sessions: createSocketSessions(scopes, { platform: 'discord', holder }),
        texts: discordTexts,
      });
      return {
        async stop() {
          await Promise.all([slackSockets.stop(), discordSockets.stop()]);
        },
      };
    },
  };
}

function createFiles(
  { config, scopes, channels }: PlatformsParts,
  gateways: ReadonlyMap<string, WebhookGateway>,
  links: ReturnType<typeof createFileLinks>,
): FileStore {
  const blobs =
    config.files.kind === 's3' ? createS3Blobs(config.files) : createDiskBlobs(config.files.directory);
  const fetchRemote = async (
    tenantId: Uuid,
    channelId: Uuid,
    source: Readonly<Record<string, unknown>>,
    signal: AbortSignal,
  ) => {
    const channel = await channels.find(tenantId, channelId);
    const gateway = channel && gateways.get(channel.platform);
    if (!channel || !gateway?.openAttachment)
      throw new GatewayError('recipient_gone', 'The channel that a file came by is not there.');
    return gateway.openAttachment(channel, source, signal);
  };
  return createFileStore({ scopes, blobs, links, fetchRemote });
}

// Without client id and secret the shared app takes messages, and nobody installs it by a link.
function withOAuth(app: PlatformsConfig['slack']['app']) {
  const { appId, clientId, clientSecret } = app ?? {};
  return appId && clientId && clientSecret ? { appId, clientId, clientSecret } : undefined;
}

function installPages(install: Pick<ReturnType<typeof createSlackInstall>, 'begin' | 'finish'>): GatewayPage {
  return async ({ endpoint, channelKey, url, cookies }) => {
    const request = { url, headers: { cookie: cookies }, ...(channelKey !== undefined && { channelKey }) };
    if (endpoint === 'install') return install.begin(request);
    if (endpoint === 'oauth') return install.finish(request);
    return undefined;
  };
}
