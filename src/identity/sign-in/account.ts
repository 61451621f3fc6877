import type { Uuid } from '#domain/ids.ts';
import type { Unit } from '#tenancy/scopes.ts';
import { hasAppSql, passkeyCountSql, type SecondFactors } from '../second-factor/second-factors.ts';

/** Somebody who signs in, as far as that needs them. */
export type Account = {
  id: Uuid;
  email: string;
  name: string;
  isActive: boolean;
  passwordHash: string | undefined;
  secondFactors: SecondFactors;
  /** They run something: an operator, an owner or admin. (A tenant's own roles are looked at when they are used.) */
  runsSomething: boolean;
  /** An organization that they are in, or in a tenant of, asks everybody for a second factor. */
  isAskedForSecondFactor: boolean;
  /** Every organization that they are in takes its own single sign-on only; operators look after the installation still. */
  mustSignOnElsewhere: boolean;
};

/** The account of an address or an id. */
export async function readAccount(
  unit: Unit,
  by: { email: string } | { id: Uuid },
): Promise<Account | undefined> {
  type Row = {
    id: Uuid;
    email: string;
    name: string;
    is_active: boolean;
    hash: string | null;
    has_app: boolean;
    passkey_count: number;
    runs_something: boolean;
    is_asked: boolean;
    must_sign_on: boolean;
  };
  const [row] = await unit.sql<Row>(
    `SELECT u.id, u.email, u.name, u.status = 'active' AS is_active, p.hash, ${hasAppSql} AS has_app,
         ${passkeyCountSql} AS passkey_count,
         u.is_operator
           OR EXISTS (SELECT 1 FROM identity.memberships m WHERE m.user_id = u.id AND m.builtin_role IN ('owner', 'admin'))
           OR EXISTS (SELECT 1 FROM identity.organization_members o WHERE o.user_id = u.id AND o.role IN ('owner', 'admin'))
           AS runs_something,
         coalesce(asked.second_factor, false) AS is_asked,
         coalesce(asked.single_sign_on, false) AND NOT u.is_operator AS must_sign_on
       FROM identity.users u
       LEFT JOIN identity.passwords p ON p.user_id = u.id
       LEFT JOIN LATERAL (
         SELECT bool_or(o.requires_second_factor) AS second_factor, bool_and(o.requires_single_sign_on) AS single_sign_on
           FROM directory.organizations o
           WHERE o.id IN (SELECT m.organization_id FROM identity.organization_members m WHERE m.user_id = u.id)
             OR o.id IN (SELECT d.organization_id FROM identity.memberships m JOIN directory.tenants d ON d.id = m.tenant_id
               WHERE m.user_id = u.id)) asked ON true
       WHERE ${'email' in by ? 'u.email' : 'u.id'} = $1`,
    ['email' in by ? by.email : by.id],
  );
  return (
    row && {
      id: row.id,
      email: row.email,
      name: row.name,
      isActive: row.is_active,
      passwordHash: row.hash ?? undefined,
      secondFactors: { hasApp: row.has_app, passkeyCount: row.passkey_count },
      runsSomething: row.runs_something,
      isAskedForSecondFactor: row.is_asked,
      mustSignOnElsewhere: row.must_sign_on,
    }
  );
}
