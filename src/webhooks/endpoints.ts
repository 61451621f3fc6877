import { newId, type Uuid } from '#domain/ids.ts';
import type { KeyRing, SealPlace } from '#kernel/key-ring.ts';
import type { Unit } from '#tenancy/scopes.ts';
import { newWebhookSecret } from './signature.ts';

/** Where a tenant's webhooks go. */
export type WebhookRow = {
  id: Uuid;
  url: string;
  description: string;
  event_types: string[];
  include_text: boolean;
  status: 'enabled' | 'disabled';
  disabled_reason: DisabledReason | null;
  failing_since: Date | null;
  previous_until: Date | null;
  version: number;
  created_at: Date;
  updated_at: Date;
};

/** `gone`: the receiver said so. `failing`: it has taken nothing for days. */
export type DisabledReason = 'requested' | 'gone' | 'failing';

export type WebhookSettings = {
  url: string;
  description: string;
  eventTypes: readonly string[];
  includeText: boolean;
};

/** How many a tenant may have. */
export const webhooksMax = 20;

const columns = `id, url, description, event_types, include_text, status, disabled_reason, failing_since,
  CASE WHEN previous_until > clock_timestamp() THEN previous_until END AS previous_until, version, created_at, updated_at`;

/** Those of the unit's tenant, the latest first. */
export function listWebhooks(unit: Unit): Promise<WebhookRow[]> {
  return unit.sql<WebhookRow>(`SELECT ${columns} FROM swarmgate.webhook_endpoints ORDER BY id DESC`);
}

export async function findWebhook(unit: Unit, id: Uuid): Promise<WebhookRow | undefined> {
  const [row] = await unit.sql<WebhookRow>(
    `SELECT ${columns} FROM swarmgate.webhook_endpoints WHERE id = $1`,
    [id],
  );
  return row;
}

/** The same, for whoever is about to change it: nobody else does, nor takes anything to it, until the unit ends. */
export async function holdWebhook(unit: Unit, id: Uuid): Promise<WebhookRow | undefined> {
  const [row] = await unit.sql<WebhookRow>(
    `SELECT ${columns} FROM swarmgate.webhook_endpoints WHERE id = $1 FOR NO KEY UPDATE`,
    [id],
  );
  return row;
}

/** Makes one, and the secret that its receiver verifies with, which is shown this once. `undefined`: there are enough. */
export async function createWebhook(
  unit: Unit,
  keyRing: KeyRing,
  tenantId: Uuid,
  { url, description, eventTypes, includeText }: WebhookSettings,
  secret = newWebhookSecret(),
): Promise<{ row: WebhookRow; secret: string } | undefined> {
  // Of two at once the other one counts afterwards.
  await unit.sql(
    `SELECT pg_advisory_xact_lock(hashtextextended('webhooks ' || swarmgate.current_tenant(), 0))`,
  );
  const [counted] = await unit.sql<{ count: string }>('SELECT count(*) FROM swarmgate.webhook_endpoints');
  if (Number(counted?.count) >= webhooksMax) return undefined;
  const id = newId();
  const [row] = await unit.sql<WebhookRow>(
    `INSERT INTO swarmgate.webhook_endpoints (tenant_id, id, url, description, event_types, include_text, sealed_secret)
       VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING ${columns}`,
    [
      ...[tenantId, id, url, description, [...eventTypes], includeText],
      keyRing.seal(secret, secretPlace(tenantId, id)),
    ],
  );
  if (!row) throw new TypeError('The database answered nothing.');
  return { row, secret };
}

/** Changes one that the unit holds. Whoever lets one go on that was stopped begins anew with it. */
export async function updateWebhook(
  unit: Unit,
  id: Uuid,
  { url, description, eventTypes, includeText, isEnabled }: WebhookSettings & { isEnabled: boolean },
): Promise<WebhookRow> {
  const [row] = await unit.sql<WebhookRow>(
    `UPDATE swarmgate.webhook_endpoints SET url = $2, description = $3, event_types = $4, include_text = $5,
         status = CASE WHEN $6 THEN 'enabled' ELSE 'disabled' END,
         disabled_reason = CASE WHEN NOT $6 THEN coalesce(disabled_reason, 'requested') END,
         failing_since = CASE WHEN $6 AND (status = 'disabled' OR url <> $2) THEN NULL ELSE failing_since END,
         not_before = CASE WHEN $6 AND (status = 'disabled' OR url <> $2) THEN NULL ELSE not_before END,
         version = version + 1, updated_at = now()
       WHERE id = $1 RETURNING ${columns}`,
    [id, url, description, [...eventTypes], includeText, isEnabled],
  );
  if (!row) throw new TypeError('The webhook to change was not held.');
  if (!isEnabled) await giveUpWaiting(unit, id);
  return row;
}

