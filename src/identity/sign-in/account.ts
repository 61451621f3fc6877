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
  };
  const [row] = await unit.sql<Row>(
    `SELECT u.id, u.email, u.name, u.status = 'active' AS is_active, p.hash, ${hasAppSql} AS has_app,
         ${passkeyCountSql} AS passkey_count,
         u.is_operator
           OR EXISTS (SELECT 1 FROM identity.memberships m WHERE m.user_id = u.id AND m.builtin_role IN ('owner', 'admin'))
           OR EXISTS (SELECT 1 FROM identity.organization_members o WHERE o.user_id = u.id AND o.role IN ('owner', 'admin'))
           AS runs_something
       FROM identity.users u
       LEFT JOIN identity.passwords p ON p.user_id = u.id
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
    }
  );
}
