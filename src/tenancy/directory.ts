import { newId, type Uuid } from '#domain/ids.ts';
import type { PlatformUnit } from './scopes.ts';

/** Who is in the directory, as an operator looks after it. */

export type OrganizationRow = {
  id: Uuid;
  slug: string;
  name: string;
  plan: string;
  version: number;
  created_at: Date;
  updated_at: Date;
};

const columns = 'id, slug, name, plan, version, created_at, updated_at';

export function listOrganizations(
  unit: PlatformUnit,
  { before, limit }: { before: Uuid | undefined; limit: number },
): Promise<OrganizationRow[]> {
  return unit.sql<OrganizationRow>(
    `SELECT ${columns} FROM directory.organizations WHERE ($1::uuid IS NULL OR id < $1) ORDER BY id DESC LIMIT $2`,
    [before ?? null, limit],
  );
}

/** One of them, held until the unit ends. */
export async function holdOrganization(unit: PlatformUnit, id: Uuid): Promise<OrganizationRow | undefined> {
  const [row] = await unit.sql<OrganizationRow>(
    `SELECT ${columns} FROM directory.organizations WHERE id = $1 FOR UPDATE`,
    [id],
  );
  return row;
}

/** `undefined`: the slug is taken. */
export async function createOrganization(
  unit: PlatformUnit,
  { slug, name, plan }: { slug: string; name: string; plan: string },
): Promise<OrganizationRow | undefined> {
  const [row] = await unit.sql<OrganizationRow>(
    `INSERT INTO directory.organizations (id, slug, name, plan) VALUES ($1, $2, $3, $4)
       ON CONFLICT (slug) DO NOTHING RETURNING ${columns}`,
    [newId(), slug, name, plan],
  );
  return row;
}

export async function updateOrganization(
  unit: PlatformUnit,
  { id, name, plan }: Pick<OrganizationRow, 'id' | 'name' | 'plan'>,
): Promise<OrganizationRow> {
  const [row] = await unit.sql<OrganizationRow>(
    `UPDATE directory.organizations SET name = $2, plan = $3, version = version + 1, updated_at = now()
       WHERE id = $1 RETURNING ${columns}`,
    [id, name, plan],
  );
  if (!row) throw new TypeError('The organization was held, and is gone.');
  return row;
}

/** Makes a tenant in this cell. `undefined`: the slug is taken. */
export async function createTenant(
  unit: PlatformUnit,
  {
    organizationId,
    slug,
    name,
    settings,
  }: { organizationId: Uuid; slug: string; name: string; settings: unknown },
): Promise<Uuid | undefined> {
  const [row] = await unit.sql<{ id: Uuid }>(
    `INSERT INTO directory.tenants (id, organization_id, slug, name, region, cell, settings)
       SELECT $1, $2, $3, $4, c.region, c.id, $5 FROM swarmgate.this_cell here JOIN directory.cells c ON c.id = here.cell
       ON CONFLICT (slug) DO NOTHING RETURNING id`,
    [newId(), organizationId, slug, name, JSON.stringify(settings)],
  );
  return row?.id;
}
