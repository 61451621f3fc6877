import { randomUUID } from 'node:crypto';
import type { Authenticate } from '#admin/api-parts.ts';
import { apiRoutes } from '#admin/api-routes.ts';
import { createAuthenticate } from '#admin/authenticate.ts';
import { createHandlers } from '#admin/handlers.ts';
import { jwksRoute } from '#admin/jwks-route.ts';
import { referenceRoute } from '#admin/reference-page.ts';
import { signOnRoute } from '#admin/sign-on-route.ts';
import { welcomeRoute } from '#admin/welcome-page.ts';
import type { Agent } from '#agents/agent.ts';
import { createAgents } from '#agents/create-agents.ts';
import { splitPassages } from '#agents/knowledge/split-passages.ts';
import { createAuditTrail } from '#audit/create-audit-trail.ts';
import { startDropping } from '#audit/start-dropping.ts';
import { startAuditSealer } from '#audit/start-sealer.ts';
import type { Config } from '#config/config.ts';
import { isForThisMachine } from '#config/for-this-machine.ts';
import { sharedAppsOf } from '#config/shared-apps.ts';
import { connectRedis, type RedisConnections } from '#connections/redis.ts';
import { createCancelTurn } from '#conversations/cancel-turn.ts';
import { createChannelSlots } from '#conversations/channel-slots.ts';
import { createDeliver } from '#conversations/deliver.ts';
import { createDeliveryDesk, type DeliveryDesk } from '#conversations/delivery-desk.ts';
import { createDeliveryJournal } from '#conversations/delivery-journal.ts';
import { type KeepAlive, startKeepAlive } from '#conversations/keep-alive.ts';
import { createTranscripts } from '#conversations/read-transcript.ts';
import { createReceiveChange } from '#conversations/receive-change.ts';
import { createReceiveMessage } from '#conversations/receive-message.ts';
import { createReceiveRequest } from '#conversations/receive-request.ts';
import { createRecordStatus } from '#conversations/record-status.ts';
import { createRunTurn } from '#conversations/run-turn.ts';
import { type AcceptedMessage, createSendMessage, type NewMessage } from '#conversations/send-message.ts';
import { StoppingError } from '#conversations/settle-turn.ts';
import { createTurnJournal } from '#conversations/turn-journal.ts';
import { createWriteFirst } from '#conversations/write-first.ts';
import type { LiveUpdates } from '#events/live.ts';
import { createLiveInProcess } from '#events/live-in-process.ts';
import { createLiveOnPostgres } from '#events/live-on-postgres.ts';
import { createLiveOnRedis } from '#events/live-on-redis.ts';
import type { FileStore } from '#files/file-store.ts';
import { createGatewayCatalog } from '#gateways/catalog.ts';
import type { Gateway } from '#gateways/gateway.ts';
import type { ChannelPlace, PaceBudget } from '#gateways/journey.ts';
import { createReceiveWebhook } from '#gateways/receive-webhook.ts';
import { createIdentityChecker } from '#gateways/webchat/identity.ts';
import { createWebChatGateway } from '#gateways/webchat/index.ts';
import { webChatRoutes } from '#gateways/webchat/routes.ts';
import { createVisitorTokens } from '#gateways/webchat/tokens.ts';
import { webhookRoutes } from '#gateways/webhook-router.ts';
import { fileRoutes } from '#http/file-routes.ts';
import { createHttpApp } from '#http/http-app.ts';
import { type Listening, listen } from '#http/listen.ts';
import { operationsRoutes, type Readiness } from '#http/operations.ts';
import { pageRoutes } from '#http/pages.ts';
import { createKeyAuthenticator } from '#identity/authenticate-key.ts';
import { startForgetting } from '#identity/forget-ended.ts';
import { createIdentity, type Identity, type SecondFactorPolicy } from '#identity/identity.ts';
import { keepMember } from '#identity/members/keep-member.ts';
import { createExpiringCache } from '#kernel/expiring-cache.ts';
import { createGuardedFetch } from '#kernel/guarded-fetch.ts';
import type { Logger } from '#kernel/logger.ts';
import { createMetrics } from '#kernel/metrics.ts';
import { createNetworkLookup } from '#kernel/network-lookup.ts';
import { createTxtResolver, type ResolveTxt } from '#kernel/resolve-txt.ts';
import type { LookupAll } from '#kernel/url-guard.ts';
import { within } from '#kernel/within.ts';
import { failureMessage, texts } from '#locales/en.ts';
import { createPaceInProcess } from '#metering/pace-in-process.ts';
import { createPaceOnPostgres } from '#metering/pace-on-postgres.ts';
import { createPaceOnRedis } from '#metering/pace-on-redis.ts';
import { createRateLimit } from '#metering/rate-limiter.ts';
import { createChatModels } from '#models/chat-models.ts';
import { createFairClockOnPostgres } from '#queue/fair-clock-on-postgres.ts';
import { createFairClockOnRedis } from '#queue/fair-clock-on-redis.ts';
import type { WakeQueue } from '#queue/job.ts';
import { startSweeper } from '#queue/sweeper.ts';
import { createWakeQueue } from '#queue/wake-queue.ts';
import { apply } from '#tenancy/apply/apply.ts';
import type { ApplyPlan, Change } from '#tenancy/apply/apply-plan.ts';
import { createChannelDirectory } from '#tenancy/channel-directory.ts';
import { createChannelKeeper } from '#tenancy/channel-keeper.ts';
import { createKnowledgeSearch } from '#tenancy/knowledge-search.ts';
import { createOpenAgent } from '#tenancy/open-agent.ts';
import { createQuarantine } from '#tenancy/quarantine.ts';
import type { Scopes } from '#tenancy/scopes.ts';
import { startDeleting } from '#tenancy/start-deleting.ts';
import { createTenantHosts } from '#tenancy/tenant-hosts.ts';
import { keepWebhooks } from '#webhooks/keep-webhooks.ts';
import { startForgettingWebhooks } from '#webhooks/start-forgetting.ts';
import { startWebhooks } from '#webhooks/start-webhooks.ts';
import { linkTo } from './cli/install-link.ts';
import { createPlatforms } from './platforms.ts';
import { openStorage, type Storage } from './storage.ts';

