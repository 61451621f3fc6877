import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';

/** What is counted. Labels name platforms and outcomes, never tenants: those would grow without bound. */
export type Metrics = ReturnType<typeof createMetrics>;

const secondsBuckets = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120];

/** What somebody may be attacking by. The label of a counter: no tenant, no address. */
export type SecurityEventKind = 'cross_tenant' | 'lockout' | 'refresh_reuse' | 'passkey_copied';

type Backlog = readonly { kind: string; depth: number; oldestSeconds: number }[];

/** `readBacklog` is asked at each scrape; while it cannot answer, the two queue gauges are left out. */
export function createMetrics(readBacklog: () => Promise<Backlog>) {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });

  const received = new Counter({
    name: 'swarmgate_messages_received_total',
    help: 'Messages kept, and duplicates recognised.',
    labelNames: ['platform', 'outcome'],
    registers,
  });
  const answered = new Counter({
    name: 'swarmgate_turns_answered_total',
    help: 'Turns that ended with an answer.',
    labelNames: ['platform'],
    registers,
  });
  const failed = new Counter({
    name: 'swarmgate_turns_failed_total',
    help: 'Turns that ended without an answer, by reason.',
    labelNames: ['platform', 'reason'],
    registers,
  });
  const turnSeconds = new Histogram({
    name: 'swarmgate_turn_seconds',
    help: 'How long one attempt at a turn took.',
    labelNames: ['platform'],
    buckets: secondsBuckets,
    registers,
  });
  const delivered = new Counter({
    name: 'swarmgate_deliveries_sent_total',
    help: 'Messages that a platform took.',
    labelNames: ['platform'],
    registers,
  });
  const undeliverable = new Counter({
    name: 'swarmgate_deliveries_failed_total',
    help: 'Messages that were given up, by reason.',
    labelNames: ['platform', 'reason'],
    registers,
  });
  const doubled = new Counter({
    name: 'swarmgate_deliveries_doubled_total',
    help: 'Messages that may stand on their platform twice: an attempt was interrupted and the platform could not tell.',
    labelNames: ['platform'],
    registers,
  });
  const events = new Counter({
    name: 'swarmgate_platform_events_total',
    help: 'What platforms told, by kind of event and what became of it.',
    labelNames: ['platform', 'kind', 'outcome'],
    registers,
  });
  const deliverySeconds = new Histogram({
    name: 'swarmgate_delivery_seconds',
    help: 'How long one attempt at a delivery took.',
    labelNames: ['platform'],
    buckets: secondsBuckets,
    registers,
  });
  const rejected = new Counter({
    name: 'swarmgate_requests_rejected_total',
    help: 'Requests that were refused, by code.',
    labelNames: ['code'],
    registers,
  });
  const depth = new Gauge({
    name: 'swarmgate_queue_depth',
    help: 'Conversations with something due, and webhooks that are, by kind of work.',
    labelNames: ['kind'],
    registers,
  });
  const age = new Gauge({
    name: 'swarmgate_queue_oldest_seconds',
    help: 'How long the oldest due work has waited.',
    labelNames: ['kind'],
    registers,
  });

  const security = new Counter({
    name: 'swarmgate_security_events_total',
    help: 'Attempts at another tenant, sign-ins that were locked out, refresh tokens used twice.',
    labelNames: ['kind'],
    registers,
  });
  const webhooks = new Counter({
    name: 'swarmgate_webhook_attempts_total',
    help: 'Attempts to send webhooks, by what came of them.',
    labelNames: ['outcome'],
    registers,
  });
  // Made when there is something to tell: of processes that do not seal, 0 would be untrue.
  let sealLag: Gauge | undefined;

  const measureBacklog = async () => {
    depth.reset();
    age.reset();
    for (const { kind, depth: waiting, oldestSeconds } of await readBacklog().catch(() => [])) {
      depth.set({ kind }, waiting);
      age.set({ kind }, oldestSeconds);
    }
  };

  return {
    received: (platform: string, outcome: string) => received.inc({ platform, outcome }),
    answered: (platform: string) => answered.inc({ platform }),
    failed: (platform: string, reason: string) => failed.inc({ platform, reason }),
    turnTook: (platform: string, seconds: number) => turnSeconds.observe({ platform }, seconds),
    delivered: (platform: string) => delivered.inc({ platform }),
    undeliverable: (platform: string, reason: string) => undeliverable.inc({ platform, reason }),
    doubled: (platform: string) => doubled.inc({ platform }),
    platformEvent: (platform: string, kind: string, outcome: string) =>
      events.inc({ platform, kind, outcome }),
    deliveryTook: (platform: string, seconds: number) => deliverySeconds.observe({ platform }, seconds),
    rejected: (code: string) => rejected.inc({ code }),
    securityEvent: (kind: SecurityEventKind) => security.inc({ kind }),
    webhookAttempt: (outcome: string) => webhooks.inc({ outcome }),
    auditSealLag(seconds: number): void {
      sealLag ??= new Gauge({
        name: 'swarmgate_audit_seal_lag_seconds',
        help: 'How long the oldest audit event that is not sealed has waited.',
        registers,
      });
      sealLag.set(seconds);
    },
    contentType: registry.contentType,
    /** The Prometheus text format. */
    async render(): Promise<string> {
      await measureBacklog();
      return registry.metrics();
    },
  };
}
