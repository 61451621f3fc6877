import { builtinRoles } from '@swarmgate/contract/rest/permissions.ts';
import type { Role, roleOperations } from '@swarmgate/contract/rest/roles.ts';
import { toWire } from '#domain/ids.ts';
import { builtinPermissions } from '#identity/roles.ts';
import {
  createRole,
  deleteRole,
  holdRole,
  listRoles,
  type RoleRow,
  updateRole,
} from '#identity/tenant-roles.ts';
import { refuseMore } from './hand-on.ts';
import type { HandlersOf } from './handler.ts';
import { conflict, notFound } from './refusals.ts';
import { refuseOtherVersion } from './versions.ts';

export const roleHandlers: HandlersOf<typeof roleOperations> = {
  listRoles: {
    async inTenant(_asked, unit) {
      return { body: { items: [...builtin, ...(await listRoles(unit)).map(show)] } };
    },
  },
  createRole: {
    async inTenant(asked, unit) {
      const { tenantId, body } = asked;
      await refuseMore(unit, asked, body.permissions);
      const row = await createRole(unit, tenantId, body);
      if (!row) throw conflict('slug_taken', `There is a role "${body.slug}" already.`);
      return {
        ...versioned(row),
        resourceId: toWire('role', row.id),
        detail: { permissions: row.permissions },
      };
    },
  },
  getRole: {
    async inTenant({ ids }, unit) {
      const row = await holdRole(unit, ids.roleId);
      if (!row) throw notFound();
      return versioned(row);
    },
  },
  updateRole: {
    async inTenant(asked, unit) {
      const { ids, body, seenVersion } = asked;
      const row = await holdRole(unit, ids.roleId);
      if (!row) throw notFound();
      refuseOtherVersion(row.version, seenVersion);
      const wanted = {
        id: row.id,
        name: body.name ?? row.name,
        permissions: body.permissions ?? row.permissions,
      };
      // Also what it permitted before: who could not have given that does not take it away either.
      await refuseMore(unit, asked, [...row.permissions, ...wanted.permissions]);
      return {
        ...versioned(await updateRole(unit, wanted)),
        detail: { changed: Object.keys(body), permissions: wanted.permissions },
      };
    },
  },
  deleteRole: {
    async inTenant({ ids, seenVersion }, unit) {
      const row = await holdRole(unit, ids.roleId);
      if (!row) throw notFound();
      refuseOtherVersion(row.version, seenVersion);
      if (!(await deleteRole(unit, row.id)))
        throw conflict(
          'role_in_use',
          'Somebody has this role, or is invited to it; give them another one first, or take the invitation back.',
        );
      return { body: undefined };
    },
  },
};

const builtin: readonly Role[] = builtinRoles.map((name) => ({
  ...{ id: null, slug: name, name: `${name[0]?.toUpperCase()}${name.slice(1)}` },
  permissions: [...builtinPermissions[name]],
  ...{ isBuiltin: true, version: null, createdAt: null, updatedAt: null },
}));

function versioned(row: RoleRow) {
  return { body: show(row), version: row.version };
}

function show({ id, slug, name, permissions, version, created_at, updated_at }: RoleRow): Role {
  return {
    ...{ id: toWire('role', id), slug, name, permissions, isBuiltin: false, version },
    createdAt: created_at.toISOString(),
    updatedAt: updated_at.toISOString(),
  };
}
