import { toWire, type Uuid } from '#domain/ids.ts';
import type { IdentityParts } from '../identity-parts.ts';
import type { SignOnConnection } from './connections.ts';

/**
 * Makes somebody who came for the first time a member of the tenants that the connection says, each in a transaction of its
 * own with its trail's event. Where it breaks off, the next sign-in goes on.
 */
export async function joinTenants(
  { scopes, audit }: Pick<IdentityParts, 'scopes' | 'audit'>,
  { id, organization_id, joins_as, joins_tenants }: SignOnConnection,
  userId: Uuid,
): Promise<void> {
  for (const tenantId of joins_as === null ? [] : joins_tenants) {
    const event = await audit.prepare(tenantId, {
      ...{ actor: { kind: 'system' }, action: 'member.added', outcome: 'allowed' },
      resource: { kind: 'members', id: toWire('user', userId) },
      reason: 'They came by single sign-on for the first time.',
      detail: { connectionId: toWire('signOnConnection', id), to: joins_as },
    });
    await scopes.inIdentity(async (unit) => {
      const added = await unit.sql(
        `INSERT INTO identity.memberships (tenant_id, user_id, builtin_role)
           SELECT t.id, $2, $3 FROM directory.tenants t WHERE t.id = $1 AND t.organization_id = $4
           ON CONFLICT (tenant_id, user_id) DO NOTHING RETURNING 1 AS added`,
        [tenantId, userId, joins_as, organization_id],
      );
      if (added.length === 0) return;
      await unit.becomeTenant(tenantId);
      await audit.append(unit, tenantId, event);
    });
  }
  await scopes.inIdentity((unit) =>
    unit.sql(
      'UPDATE identity.sign_on_identities SET is_joining = false WHERE connection_id = $1 AND user_id = $2',
      [id, userId],
    ),
  );
}
