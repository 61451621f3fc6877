import type { Permission } from '@swarmgate/contract/rest/permissions.ts';
import { newId, type Uuid } from '#domain/ids.ts';
import type { Unit } from '#tenancy/scopes.ts';

/** A role of a tenant's own. */
export type RoleRow = {
  id: Uuid;
  slug: string;
  name: string;
  permissions: Permission[];
  version: number;
  created_at: Date;
  updated_at: Date;
};

const columns = 'id, slug, name, permissions, version, created_at, updated_at';

/** Roles of the unit's tenant, in the order of their slugs. */
export function listRoles(unit: Unit): Promise<RoleRow[]> {
  return unit.sql<RoleRow>(`SELECT ${columns} FROM swarmgate.roles ORDER BY slug`);
}

/** One of them, held until the unit ends, so that what is decided by its version stays true. */
export async function holdRole(unit: Unit, id: Uuid): Promise<RoleRow | undefined> {
  const [row] = await unit.sql<RoleRow>(`SELECT ${columns} FROM swarmgate.roles WHERE id = $1 FOR UPDATE`, [
    id,
  ]);
  return row;
}

/** `undefined`: the slug is taken. */
export async function createRole(
  unit: Unit,
  tenantId: Uuid,
  { slug, name, permissions }: { slug: string; name: string; permissions: readonly Permission[] },
): Promise<RoleRow | undefined> {
  const [row] = await unit.sql<RoleRow>(
    `INSERT INTO swarmgate.roles (tenant_id, id, slug, name, permissions) VALUES ($1, $2, $3, $4, $5)
       ON CONFLICT (slug, tenant_id) DO NOTHING RETURNING ${columns}`,
    [tenantId, newId(), slug, name, permissions],
  );
  return row;
}

export async function updateRole(
  unit: Unit,
  { id, name, permissions }: Pick<RoleRow, 'id' | 'name' | 'permissions'>,
): Promise<RoleRow> {
  const [row] = await unit.sql<RoleRow>(
    `UPDATE swarmgate.roles SET name = $2, permissions = $3, version = version + 1, updated_at = now()
       WHERE id = $1 RETURNING ${columns}`,
    [id, name, permissions],
  );
  if (!row) throw new TypeError('The role was held, and is gone.');
  return row;
}

/** Removes a role, unless somebody has it or is invited to it: answers whether it is gone. */
export async function deleteRole(unit: Unit, id: Uuid): Promise<boolean> {
  const gone = await unit.sql(
    `DELETE FROM swarmgate.roles r WHERE r.id = $1
       AND NOT EXISTS (SELECT FROM identity.memberships m WHERE m.role_id = r.id)
       AND NOT EXISTS (SELECT FROM identity.invitations i WHERE i.role_id = r.id AND i.accepted_at IS NULL
         AND i.revoked_at IS NULL AND i.expires_at > now()) RETURNING r.id`,
    [id],
  );
  return gone.length > 0;
}
