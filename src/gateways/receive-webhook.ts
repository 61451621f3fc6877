import type { AccountKey } from '@swarmgate/contract/channels/described-channel.ts';
import { AppError } from '#domain/errors.ts';
import { extendContext } from '#kernel/context.ts';
import type { Logger } from '#kernel/logger.ts';
import type { Metrics } from '#kernel/metrics.ts';
import type {
  InboundEvent,
  InboundOpening,
  InboundStatus,
  OpenChannel,
  RawRequest,
  Verified,
  WebhookGateway,
  WebhookReply,
} from './gateway.ts';
import { WebhookRejectedError } from './gateway-error.ts';
import type {
  ChannelDirectory,
  ChannelKeeper,
  ChannelPlace,
  ConsentLedger,
  Quarantine,
  ReceiveChange,
  ReceiveMessage,
  RecordStatus,
} from './journey.ts';

export type ReceiveWebhookParts = {
  channels: ChannelDirectory;
  keeper: Pick<ChannelKeeper, 'pause'>;
  quarantine: Quarantine;
  receive: ReceiveMessage;
  receiveChange: ReceiveChange;
  recordStatus: RecordStatus;
  consents: Pick<ConsentLedger, 'record'>;
  logger: Logger;
  metrics: Metrics;
  nowMs?: () => number;
};

/** What a request has come to. `afterwards` is for when the platform has its answer; it never rejects. */
export type Handled = { reply: WebhookReply; afterwards?: () => Promise<void> };

/** The app that was called: the environment's shared one, or one of a tenant's own. */
export type CalledApp = {
  secrets: Readonly<Record<string, string>>;
  /** `undefined` for the shared app. */
  own: OpenChannel | undefined;
};

/** What was received could not be kept in the time that the platform waits. It may be sent again: nothing happens twice. */
class WebhookLateError extends AppError<'webhook_late'> {
  override readonly name = 'WebhookLateError';

  constructor() {
    super('webhook_late', 'The request was not kept in the time that the platform waits.', {
      retry: 'later',
    });
  }
}

/** Slack waits for 3 s, and its clock began before ours. */
const answerWithinMs = 2_500;
const openWithinMs = 5_000;
const nothing: WebhookReply = { status: 200, contentType: 'text/plain', body: '' };

export type ReceiveWebhook = ReturnType<typeof createReceiveWebhook>;

/**
 * Takes what platforms send: locate → verify → identify → parse → keep. Nothing is believed or kept before the signature
 * holds, and the answer is given after the commit.
 */
export function createReceiveWebhook(parts: ReceiveWebhookParts) {
  const receiveVerified = async (
    gateway: WebhookGateway,
    app: CalledApp,
    request: Verified<RawRequest>,
  ): Promise<Handled> => {
    const identified = gateway.identify(request);
    if (identified.kind === 'reply') return { reply: identified.reply };
    const channel = await findChannel(parts, gateway, app, identified.accounts);
    if (!channel) return { reply: nothing };
    extendContext({ tenantId: channel.tenantId });
    // Of a paused channel too: what people say is kept, and what is answered waits until the channel is mended.
    const { events, reply = nothing } = gateway.parse(request, channel);
    for (const event of events) await keep(parts, channel, event);
    const openings = events.filter((event) => event.kind === 'opening');
    if (openings.length === 0) return { reply };
    return { reply, afterwards: () => openAll(parts, gateway, channel, openings) };
  };

  return {
    /** `undefined`: there is no such app here. @throws {WebhookRejectedError} and what keeping throws. */
    async receive(
      gateway: WebhookGateway,
      channelKey: string | undefined,
      request: RawRequest,
    ): Promise<Handled | undefined> {
      return inTime(async () => {
        const app = await locate(parts, gateway, channelKey);
        return app && receiveVerified(gateway, app, verify(parts, gateway, app, request));
      });
    },
    /** The same for what came in by a way that proves itself, such as a socket that we opened. */
    receiveVerified,
  };
}

