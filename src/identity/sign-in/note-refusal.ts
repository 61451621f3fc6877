import { type AuditActor, type AuditTrail, installationTrail } from '#audit/audit-trail.ts';
import { toWire, type Uuid } from '#domain/ids.ts';
import { type Client, tracesOf } from '../client.ts';

type Parts = { audit: AuditTrail };

/** Tells the trail of a sign-in that came to nothing: whoever tried it, at whose account, is nobody yet. */
export function noteRefusal(
  parts: Parts,
  client: Client,
  action: string,
  reason: string,
  userId?: Uuid,
): Promise<void> {
  return note(parts, client, { actor: { kind: 'nobody' }, action, reason, userId });
}

/** The same of somebody who is signed in, by whose key what is personal in it is sealed. */
export function noteOwnRefusal(
  parts: Parts,
  client: Client,
  action: string,
  reason: string,
  userId: Uuid,
): Promise<void> {
  return note(parts, client, { actor: { kind: 'user', id: userId }, action, reason, userId });
}

async function note(
  { audit }: Parts,
  client: Client,
  { userId, ...told }: { actor: AuditActor; action: string; reason: string; userId: Uuid | undefined },
): Promise<void> {
  await audit.note(installationTrail, {
    ...told,
    resource: { kind: 'users', ...(userId !== undefined && { id: toWire('user', userId) }) },
    outcome: 'refused',
    ...tracesOf(client),
  });
}
