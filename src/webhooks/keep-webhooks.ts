import { isDeepStrictEqual } from 'node:util';
import type { AuditTrail } from '#audit/audit-trail.ts';
import { AppError } from '#domain/errors.ts';
import { toWire, type Uuid } from '#domain/ids.ts';
import type { KeyRing } from '#kernel/key-ring.ts';
import type { Scopes, Unit } from '#tenancy/scopes.ts';
import { checkEndpointUrl } from './endpoint-url.ts';
import {
  createWebhook,
  holdWebhook,
  listWebhooks,
  readSecret,
  rotateSecret,
  updateWebhook,
  type WebhookRow,
  type WebhookSettings,
  webhooksMax,
} from './endpoints.ts';

/** An endpoint as an apply file has it. It is known by its address. */
export type PlannedWebhook = WebhookSettings & { secret?: string | undefined };

export type KeptWebhook = {
  action: 'created' | 'updated' | 'unchanged' | 'kept';
  url: string;
  /** Of one that was made without: it is shown this once. */
  secret?: string;
};

type Parts = { scopes: Scopes; trail: AuditTrail; keyRing: KeyRing; allowedHosts: readonly string[] };

/** How long a secret signs beside one that an apply file has put in its place. */
const overlapSeconds = 24 * 3_600;

class TooManyWebhooksError extends AppError<'too_many_webhooks'> {
  override readonly name = 'TooManyWebhooksError';

  constructor() {
    super('too_many_webhooks', `A tenant has ${webhooksMax} webhooks at most; take some away first.`);
  }
}

/**
 * Makes a tenant's endpoints what an apply file says, one commit each. Those that it does not name stay (`kept`). One that
 * was stopped goes on when its entry has changed. @throws {ForbiddenUrlError}
 */
export async function keepWebhooks(
  parts: Parts,
  tenantId: Uuid,
  planned: readonly PlannedWebhook[],
  { dryRun }: { dryRun: boolean },
): Promise<KeptWebhook[]> {
  for (const { url } of planned) checkEndpointUrl(url, parts.allowedHosts);
  const known = await parts.scopes.inTenant(tenantId, listWebhooks);
  const kept: KeptWebhook[] = [];
  for (const webhook of planned) {
    const old = known.find(({ url }) => url === webhook.url);
    kept.push(await keepWebhook(parts, tenantId, webhook, old, dryRun));
  }
  const others = known.filter(({ url }) => planned.every((webhook) => webhook.url !== url));
  return [...kept, ...others.map(({ url }) => ({ action: 'kept' as const, url }))];
}

async function keepWebhook(
  { scopes, trail, keyRing }: Parts,
  tenantId: Uuid,
  planned: PlannedWebhook,
  known: WebhookRow | undefined,
  dryRun: boolean,
): Promise<KeptWebhook> {
  const { url, secret } = planned;
  const event = await trail.prepare(tenantId, {
    actor: { kind: 'operator' },
    action: known ? 'updateWebhook' : 'createWebhook',
    resource: { kind: 'webhooks', ...(known && { id: toWire('webhook', known.id) }) },
    outcome: 'allowed',
    reason: 'By an operator, with an apply file.',
  });
  return scopes.inTenant(tenantId, async (unit): Promise<KeptWebhook> => {
    if (!known) {
      if (dryRun) return { action: 'created', url };
      const made = await createWebhook(unit, keyRing, tenantId, planned, secret);
      if (!made) throw new TooManyWebhooksError();
      const resource = { kind: 'webhooks', id: toWire('webhook', made.row.id) };
      await trail.append(unit, tenantId, { ...event, resource });
      return { action: 'created', url, ...(secret === undefined && { secret: made.secret }) };
    }
    const row = await holdWebhook(unit, known.id);
    if (!row) throw new TypeError(`The webhook ${toWire('webhook', known.id)} was taken away meanwhile.`);
    const changed = await changes(unit, { keyRing, tenantId, row, planned });
    if (changed.length === 0) return { action: 'unchanged', url };
    if (dryRun) return { action: 'updated', url };
    if (changed.includes('secret'))
      await rotateSecret(unit, keyRing, tenantId, { id: row.id, overlapSeconds, secret });
    await updateWebhook(unit, row.id, { ...planned, isEnabled: true });
    await trail.append(unit, tenantId, { ...event, detail: { changed } });
    return { action: 'updated', url };
  });
}

async function changes(
  unit: Unit,
  {
    keyRing,
    tenantId,
    row,
    planned,
  }: { keyRing: KeyRing; tenantId: Uuid; row: WebhookRow; planned: PlannedWebhook },
): Promise<string[]> {
  const { description, eventTypes, includeText, secret } = planned;
  const isOtherSecret =
    secret !== undefined && (await readSecret(unit, keyRing, { tenantId, id: row.id })) !== secret;
  return [
    ...(description === row.description ? [] : ['description']),
    ...(isDeepStrictEqual([...eventTypes], row.event_types) ? [] : ['eventTypes']),
    ...(includeText === row.include_text ? [] : ['includeText']),
    ...(isOtherSecret ? ['secret'] : []),
  ];
}