function verify(
  { logger, nowMs = Date.now }: ReceiveWebhookParts,
  gateway: WebhookGateway,
  { secrets }: CalledApp,
  request: RawRequest,
): Verified<RawRequest> {
  try {
    return gateway.verify(request, secrets, nowMs());
  } catch (error) {
    // Who called learns only that it was refused.
    if (error instanceof WebhookRejectedError)
      logger.info({ reason: error.message, code: error.code }, 'a webhook call was refused');
    throw error;
  }
}

async function locate(
  { channels }: ReceiveWebhookParts,
  gateway: WebhookGateway,
  channelKey: string | undefined,
): Promise<CalledApp | undefined> {
  if (channelKey === undefined) return gateway.sharedApp && { secrets: gateway.sharedApp, own: undefined };
  const own = await channels.findByKey(gateway.platform, channelKey);
  // A channel of the shared app has a key too, but no secrets of its own to be called with.
  return own && gateway.ownApp(own) !== '' ? { secrets: own.secrets, own } : undefined;
}

async function findChannel(
  { channels, quarantine, metrics, logger }: ReceiveWebhookParts,
  gateway: WebhookGateway,
  { own }: CalledApp,
  accounts: readonly Omit<AccountKey, 'app'>[],
): Promise<OpenChannel | undefined> {
  const app = own ? gateway.ownApp(own) : '';
  for (const account of accounts) {
    const channel = await channels.findByAccount(gateway.platform, { ...account, app });
    // Whoever has the secrets of an app of its own can say anything in its name, so it speaks for its own tenant only.
    if (channel && (!own || channel.tenantId === own.tenantId)) return channel;
  }
  const [first] = accounts;
  metrics.platformEvent(gateway.platform, 'any', 'quarantined');
  logger.warn({ reason: `no channel claims this ${first?.kind}` }, 'a webhook call was not kept');
  if (first) await quarantine(gateway.platform, { ...first, app }, 'no channel claims it');
  return undefined;
}

// What is under way when the time is up may still be kept: the platform sends it again, and nothing happens twice.
async function inTime<T>(work: () => Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new WebhookLateError()), answerWithinMs);
  });
  return Promise.race([work(), late]).finally(() => clearTimeout(timer));
}

async function keep(parts: ReceiveWebhookParts, channel: OpenChannel, event: InboundEvent): Promise<void> {
  const { metrics, logger } = parts;
  const at: ChannelPlace = { tenantId: channel.tenantId, channelId: channel.id, platform: channel.platform };
  switch (event.kind) {
    case 'message':
    case 'action':
      await parts.receive(at, event);
      return;
    case 'edit':
    case 'delete':
    case 'reaction':
      metrics.platformEvent(at.platform, event.kind, await parts.receiveChange(at, event));
      return;
    case 'status':
      return keepStatus(parts, at, event);
    case 'disconnected':
      metrics.platformEvent(at.platform, event.kind, 'paused');
      logger.warn({ reason: event.reason }, 'a channel was disconnected by its platform and is paused');
      await parts.keeper.pause(channel, event.reason);
      return;
    case 'opening':
      metrics.platformEvent(at.platform, event.kind, event.view);
      return;
    case 'unsupported':
      metrics.platformEvent(at.platform, event.kind, 'ignored');
      logger.debug({ reason: event.reason }, 'a platform event was ignored');
      return;
  }
}

// A report that comes again, or late, says nothing new: not about what the person wants, either.
async function keepStatus(
  { recordStatus, consents, metrics }: ReceiveWebhookParts,
  at: ChannelPlace,
  status: InboundStatus,
): Promise<void> {
  const outcome = await recordStatus(at, status);
  metrics.platformEvent(at.platform, status.kind, outcome);
  if (status.consent && outcome === 'recorded') await consents.record(at, status.consent);
}

async function openAll(
  { logger }: ReceiveWebhookParts,
  gateway: WebhookGateway,
  channel: OpenChannel,
  openings: readonly InboundOpening[],
): Promise<void> {
  for (const opening of openings) {
    try {
      await gateway.open?.(channel, opening, AbortSignal.timeout(openWithinMs));
    } catch (error) {
      logger.warn({ err: error }, 'what a person opened could not be filled');
    }
  }
}