/** What a test or a benchmark may set otherwise; production never does. */
export type AppOverrides = {
  leaseMs?: number;
  claimMs?: number;
  turnConcurrency?: number;
  /** Keeps the keys of one installation in a shared Redis apart from another's. */
  redisPrefix?: string;
  gateways?: readonly Gateway[];
  /** Stand between the parts of the journey, to stop, break or watch it at a chosen point. */
  wrapScopes?: (scopes: Scopes) => Scopes;
  wrapQueue?: (queue: WakeQueue) => WakeQueue;
  wrapAgents?: (agents: Agent) => Agent;
  wrapGateway?: (gateway: Gateway) => Gateway;
  wrapAuthenticate?: (authenticate: Authenticate) => Authenticate;
  /** Hosts that tenants' addresses may lead to although they are not public. */
  allowedHosts?: readonly string[];
  /** What looks up the hosts of webhooks, and how long their receivers may take. */
  webhooks?: { lookup?: LookupAll; timeoutMs?: number; claimMs?: number };
  secondFactorOf?: SecondFactorPolicy;
  /** What the records of domains say. */
  resolveTxt?: ResolveTxt;
};

export type App = {
  readonly storage: Storage;
  /** Begins the work of the configured roles. Answers the port that it listens on. */
  start(): Promise<{ port: number }>;
  apply(plan: ApplyPlan, options: { dryRun: boolean }): Promise<Change[]>;
  /** Says something without being asked. */
  sendMessage(at: ChannelPlace, message: NewMessage): Promise<AcceptedMessage>;
  readonly files: FileStore;
  /** Ends in order and within 11 s: no new work, what is at work ends or is put back, connections last. */
  close(): Promise<void>;
};

