import { newId, type Uuid } from '#domain/ids.ts';
import type { Unit } from '#tenancy/scopes.ts';

/** An event on its way to an endpoint, or there. */
export type WebhookDeliveryRow = {
  event_id: Uuid;
  type: string;
  state: 'pending' | 'delivered' | 'failed';
  attempts: number;
  status: number | null;
  error_code: string | null;
  occurred_at: Date;
  /** None while it is being sent. */
  next_attempt_at: Date | null;
  finished_at: Date | null;
};

export type WebhookAttemptRow = {
  number: number;
  started_at: Date;
  duration_ms: number | null;
  outcome: 'delivered' | 'failed' | 'interrupted';
  status: number | null;
  error_code: string | null;
  answer: string | null;
};

export type DeliveryChoice = {
  state?: WebhookDeliveryRow['state'] | undefined;
  type?: string | undefined;
  /** Where a page ended: those behind it. */
  before: Uuid | undefined;
  limit: number;
};

/** What was sent to an endpoint of the unit's tenant or waits to be, the latest first. */
export function listDeliveries(
  unit: Unit,
  webhookId: Uuid,
  { state, type, before, limit }: DeliveryChoice,
): Promise<WebhookDeliveryRow[]> {
  return unit.sql<WebhookDeliveryRow>(
    `SELECT d.event_id, e.type, d.state, d.attempts, d.status, d.error_code, e.occurred_at, d.finished_at,
         CASE WHEN d.claim_expires_at IS NULL THEN d.due_at END AS next_attempt_at
       FROM swarmgate.webhook_deliveries d JOIN swarmgate.webhook_events e ON e.tenant_id = d.tenant_id AND e.id = d.event_id
       WHERE d.endpoint_id = $1 AND ($2::uuid IS NULL OR d.event_id < $2)
         AND ($3::text IS NULL OR d.state = $3) AND ($4::text IS NULL OR e.type = $4)
       ORDER BY d.event_id DESC LIMIT $5`,
    [webhookId, before ?? null, state ?? null, type ?? null, limit],
  );
}

/** Whether an event is for an endpoint. */
export async function hasDelivery(
  unit: Unit,
  { webhookId, eventId }: { webhookId: Uuid; eventId: Uuid },
): Promise<boolean> {
  const found = await unit.sql(
    'SELECT FROM swarmgate.webhook_deliveries WHERE endpoint_id = $1 AND event_id = $2',
    [webhookId, eventId],
  );
  return found.length > 0;
}

/** The attempts to send an event to an endpoint, the first one first; `undefined`: it is not for that one. */
export async function listAttempts(
  unit: Unit,
  { webhookId, eventId }: { webhookId: Uuid; eventId: Uuid },
): Promise<WebhookAttemptRow[] | undefined> {
  if (!(await hasDelivery(unit, { webhookId, eventId }))) return undefined;
  return unit.sql<WebhookAttemptRow>(
    `SELECT number, started_at, duration_ms, outcome, status, error_code, answer FROM swarmgate.webhook_attempts
       WHERE endpoint_id = $1 AND event_id = $2 ORDER BY number`,
    [webhookId, eventId],
  );
}

/** A test for one endpoint, whatever it wants to be told of. */
export async function sendPing(unit: Unit, tenantId: Uuid, webhookId: Uuid): Promise<Uuid> {
  const id = newId();
  await unit.sql(
    `INSERT INTO swarmgate.webhook_events (tenant_id, id, type, occurred_at, data)
       VALUES ($1, $2, 'ping', clock_timestamp(), '{}')`,
    [tenantId, id],
  );
  await unit.sql(
    'INSERT INTO swarmgate.webhook_deliveries (tenant_id, event_id, endpoint_id) VALUES ($1, $2, $3)',
    [tenantId, id, webhookId],
  );
  return id;
}

// What waits is tried at once, with all its attempts before it; what is being sent at this moment is let alone.
const again = `UPDATE swarmgate.webhook_deliveries d SET state = 'pending', tries = 0, due_at = clock_timestamp(), finished_at = NULL`;

/** Has an event sent to an endpoint that the unit holds once more. */
export async function replayDelivery(
  unit: Unit,
  { webhookId, eventId }: { webhookId: Uuid; eventId: Uuid },
): Promise<void> {
  const [found] = await unit.sql<{ claimed: boolean }>(
    `SELECT coalesce(claim_expires_at > clock_timestamp(), false) AS claimed FROM swarmgate.webhook_deliveries
       WHERE endpoint_id = $1 AND event_id = $2 FOR UPDATE`,
    [webhookId, eventId],
  );
  if (found && !found.claimed)
    await unit.sql(`${again} WHERE d.endpoint_id = $1 AND d.event_id = $2`, [webhookId, eventId]);
}

/** The same for what has failed of what was told since a time, the oldest first. Answers how many those are. */
export async function replayFailed(
  unit: Unit,
  { webhookId, since, limit }: { webhookId: Uuid; since: Date; limit: number },
): Promise<number> {
  const replayed = await unit.sql(
    `${again} FROM (
         SELECT f.event_id FROM swarmgate.webhook_deliveries f
           WHERE f.endpoint_id = $1 AND f.state = 'failed' AND f.created_at >= $2
           ORDER BY f.created_at LIMIT $3 FOR UPDATE) chosen
       WHERE d.endpoint_id = $1 AND d.event_id = chosen.event_id RETURNING 1 AS replayed`,
    [webhookId, since, limit],
  );
  return replayed.length;
}
