import type { AccountKey } from '@swarmgate/contract/channels/described-channel.ts';
import { AppError } from '#domain/errors.ts';
import { extendContext } from '#kernel/context.ts';
import type { Logger } from '#kernel/logger.ts';
import type { Metrics } from '#kernel/metrics.ts';
import { createRecentKeys } from '#kernel/recent-keys.ts';
import type {
  CalledApp,
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
  ConversationReferences,
  Quarantine,
  ReceiveChange,
  ReceiveMessage,
  ReceiveRequest,
  RecordStatus,
} from './journey.ts';

export type ReceiveWebhookParts = {
  channels: ChannelDirectory;
  keeper: Pick<ChannelKeeper, 'pause' | 'resume'>;
  quarantine: Quarantine;
  receive: ReceiveMessage;
  receiveChange: ReceiveChange;
  receiveRequest: ReceiveRequest;
  recordStatus: RecordStatus;
  consents: Pick<ConsentLedger, 'record'>;
  references: Pick<ConversationReferences, 'keep'>;
  logger: Logger;
  metrics: Metrics;
  nowMs?: () => number;
};

/** What a request has come to. `afterwards` is for when the platform has its answer; it never rejects. */
export type Handled = {
  reply: WebhookReply;
  afterwards?: () => Promise<void>;
  /** True: what it changes is nothing that its channel has. */
  isUnknown?: boolean;
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

/** Slack, the most impatient, waits for 3 s, and its clock began before ours. */
const answerWithinMsDefault = 2_500;
const openWithinMs = 5_000;
/** What nobody claims may send a lot: it is noted and logged so often for an account. */
const unclaimedEveryMs = 60_000;
const unclaimedMax = 10_000;
const nothing: WebhookReply = { status: 200, contentType: 'text/plain', body: '' };

export type ReceiveWebhook = ReturnType<typeof createReceiveWebhook>;

/**
 * Takes what platforms send: locate → verify → identify → parse → keep. Nothing is believed or kept before the signature
 * holds, and the answer is given after the commit.
 */
export function createReceiveWebhook(parts: ReceiveWebhookParts) {
  const noteUnclaimed = createNoteUnclaimed(parts);
  const receiveVerified = async (
    gateway: WebhookGateway,
    app: CalledApp,
    request: Verified<RawRequest>,
  ): Promise<Handled> => {
    const identified = await gateway.identify(request, app);
    if (identified.kind === 'reply') {
      const { reply, afterwards } = identified;
      return { reply, ...(afterwards && { afterwards }) };
    }
    const channel = await findChannel(parts, gateway, app, identified.accounts);
    if (!channel) {
      await noteUnclaimed(gateway, app, identified.accounts);
      return { reply: gateway.unclaimed?.(request) ?? nothing };
    }
    extendContext({ tenantId: channel.tenantId });
    // Of a tenant that is being deleted nothing is kept any more.
    if (channel.tenantStatus === 'deleting') return { reply: gateway.unclaimed?.(request) ?? nothing };
    // Of a paused channel too: what people say is kept, and what is answered waits until the channel is mended.
    const { events, references = [], reply = nothing } = gateway.parse(request, channel);
    for (const reference of references) await parts.references.keep(placeOf(channel), reference);
    let isUnknown = false;
    for (const event of events) isUnknown = (await keep(parts, channel, event)) === 'unknown' || isUnknown;
    const openings = events.filter((event) => event.kind === 'opening');
    if (openings.length === 0) return { reply, ...(isUnknown && { isUnknown }) };
    return { reply, afterwards: () => openAll(parts, gateway, channel, openings) };
  };

  return {
    /** `undefined`: there is no such app here. @throws {WebhookRejectedError} and what keeping throws. */
    async receive(
      gateway: WebhookGateway,
      channelKey: string | undefined,
      request: RawRequest,
    ): Promise<Handled | undefined> {
      return inTime(gateway.answerWithinMs ?? answerWithinMsDefault, async () => {
        const app = await locate(parts, gateway, channelKey);
        if (!app) return undefined;
        const verified = await verify(parts, gateway, app, request);
        return receiveVerified(gateway, verified.app, verified.request);
      });
    },
    /** The same for what came in by a way that proves itself, such as a socket that we opened. */
    receiveVerified,
  };
}

type VerifiedCall = { app: CalledApp; request: Verified<RawRequest> };

/** Who called learns only that it was refused. @throws {WebhookRejectedError} */
async function verify(
  parts: ReceiveWebhookParts,
  gateway: WebhookGateway,
  app: CalledApp,
  request: RawRequest,
): Promise<VerifiedCall> {
  const { channels, logger, nowMs = Date.now } = parts;
  const verifyAs = async (called: CalledApp): Promise<VerifiedCall> => ({
    app: called,
    request: await gateway.verify(request, called.secrets, nowMs(), called.own),
  });
  try {
    return await verifyAs(app).catch(async (error: unknown) => {
      if (!(error instanceof WebhookRejectedError) || !app.own) throw error;
      // A secret that was changed a moment ago is in use already, and not every platform calls again. Where that cannot be
      // found out, the call stays refused.
      const own = await channels.findLatest(app.own.tenantId, app.own.id).catch(() => undefined);
      if (!own || own.version === app.own.version || gateway.ownApp(own) === '') throw error;
      return verifyAs({ secrets: own.secrets, own });
    });
  } catch (error) {
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
  { channels }: ReceiveWebhookParts,
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
  return undefined;
}

function createNoteUnclaimed({ quarantine, metrics, logger, nowMs = Date.now }: ReceiveWebhookParts) {
  const noted = createRecentKeys(unclaimedEveryMs, unclaimedMax, nowMs);

  return async (
    gateway: WebhookGateway,
    { own }: CalledApp,
    [first]: readonly Omit<AccountKey, 'app'>[],
  ): Promise<void> => {
    metrics.platformEvent(gateway.platform, 'any', 'quarantined');
    const account = first && { ...first, app: own ? gateway.ownApp(own) : '' };
    const name = JSON.stringify([gateway.platform, account]);
    if (noted.has(name)) return;
    noted.note(name);
    logger.warn({ reason: `no channel claims this ${first?.kind}` }, 'a webhook call was not kept');
    if (!account) return;
    await quarantine(gateway.platform, account, 'no channel claims it').catch((error: unknown) => {
      noted.forget(name);
      throw error;
    });
  };
}

function placeOf({ tenantId, id, platform }: OpenChannel): ChannelPlace {
  return { tenantId, channelId: id, platform };
}

// What is under way when the time is up may still be kept: the platform sends it again, and nothing happens twice.
async function inTime<T>(answerWithinMs: number, work: () => Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new WebhookLateError()), answerWithinMs);
  });
  return Promise.race([work(), late]).finally(() => clearTimeout(timer));
}

