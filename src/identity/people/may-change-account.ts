import type { Scopes } from '#tenancy/scopes.ts';
import type { FoundSession } from '../sessions/web-session.ts';

/**
 * Whether whoever has this session may change what its account signs in with. Who came by an organization's provider may
 * where the account is that organization's alone: elsewhere it would be the provider's say over somebody else's member.
 */
export async function mayChangeAccount(
  { scopes }: { scopes: Scopes },
  { userId, organizationId }: FoundSession,
): Promise<boolean> {
  if (organizationId === null) return true;
  return scopes.inIdentity(async (unit) => {
    const [elsewhere] = await unit.sql(
      `SELECT 1 FROM identity.users u WHERE u.id = $1 AND (u.is_operator
         OR EXISTS (SELECT FROM identity.organization_members o WHERE o.user_id = u.id AND o.organization_id <> $2)
         OR EXISTS (SELECT FROM identity.memberships m JOIN directory.tenants t ON t.id = m.tenant_id
           WHERE m.user_id = u.id AND t.organization_id <> $2))`,
      [userId, organizationId],
    );
    return elsewhere === undefined;
  });
}
