import type { Config, PlatformsConfig } from '#config/config.ts';
import { createFindPart } from '#conversations/find-part.ts';
import type { Uuid } from '#domain/ids.ts';
import { createFileStore } from '#files/create-file-store.ts';
import { createDiskBlobs } from '#files/disk-blobs.ts';
import { createFileLinks } from '#files/file-links.ts';
import type { FileStore } from '#files/file-store.ts';
import { createOpenLink } from '#files/open-link.ts';
import { createS3Blobs } from '#files/s3-blobs.ts';
import type { WebhookGateway } from '#gateways/gateway.ts';
import { GatewayError } from '#gateways/gateway-error.ts';
import type { ChannelDirectory, ChannelKeeper, PaceBudget } from '#gateways/journey.ts';
import { createPacer } from '#gateways/pacer.ts';
import type { ReceiveWebhook } from '#gateways/receive-webhook.ts';
import { createSlackGateway } from '#gateways/slack/index.ts';
import { createSlackInstall } from '#gateways/slack/install/install.ts';
import { createInstallLinks } from '#gateways/slack/install/install-links.ts';
import { createSlackTokens } from '#gateways/slack/install/tokens.ts';
import { startSlackSockets } from '#gateways/slack/socket/socket-mode.ts';
import { receiveEnvelope } from '#gateways/slack/socket/socket-request.ts';
import { createTwilioGateway } from '#gateways/twilio/index.ts';
import type { GatewayPage } from '#gateways/webhook-router.ts';
import { createGuardedFetch } from '#kernel/guarded-fetch.ts';
import type { KeyRing } from '#kernel/key-ring.ts';
import type { Logger } from '#kernel/logger.ts';
import { slackTexts, twilioTexts } from '#locales/en.ts';
import { createConsentLedger } from '#tenancy/consent-ledger.ts';
import { createInstallStates } from '#tenancy/install-states.ts';
import type { Scopes } from '#tenancy/scopes.ts';
import { createSocketLeases } from '#tenancy/socket-leases.ts';

export type PlatformsParts = {
  config: Config;
  scopes: Scopes;
  keyRing: KeyRing;
  channels: ChannelDirectory;
  keeper: ChannelKeeper;
  paceBudget: PaceBudget;
  logger: Logger;
  /** Names this process among those that share the database. */
  holder: string;
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
  const { slack: slackConfig, twilio: twilioConfig } = config.platforms;
  // What the operator gives in a platform's place may be on this machine; the addresses of tenants may not.
  const standIns = [slackConfig.apiUrl, twilioConfig.apiUrl].flatMap((url) =>
    url ? [new URL(url).host] : [],
  );
  const fetch = createGuardedFetch({ allowedHosts: [...parts.allowedHosts, ...standIns] });
  const byPlatform = new Map<string, WebhookGateway>();
  const links = createFileLinks(keyRing, publicUrl);
  const files = createFiles(parts, byPlatform, links);
  const pacer = createPacer(parts.paceBudget);
  const findPart = createFindPart(scopes);
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
    isRecordedElsewhere: async (at, externalId, deliveryId) => {
      const found = await findPart(at, externalId);
      return found !== undefined && found !== deliveryId;
    },
  });
  const gateways = [slack, twilio];
  for (const gateway of gateways) byPlatform.set(gateway.platform, gateway);

  const slackInstall = createSlackInstall({
    ...slackParts,
    keyRing,
    links: createInstallLinks(keyRing),
    states: createInstallStates(scopes),
  });

  return {
    gateways,
    consents,
    files,
    openLink: createOpenLink(links, files),
    pages: { slack: slackPages(slackInstall) },
    /** Opens the sockets of the apps that talk that way, each in one process of all. */
    startSockets: (receiveWebhook: ReceiveWebhook) =>
      startSlackSockets({
        listApps: async () =>
          (await channels.listClaims('slack', 'socket')).map(({ key, tenantId, channelId }) => ({
            appId: key,
            tenantId,
            channelId,
          })),
        openChannel: channels.find,
        lease: createSocketLeases(scopes, {
          platform: 'slack',
          holder: parts.holder,
          leaseMs: socketLeaseMs,
        }),
        deliver: (channel, envelope) => receiveEnvelope(receiveWebhook, slack, channel, envelope),
        apiUrl: slackConfig.apiUrl,
        logger,
      }),
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

function slackPages(install: ReturnType<typeof createSlackInstall>): GatewayPage {
  return async ({ endpoint, channelKey, url, cookies }) => {
    const request = { url, headers: { cookie: cookies }, ...(channelKey !== undefined && { channelKey }) };
    if (endpoint === 'install') return install.begin(request);
    if (endpoint === 'oauth') return install.finish(request);
    return undefined;
  };
}
