import type { Permission } from '@swarmgate/contract/rest/permissions.ts';
import type {
  Webhook,
  WebhookAttempt,
  WebhookDelivery,
  webhookOperations,
} from '@swarmgate/contract/rest/webhooks.ts';
import { webhookEvents } from '@swarmgate/contract/webhook-events.ts';
import { toWire, type Uuid } from '#domain/ids.ts';
import type { Principal } from '#identity/principal.ts';
import type { KeyRing } from '#kernel/key-ring.ts';
import { ProblemError } from '#kernel/problem.ts';
import { ForbiddenUrlError } from '#kernel/url-guard.ts';
import type { Unit } from '#tenancy/scopes.ts';
import {
  hasDelivery,
  listAttempts,
  listDeliveries,
  replayDelivery,
  replayFailed,
  sendPing,
  type WebhookAttemptRow,
  type WebhookDeliveryRow,
} from '#webhooks/deliveries.ts';
import { checkEndpointUrl } from '#webhooks/endpoint-url.ts';
import {
  createWebhook,
  deleteWebhook,
  findWebhook,
  holdWebhook,
  listWebhooks,
  rotateSecret,
  updateWebhook,
  type WebhookRow,
  webhooksMax,
} from '#webhooks/endpoints.ts';
import { pageOf, readIdCursor } from './cursor.ts';
import { refuseMore } from './hand-on.ts';
import type { HandlersOf } from './handler.ts';
import { conflict, forbidden, notFound } from './refusals.ts';
import { refuseOtherVersion } from './versions.ts';

export type WebhookHandlerParts = {
  keyRing: KeyRing;
  /** Hosts that tenants' addresses may lead to although they are not public. */
  allowedHosts: readonly string[];
};

/** How many are replayed by one call. */
const replayedMax = 1_000;

export function webhookHandlers({
  keyRing,
  allowedHosts,
}: WebhookHandlerParts): HandlersOf<typeof webhookOperations> {
  return {
    listWebhooks: {
      async inTenant(_asked, unit) {
        return { body: { items: (await listWebhooks(unit)).map(show) } };
      },
    },
    createWebhook: {
      async inTenant(asked, unit) {
        const { tenantId, body } = asked;
        refuseGuest(asked.principal);
        refuseForbidden(body.url, allowedHosts);
        await refuseMore(unit, asked, readBy(body));
        const made = await createWebhook(unit, keyRing, tenantId, body);
        if (!made) throw conflict('too_many_webhooks', `A tenant has ${webhooksMax} endpoints at most.`);
        return {
          ...versioned(made.row, { secret: made.secret }),
          resourceId: toWire('webhook', made.row.id),
          detail: { eventTypes: body.eventTypes, includeText: body.includeText },
        };
      },
    },
    getWebhook: {
      async inTenant({ ids }, unit) {
        const row = await findWebhook(unit, ids.webhookId);
        if (!row) throw notFound();
        return versioned(row);
      },
    },
    updateWebhook: {
      async inTenant(asked, unit) {
        const { ids, body, seenVersion } = asked;
        const row = await hold(unit, ids.webhookId, seenVersion);
        const wanted = {
          url: body.url ?? row.url,
          description: body.description ?? row.description,
          eventTypes: body.eventTypes ?? row.event_types,
          includeText: body.includeText ?? row.include_text,
          isEnabled: (body.status ?? row.status) === 'enabled',
        };
        if (body.url !== undefined) refuseForbidden(body.url, allowedHosts);
        // Whoever leads elsewhere what is told here gets to read it.
        const onlyStops = Object.keys(body).every((name) => name === 'status') && !wanted.isEnabled;
        if (!onlyStops) {
          refuseGuest(asked.principal);
          await refuseMore(unit, asked, readBy(wanted));
        }
        return {
          ...versioned(await updateWebhook(unit, row.id, wanted)),
          detail: { changed: Object.keys(body) },
        };
      },
    },
    deleteWebhook: {
      async inTenant({ ids, seenVersion }, unit) {
        const row = await hold(unit, ids.webhookId, seenVersion);
        await deleteWebhook(unit, row.id);
        return { body: undefined };
      },
    },
    rotateWebhookSecret: {
      async inTenant({ tenantId, ids, body: { overlapSeconds }, seenVersion }, unit) {
        const { id } = await hold(unit, ids.webhookId, seenVersion);
        const { row, secret } = await rotateSecret(unit, keyRing, tenantId, { id, overlapSeconds });
        return { ...versioned(row, { secret }), detail: { overlapSeconds } };
      },
    },
    testWebhook: {
      async inTenant({ tenantId, ids }, unit) {
        const { id } = await holdEnabled(unit, ids.webhookId);
        const eventId = toWire('event', await sendPing(unit, tenantId, id));
        return { body: { eventId }, detail: { eventId } };
      },
    },
    listWebhookDeliveries: {
      async inTenant({ ids, query: { cursor, limit, state, eventType } }, unit) {
        if (!(await findWebhook(unit, ids.webhookId))) throw notFound();
        const choice = { state, type: eventType, before: readIdCursor(cursor), limit: limit + 1 };
        const rows = await listDeliveries(unit, ids.webhookId, choice);
        return { body: pageOf(rows, limit, ({ event_id }) => event_id, showDelivery) };
      },
    },
    listWebhookAttempts: {
      async inTenant({ ids }, unit) {
        const rows = await listAttempts(unit, ids);
        if (!rows) throw notFound();
        return { body: { items: rows.map(showAttempt) } };
      },
    },
    replayWebhook: {
      async inTenant({ ids }, unit) {
        const row = await hold(unit, ids.webhookId);
        if (!(await hasDelivery(unit, ids))) throw notFound();
        refuseDisabled(row);
        await replayDelivery(unit, ids);
        const webhookId = row.id;
        return { body: undefined, detail: { webhookId: toWire('webhook', webhookId) } };
      },
    },
    replayFailedWebhooks: {
      async inTenant({ ids, body }, unit) {
        const { id: webhookId } = await holdEnabled(unit, ids.webhookId);
        const since = new Date(body.since);
        const replayed = await replayFailed(unit, { webhookId, since, limit: replayedMax });
        return { body: { replayed, hasMore: replayed === replayedMax }, detail: { replayed } };
      },
    },
  };
}

