import type { OrganizationRole } from '@swarmgate/contract/rest/organization-permissions.ts';
import type { Uuid } from '#domain/ids.ts';
import type { Scopes } from '#tenancy/scopes.ts';
import { hasAppSql, passkeyCountSql, type SecondFactors } from '../second-factor/second-factors.ts';

/** Somebody as they see themselves. */
export type Person = {
  email: string;
  name: string;
  secondFactors: SecondFactors;
  /** Where they belong, by the slugs of the tenants; `role` is the one that counts for most there. */
  tenants: { id: Uuid; organizationId: Uuid; slug: string; name: string; role: string }[];
  /** Those that they help run. */
  organizations: { id: Uuid; slug: string; name: string; role: OrganizationRole }[];
};

/** Who somebody is, and where they belong; with `within`, as far as that is one organization's. */
export async function describePerson(
  { scopes }: { scopes: Scopes },
  userId: Uuid,
  within: Uuid | null = null,
): Promise<Person | undefined> {
  return scopes.inIdentity(async (unit) => {
    const [person] = await unit.sql<{ email: string; name: string } & SecondFactors>(
      `SELECT u.email, u.name, ${hasAppSql} AS "hasApp", ${passkeyCountSql} AS "passkeyCount"
         FROM identity.users u WHERE u.id = $1`,
      [userId],
    );
    if (!person) return undefined;
    const tenants = await unit.sql<Person['tenants'][number]>(
      `SELECT t.id, t.organization_id AS "organizationId", t.slug, t.name,
           coalesce(CASE WHEN o.role IN ('owner', 'admin') THEN o.role END, m.builtin_role, 'own') AS role
         FROM directory.tenants t
         LEFT JOIN identity.memberships m ON m.tenant_id = t.id AND m.user_id = $1
         LEFT JOIN identity.organization_members o ON o.organization_id = t.organization_id AND o.user_id = $1
           AND o.role IN ('owner', 'admin')
         WHERE (m.user_id IS NOT NULL OR o.user_id IS NOT NULL) AND ($2::uuid IS NULL OR t.organization_id = $2)
         ORDER BY t.slug`,
      [userId, within],
    );
    const organizations = await unit.sql<Person['organizations'][number]>(
      `SELECT o.id, o.slug, o.name, m.role FROM identity.organization_members m
         JOIN directory.organizations o ON o.id = m.organization_id
         WHERE m.user_id = $1 AND ($2::uuid IS NULL OR o.id = $2) ORDER BY o.slug`,
      [userId, within],
    );
    const { email, name, ...secondFactors } = person;
    return { email, name, secondFactors, tenants, organizations };
  });
}
