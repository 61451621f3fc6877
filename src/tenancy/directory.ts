import { AppError } from '#domain/errors.ts';
import { newId, type Uuid } from '#domain/ids.ts';
import type { PlatformUnit, Unit } from './scopes.ts';

/** Who is in the directory, as an operator looks after it. */

export type OrganizationRow = {
  id: Uuid;
  slug: string;
  name: string;
  plan: string;
  status: 'active' | 'closing' | 'deleting';
  delete_after: Date | null;
  requires_second_factor: boolean;
  requires_single_sign_on: boolean;
  version: number;
  created_at: Date;
  updated_at: Date;
};

const columns =
  'id, slug, name, plan, status, delete_after, requires_second_factor, requires_single_sign_on, version, created_at, updated_at';

/** Somebody of that name was here, and was deleted: it does not come to mean somebody else. */
export class BuriedSlugError extends AppError<'slug_buried'> {
  override readonly name = 'BuriedSlugError';

  constructor(slug: string) {
    super('slug_buried', `"${slug}" was deleted here before; give the new one another slug.`);
  }
}

export type BuriedKind = 'tenant' | 'organization';

/**
 * Behind the insertion, which waits for a deletion that is under way. @throws {BuriedSlugError}
 */
export async function refuseBuried(unit: PlatformUnit, kind: BuriedKind, slug: string): Promise<void> {
  const buried = await unit.sql('SELECT 1 FROM directory.tombstones WHERE kind = $1 AND slug = $2', [
    kind,
    slug,
  ]);
  if (buried.length > 0) throw new BuriedSlugError(slug);
}

export type TombstoneRow = {
  id: Uuid;
  kind: BuriedKind;
  slug: string;
  organization_id: Uuid | null;
  closed_at: Date;
  deleted_at: Date;
};

/** The id of a tenant that was deleted. */
export async function findBuried(unit: PlatformUnit, slug: string): Promise<Uuid | undefined> {
  const [stone] = await unit.sql<{ id: Uuid }>(
    `SELECT id FROM directory.tombstones WHERE kind = 'tenant' AND slug = $1`,
    [slug],
  );
  return stone?.id;
}

/** Who was deleted, the latest made first. */
export function listTombstones(
  unit: PlatformUnit,
  { before, limit }: { before: Uuid | undefined; limit: number },
): Promise<TombstoneRow[]> {
  return unit.sql<TombstoneRow>(
    `SELECT id, kind, slug, organization_id, closed_at, deleted_at FROM directory.tombstones
       WHERE ($1::uuid IS NULL OR id < $1) ORDER BY id DESC LIMIT $2`,
    [before ?? null, limit],
  );
}

export function listOrganizations(
  unit: PlatformUnit,
  { before, limit }: { before: Uuid | undefined; limit: number },
): Promise<OrganizationRow[]> {
  return unit.sql<OrganizationRow>(
    `SELECT ${columns} FROM directory.organizations WHERE ($1::uuid IS NULL OR id < $1) ORDER BY id DESC LIMIT $2`,
    [before ?? null, limit],
  );
}

/** One of them, in a unit of its own or of the platform's. */
export async function readOrganization(unit: Unit, id: Uuid): Promise<OrganizationRow | undefined> {
  const [row] = await unit.sql<OrganizationRow>(
    `SELECT ${columns} FROM directory.organizations WHERE id = $1`,
    [id],
  );
  return row;
}

/** One of them, held until the unit ends. */
export async function holdOrganization(unit: PlatformUnit, id: Uuid): Promise<OrganizationRow | undefined> {
  const [row] = await unit.sql<OrganizationRow>(
    `SELECT ${columns} FROM directory.organizations WHERE id = $1 FOR UPDATE`,
    [id],
  );
  return row;
}

/** `undefined`: the slug is taken. @throws {BuriedSlugError} */
export async function createOrganization(
  unit: PlatformUnit,
  { slug, name, plan }: { slug: string; name: string; plan: string },
): Promise<OrganizationRow | undefined> {
  const [row] = await unit.sql<OrganizationRow>(
    `INSERT INTO directory.organizations (id, slug, name, plan) VALUES ($1, $2, $3, $4)
       ON CONFLICT (slug) DO NOTHING RETURNING ${columns}`,
    [newId(), slug, name, plan],
  );
  if (row) await refuseBuried(unit, 'organization', slug);
  return row;
}

export async function updateOrganization(
  unit: PlatformUnit,
  wanted: Pick<
    OrganizationRow,
    'id' | 'name' | 'plan' | 'requires_second_factor' | 'requires_single_sign_on'
  >,
): Promise<OrganizationRow> {
  const [row] = await unit.sql<OrganizationRow>(
    `UPDATE directory.organizations SET name = $2, plan = $3, requires_second_factor = $4,
         requires_single_sign_on = $5, version = version + 1, updated_at = now() WHERE id = $1 RETURNING ${columns}`,
    [
      ...[wanted.id, wanted.name, wanted.plan],
      ...[wanted.requires_second_factor, wanted.requires_single_sign_on],
    ],
  );
  if (!row) throw new TypeError('The organization was held, and is gone.');
  return row;
}

/** Makes a tenant in this cell. `undefined`: the slug is taken. @throws {BuriedSlugError} */
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
  if (row) await refuseBuried(unit, 'tenant', slug);
  return row?.id;
}

/** Whom an organization is billed to, as it is kept; `undefined`: nobody has said yet. */
export async function readBillingDetails(
  unit: Unit,
  organizationId: Uuid,
): Promise<{ sealed: string; version: number } | undefined> {
  const [row] = await unit.sql<{ sealed: string; version: number }>(
    'SELECT sealed, version FROM directory.billing_details WHERE organization_id = $1',
    [organizationId],
  );
  return row;
}

export async function keepBillingDetails(
  unit: PlatformUnit,
  { organizationId, sealed }: { organizationId: Uuid; sealed: string },
): Promise<{ version: number }> {
  const [row] = await unit.sql<{ version: number }>(
    `INSERT INTO directory.billing_details AS b (organization_id, sealed) VALUES ($1, $2)
       ON CONFLICT (organization_id) DO UPDATE SET sealed = excluded.sealed, version = b.version + 1, updated_at = now()
       RETURNING version`,
    [organizationId, sealed],
  );
  if (!row) throw new TypeError('The database answered nothing.');
  return row;
}