async function hold(unit: Unit, id: Uuid, seenVersion?: number): Promise<WebhookRow> {
  const row = await holdWebhook(unit, id);
  if (!row) throw notFound();
  refuseOtherVersion(row.version, seenVersion);
  return row;
}

async function holdEnabled(unit: Unit, id: Uuid): Promise<WebhookRow> {
  const row = await hold(unit, id);
  refuseDisabled(row);
  return row;
}

function refuseDisabled({ status }: WebhookRow): void {
  if (status !== 'enabled')
    throw conflict('webhook_disabled', 'Nothing is sent to this endpoint; let it go on first.');
}

// An endpoint outlives whoever made it; of a tenant's own issuer nobody here knows when its subject is gone.
function refuseGuest({ kind }: Principal): void {
  if (kind === 'token_subject') throw forbidden('Endpoints are made and changed by people, and by API keys.');
}

function refuseForbidden(url: string, allowedHosts: readonly string[]): void {
  try {
    checkEndpointUrl(url, allowedHosts);
  } catch (error) {
    if (!(error instanceof ForbiddenUrlError)) throw error;
    throw new ProblemError(400, error.code, 'Invalid request', error.message, {}, [
      { pointer: '/body/url', detail: error.message },
    ]);
  }
}

/** What whoever is told of these gets to read. */
function readBy({
  eventTypes,
  includeText,
}: {
  eventTypes: readonly string[];
  includeText: boolean;
}): Permission[] {
  const isTold = (type: string) => eventTypes.includes('*') || eventTypes.includes(type);
  const read = Object.entries(webhookEvents).flatMap(([type, { reads }]) => (isTold(type) ? [reads] : []));
  return [...new Set<Permission>(includeText ? [...read, 'conversations:read'] : read)];
}

function versioned<More extends object>(row: WebhookRow, more?: More) {
  return { body: { ...show(row), ...(more as More) }, version: row.version };
}

function show(row: WebhookRow): Webhook {
  const { id, url, description, status, version } = row;
  return {
    ...{ id: toWire('webhook', id), url, description, status, version },
    eventTypes: row.event_types,
    includeText: row.include_text,
    disabledReason: row.disabled_reason,
    failingSince: row.failing_since?.toISOString() ?? null,
    previousSecretUntil: row.previous_until?.toISOString() ?? null,
    createdAt: row.created_at.toISOString(),
    updatedAt: row.updated_at.toISOString(),
  };
}

function showDelivery(row: WebhookDeliveryRow): WebhookDelivery {
  const { state, attempts, status } = row;
  return {
    ...{ eventId: toWire('event', row.event_id), eventType: row.type, state, attempts, status },
    errorCode: row.error_code,
    occurredAt: row.occurred_at.toISOString(),
    nextAttemptAt: row.next_attempt_at?.toISOString() ?? null,
    finishedAt: row.finished_at?.toISOString() ?? null,
  };
}

function showAttempt(row: WebhookAttemptRow): WebhookAttempt {
  const { number, outcome, status, answer } = row;
  return {
    ...{ number, outcome, status, answer },
    startedAt: row.started_at.toISOString(),
    durationMs: row.duration_ms,
    errorCode: row.error_code,
  };
}