/**
 * Stops one, since its receiver wants or takes nothing more, and gives up what waits for it. `false`: it is stopped, or not
 * there, already.
 */
export async function disableWebhook(unit: Unit, id: Uuid, reason: DisabledReason): Promise<boolean> {
  const disabled = await unit.sql(
    `UPDATE swarmgate.webhook_endpoints SET status = 'disabled', disabled_reason = $2, version = version + 1, updated_at = now()
       WHERE id = $1 AND status = 'enabled' RETURNING id`,
    [id, reason],
  );
  if (disabled.length > 0) await giveUpWaiting(unit, id);
  return disabled.length > 0;
}

// What is on its way at this moment arrives or not; what comes of it is not recorded any more.
async function giveUpWaiting(unit: Unit, id: Uuid): Promise<void> {
  await unit.sql(
    `UPDATE swarmgate.webhook_deliveries SET state = 'failed', due_at = NULL, claim_expires_at = NULL,
         claim_number = claim_number + 1, error_code = coalesce(error_code, 'endpoint_disabled'), finished_at = now()
       WHERE endpoint_id = $1 AND due_at IS NOT NULL`,
    [id],
  );
}

/** Takes one that the unit holds away, with all that was recorded of it. */
export async function deleteWebhook(unit: Unit, id: Uuid): Promise<void> {
  await unit.sql('SELECT FROM swarmgate.webhook_endpoints WHERE id = $1 FOR UPDATE', [id]);
  await unit.sql('DELETE FROM swarmgate.webhook_attempts WHERE endpoint_id = $1', [id]);
  await unit.sql('DELETE FROM swarmgate.webhook_deliveries WHERE endpoint_id = $1', [id]);
  await unit.sql('DELETE FROM swarmgate.webhook_endpoints WHERE id = $1', [id]);
}

/** Gives one that the unit holds another secret, beside which the one before signs until the overlap is over. */
export async function rotateSecret(
  unit: Unit,
  keyRing: KeyRing,
  tenantId: Uuid,
  {
    id,
    overlapSeconds,
    secret = newWebhookSecret(),
  }: { id: Uuid; overlapSeconds: number; secret?: string | undefined },
): Promise<{ row: WebhookRow; secret: string }> {
  const [row] = await unit.sql<WebhookRow>(
    `UPDATE swarmgate.webhook_endpoints SET sealed_secret = $2,
         sealed_previous_secret = CASE WHEN $3 > 0 THEN sealed_secret END,
         previous_until = CASE WHEN $3 > 0 THEN clock_timestamp() + make_interval(secs => $3) END,
         version = version + 1, updated_at = now()
       WHERE id = $1 RETURNING ${columns}`,
    [id, keyRing.seal(secret, secretPlace(tenantId, id)), overlapSeconds],
  );
  if (!row) throw new TypeError('The webhook to change was not held.');
  return { row, secret };
}

/** The secret of one, opened. */
export async function readSecret(
  unit: Unit,
  keyRing: KeyRing,
  { tenantId, id }: { tenantId: Uuid; id: Uuid },
): Promise<string | undefined> {
  const [row] = await unit.sql<{ sealed_secret: string }>(
    'SELECT sealed_secret FROM swarmgate.webhook_endpoints WHERE id = $1',
    [id],
  );
  return row && keyRing.open(row.sealed_secret, secretPlace(tenantId, id));
}

/** Where a secret is bound to: it opens for this endpoint and for no other. */
export function secretPlace(tenantId: Uuid, webhookId: Uuid): SealPlace {
  return { tenantId, table: 'webhook_endpoints', column: `${webhookId}/secret` };
}