async function keep(
  parts: ReceiveWebhookParts,
  channel: OpenChannel,
  event: InboundEvent,
): Promise<'unknown' | undefined> {
  const { metrics, logger } = parts;
  const at = placeOf(channel);
  switch (event.kind) {
    case 'message':
    case 'action':
      await parts.receive(at, event);
      return undefined;
    case 'edit':
    case 'delete':
    case 'reaction': {
      const outcome = await parts.receiveChange(at, event);
      metrics.platformEvent(at.platform, event.kind, outcome);
      return outcome === 'unknown' ? outcome : undefined;
    }
    case 'request':
      metrics.platformEvent(at.platform, event.kind, await parts.receiveRequest(at, event));
      return undefined;
    case 'status':
      await keepStatus(parts, at, event);
      return undefined;
    case 'disconnected':
      metrics.platformEvent(at.platform, event.kind, 'paused');
      logger.warn({ reason: event.reason }, 'a channel was disconnected by its platform and is paused');
      await parts.keeper.pause(channel, event.reason);
      return undefined;
    case 'connected':
      if (channel.status !== 'paused' || channel.statusReason !== event.after) return undefined;
      metrics.platformEvent(at.platform, event.kind, 'resumed');
      logger.info({}, 'a channel that its platform had disconnected is back');
      await parts.keeper.resume(channel);
      return undefined;
    case 'opening':
      metrics.platformEvent(at.platform, event.kind, event.view);
      return undefined;
    case 'unsupported':
      metrics.platformEvent(at.platform, event.kind, 'ignored');
      logger.debug({ reason: event.reason }, 'a platform event was ignored');
      return undefined;
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