/** How long a conversation belongs to a worker that gives no sign of life; also what a crash delays its answer by. */
const leaseMsDefault = 6_000;
/** The same for a delivery. Nothing renews it, so a platform has less than this to take a message. */
const claimMsDefault = 30_000;
/** What one process has at work at once. Most of it waits for models and platforms. */
const turnConcurrency = 100;
const deliveryConcurrency = 100;
/** Anybody may ask whether the service is well, as often as they like; the database is asked this seldom. */
const probeTtlMs = 250;
/** How long work may end by itself when the process stops, and then how long it may take to be put back. */
const drainTimeoutMs = 5_000;
const putBackTimeoutMs = 2_500;
/** What is on its way to a receiver is cut off before its record could not be kept any more. */
const webhookDrainMs = 4_000;
/** And how long the others may take to hear that it has ended. */
const goodbyeTimeoutMs = 500;
const disconnectTimeoutMs = 1_000;
const probeTimeoutMs = 2_000;

/** THE composition root: every part is made and wired here, and nowhere else. `widgetDirectory` is needed by the role `api`. */
export async function createApp(
  config: Config,
  logger: Logger,
  widgetDirectory: string,
  overrides: AppOverrides = {},
): Promise<App> {
  const storage = await openStorage(config, logger);
  const { database, keyRing } = storage;
  const scopes = overrides.wrapScopes?.(storage.scopes) ?? storage.scopes;
  const prefix = overrides.redisPrefix ?? 'swarmgate';
  const redis =
    config.queue.kind === 'redis'
      ? connectRedis(config.queue.url, (error) => logger.warn({ err: error }, 'a Redis connection broke'))
      : undefined;
  const ownQueue = createWakeQueue({
    logger,
    clockOf: (name) =>
      redis ? createFairClockOnRedis(redis, prefix, name) : createFairClockOnPostgres(scopes, name),
    backend: redis ? { kind: 'redis', redis, prefix } : { kind: 'postgres', pool: database.queuePool },
  });
  const queue = overrides.wrapQueue?.(ownQueue) ?? ownQueue;
  const live = await createLive(storage, redis, prefix, logger);
  const readBacklog = async () => {
    const look = (name: 'swarmgate.backlog_v1' | 'swarmgate.webhook_backlog_v1') =>
      scopes.call<{ kind: string; depth: string; oldest_seconds: number }>(name, []);
    const rows = [...(await look('swarmgate.backlog_v1')), ...(await look('swarmgate.webhook_backlog_v1'))];
    return rows.map((row) => ({
      kind: row.kind,
      depth: Number(row.depth),
      oldestSeconds: row.oldest_seconds,
    }));
  };
  const recentBacklog = createExpiringCache<Awaited<ReturnType<typeof readBacklog>>>(probeTtlMs, 1);
  const metrics = createMetrics(() => recentBacklog('all', readBacklog));
  const channels = createChannelDirectory({ scopes, keyRing });
  const allowedHosts = overrides.allowedHosts ?? config.privateHosts;
  const resolveTxt = overrides.resolveTxt ?? createTxtResolver();
  const guardedFetch = createGuardedFetch({ allowedHosts });
  const holder = `${process.pid}-${randomUUID()}`;
  let port = config.port.number;
  const publicUrl = () => config.publicUrl ?? `http://localhost:${port}`;
  const keeper = createChannelKeeper({ scopes, keyRing, channels });
  const hosts = createTenantHosts({ scopes, channels, publicUrl, baseDomain: config.tenantBaseDomain });
  const hostTenant = (request: { hostname: string }) => hosts.tenantOf(request.hostname);
  let keepAlive: KeepAlive | undefined;
  const platforms = createPlatforms({
    ...{ config, scopes, keyRing, channels, keeper, logger, metrics, holder, publicUrl },
    isAlive: () => keepAlive?.isAlive() ?? true,
    paceBudget: createPaceBudget(storage, scopes, redis, prefix),
    allowedHosts,
  });
  const gateways = [createWebChatGateway(live), ...platforms.gateways, ...(overrides.gateways ?? [])];
  const gatewayOf = createGatewayCatalog(
    overrides.wrapGateway ? gateways.map(overrides.wrapGateway) : gateways,
  );
  const draining = new AbortController();
  const stop = new AbortController();
  let listening: Listening | undefined;
  let stopScheduler: (() => Promise<void>) | undefined;
  let sockets: { stop(): Promise<void> } | undefined;
  let desk: DeliveryDesk | undefined;
  let stopWebhooks: ((drainMs: number) => Promise<void>) | undefined;

  const leaseMs = overrides.leaseMs ?? leaseMsDefault;
  const claimMs = overrides.claimMs ?? claimMsDefault;

  async function startWorker(): Promise<void> {
    const life = await startKeepAlive({ scopes, holder, logger });
    keepAlive = life;
    const models = createChatModels({ platform: config.models, guardedFetch });
    const agents = createAgents({ models, knowledge: createKnowledgeSearch(scopes) });
    const openChannel = channels.find;
    const shared = { openChannel, gatewayOf, keeper, queue, logger, metrics, draining: draining.signal };
    const slots = createChannelSlots();
    desk = createDeliveryDesk({
      deliver: {
        send: (delivery, askedAt) => deliver.send(delivery, askedAt),
        lineUp: (at, channelId) => deliver.lineUp(at, channelId),
      },
      ...{ slots, logger, draining: draining.signal },
    });
    const deliver = createDeliver({
      ...shared,
      journal: createDeliveryJournal(scopes, { holder, claimMs }),
      claimMs,
      slots,
      desk,
      life,
    });
    const runTurn = createRunTurn({
      ...shared,
      journal: createTurnJournal(scopes, { holder, leaseMs, claimMs }),
      leaseMs,
      agents: overrides.wrapAgents?.(agents) ?? agents,
      openAgent: createOpenAgent(keyRing),
      texts: { stopped: texts.stopped, failed: failureMessage },
      desk,
      live,
      stop: stop.signal,
    });
    queue.work('turn', runTurn, overrides.turnConcurrency ?? turnConcurrency);
    queue.work('delivery', deliver.onWakeUp, deliveryConcurrency);
    const { lookup = createNetworkLookup(), ...limits } = overrides.webhooks ?? {};
    stopWebhooks = startWebhooks({
      ...{ scopes, trail, keyRing, allowedHosts, logger, ...limits },
      fetch: createGuardedFetch({ allowedHosts, lookup }),
      onAttempt: metrics.webhookAttempt,
    });
  }

  function startScheduler(): void {
    const stopForgetting = startForgetting({ scopes, logger });
    const stopForgettingWebhooks = startForgettingWebhooks({ scopes, logger });
    const stops = [
      startSweeper({ scopes, queue, logger }),
      startDeleting({ scopes, trail, files: platforms.files, queue, logger }),
      startAuditSealer({
        ...{ scopes, keyRing, logger },
        directory: config.auditDir,
        onLag: metrics.auditSealLag,
      }),
      ...(config.auditRetentionMs === undefined
        ? []
        : [startDropping({ scopes, keyRing, logger, retentionMs: config.auditRetentionMs })]),
    ];
    stopScheduler = async () => {
      stopForgetting();
      stopForgettingWebhooks();
      await Promise.all(stops.map((end) => end()));
    };
  }

  const receive = createReceiveMessage({ scopes, queue, live, metrics });
  const sendMessage = createSendMessage({ scopes, queue });
  const receiveWebhook = createReceiveWebhook({
    ...{ channels, keeper, receive, logger, metrics },
    consents: platforms.consents,
    references: platforms.references,
    quarantine: createQuarantine(scopes),
    receiveChange: createReceiveChange({ scopes, files: platforms.files }),
    receiveRequest: createReceiveRequest(sendMessage),
    recordStatus: createRecordStatus(scopes),
  });

  const rateLimit = createRateLimit(redis && { connections: redis, prefix });

  const trail = createAuditTrail({ scopes, keyRing });
  // Its tokens are from and for the public address, which is known once the service listens.
  let identity: Identity | undefined;
  const people = () =>
    (identity ??= createIdentity({
      ...{ scopes, keyRing, audit: trail, publicUrl: publicUrl() },
      secondFactorOf: overrides.secondFactorOf ?? (isForThisMachine(config) ? 'nobody' : 'admins'),
      ...{ guardedFetch, allowedHosts },
      resolveTxt,
      onSecurityEvent: metrics.securityEvent,
    }));

  function restRoutes() {
    const checkKey = createKeyAuthenticator({ scopes, logger });
    const authenticate = createAuthenticate({ checkKey, people, countCalls: rateLimit, trail });
    return apiRoutes(
      {
        ...{ scopes, keyRing, trail, people },
        countCalls: rateLimit,
        hostTenant,
        onForeignTenant: () => metrics.securityEvent('cross_tenant'),
        authenticate: overrides.wrapAuthenticate?.(authenticate) ?? authenticate,
        grantIn: (principal, tenantId) => people().grantFor(principal, tenantId),
        organizationGrantIn: (principal, organizationId) =>
          people().organizationGrantFor(principal, organizationId),
      },
      createHandlers({
        ...{ scopes, keyRing, trail, countCalls: rateLimit },
        ...{ sendMessage, records: trail, people, forgetKey: checkKey.forget },
        sharedApps: sharedAppsOf(config),
        allowedHosts,
        graceMs: config.tenantGraceMs,
        ...{ resolveTxt, publicUrl },
        baseDomain: config.tenantBaseDomain,
        forgetChannel: channels.forget,
        async makeInstallLink({ tenantId, channelId }) {
          const open = await channels.findLatest(tenantId, channelId);
          const { platforms } = config;
          return open && linkTo(keyRing, open, 'The channel', { publicUrl: publicUrl(), platforms });
        },
        writeFirst: createWriteFirst({ openChannel: channels.find, gatewayOf, sendMessage }),
      }),
      publicUrl,
    );
  }

  function chatRoutes() {
    return webChatRoutes({
      ...{ channels, hosts },
      tokens: createVisitorTokens(keyRing),
      checkIdentity: createIdentityChecker(guardedFetch),
      receive,
      transcripts: createTranscripts(scopes),
      cancelTurn: createCancelTurn({ scopes, live, queue }),
      live,
      rateLimit,
      logger,
      stop: draining.signal,
    });
  }

  // Every process listens, whatever its roles: each is to be watched.
  async function startHttp(): Promise<number> {
    const hasDemo = async () => (await channels.findByKey('webchat', 'wk_demo')) !== undefined;
    const hostLeadsTo = async (host: string | undefined) => {
      const tenantId = await hosts.tenantOf(host);
      if (tenantId === undefined) return 'installation';
      return (await hosts.webChatOf(tenantId)) ? 'chat' : 'nothing';
    };
    const http = createHttpApp({
      logger,
      metrics,
      trustedProxies: config.trustedProxies,
      routes: [
        {
          path: '/',
          router: operationsRoutes({ metrics, metricsToken: config.metricsToken, checkReadiness }),
        },
        ...(config.roles.has('api')
          ? [
              { path: '/chat/v1', router: chatRoutes() },
              { path: '/api/v1', router: restRoutes() },
              { path: '/', router: jwksRoute(people) },
              { path: '/', router: signOnRoute({ people, countCalls: rateLimit, hostTenant }) },
              { path: '/', router: referenceRoute(publicUrl) },
              ...(isForThisMachine(config) ? [{ path: '/', router: welcomeRoute() }] : []),
              { path: '/', router: webhookRoutes({ ...platforms, receiveWebhook, publicUrl }) },
              { path: '/', router: fileRoutes({ openLink: platforms.openLink }) },
              { path: '/', router: pageRoutes({ directory: widgetDirectory, hasDemo, hostLeadsTo }) },
            ]
          : []),
      ],
    });
    listening = await listen(http, config.host, config.port);
    port = listening.port;
    return port;
  }

  const recentProbe = createExpiringCache<boolean>(probeTtlMs, 2);

  async function checkReadiness(): Promise<Readiness> {
    const databaseAnswers = () =>
      within(probeTimeoutMs, database.pool.query('SELECT FROM schema_history.migrations LIMIT 1'));
    const [hasDatabase, hasQueue] = await Promise.all([
      recentProbe('database', databaseAnswers),
      recentProbe('queue', () => queue.isReachable()),
    ]);
    const state = (ok: boolean) => (ok ? ('ok' as const) : ('failing' as const));
    const stopping = draining.signal.aborted;
    return {
      ready: hasDatabase && !stopping && (hasQueue || config.roles.has('api')),
      degraded: !hasQueue,
      checks: {
        database: state(hasDatabase),
        queue: state(hasQueue),
        ...(stopping && { process: 'stopping' as const }),
      },
    };
  }

  async function stopWork(): Promise<void> {
    const startedAt = performance.now();
    let isDone = await queue.stopWork(drainTimeoutMs);
    if (!isDone) {
      stop.abort(new StoppingError());
      isDone = await queue.stopWork(putBackTimeoutMs);
    }
    const leftMs = drainTimeoutMs + putBackTimeoutMs - (performance.now() - startedAt);
    const isEmpty = (await desk?.empty(Math.max(0, leftMs))) ?? true;
    await within(goodbyeTimeoutMs, keepAlive?.stop(isDone && isEmpty) ?? Promise.resolve());
  }

  return {
    storage,
    async start() {
      if (config.roles.has('worker')) await startWorker();
      if (config.roles.has('scheduler')) startScheduler();
      await startHttp();
      if (config.roles.has('sockets')) sockets = platforms.startSockets(receiveWebhook);
      return { port };
    },
    files: platforms.files,
    sendMessage,
    apply: (plan, options) =>
      apply(
        {
          ...{ scopes, keyRing, splitPassages, sharedApps: sharedAppsOf(config) },
          keepMember: (member, how) => keepMember({ scopes, audit: trail }, member, how),
          keepWebhooks: (tenantId, planned, how) =>
            keepWebhooks({ scopes, trail, keyRing, allowedHosts }, tenantId, planned, how),
        },
        plan,
        options,
      ),
    async close() {
      draining.abort();
      // At the same time, because what stops a process (an orchestrator, Docker after 10 s) does not wait for long.
      const schedulerStopped = within(drainTimeoutMs, stopScheduler?.() ?? Promise.resolve());
      const socketsStopped = within(drainTimeoutMs, sockets?.stop() ?? Promise.resolve());
      const webhooksStopped = within(drainTimeoutMs, stopWebhooks?.(webhookDrainMs) ?? Promise.resolve());
      await Promise.all([
        ...[listening?.stop(drainTimeoutMs), schedulerStopped, socketsStopped, webhooksStopped],
        stopWork(),
      ]);
      // What hangs now hangs on a server that is gone; the process ends all the same.
      for (const end of [() => queue.close(), async () => redis?.close(), () => storage.close()]) {
        if (!(await within(disconnectTimeoutMs, end())))
          logger.warn({}, 'a connection did not close in time');
      }
    },
  };
}

// The embedded database has one process, which needs nobody to count with.
function createPaceBudget(
  { database }: Storage,
  scopes: Scopes,
  redis: RedisConnections | undefined,
  prefix: string,
): PaceBudget {
  if (redis) return createPaceOnRedis(redis, prefix);
  return database.kind === 'embedded' ? createPaceInProcess() : createPaceOnPostgres(scopes);
}

function createLive(
  { database }: Storage,
  redis: RedisConnections | undefined,
  prefix: string,
  logger: Logger,
): Promise<LiveUpdates> | LiveUpdates {
  if (redis) return createLiveOnRedis(redis, prefix, logger);
  return database.kind === 'embedded' ? createLiveInProcess() : createLiveOnPostgres(database, logger);
}
