import { type AuditTrail, installationTrail } from '#audit/audit-trail.ts';
import { toWire, type Uuid } from '#domain/ids.ts';
import { type Client, tracesOf } from '../client.ts';

/** Tells the trail of a sign-in that came to nothing. */
export async function noteRefusal(
  { audit }: { audit: AuditTrail },
  client: Client,
  action: string,
  reason: string,
  userId?: Uuid,
): Promise<void> {
  await audit.note(installationTrail, {
    actor: { kind: 'nobody' },
    action,
    resource: { kind: 'users', ...(userId !== undefined && { id: toWire('user', userId) }) },
    outcome: 'refused',
    reason,
    ...tracesOf(client),
  });
}
