import { AppError } from '#domain/errors.ts';
import type { Uuid } from '#domain/ids.ts';
import type { PlatformUnit } from './scopes.ts';

/** Nobody here has that slug. */
class UnknownTenantError extends AppError<'unknown_tenant'> {
  override readonly name = 'UnknownTenantError';

  constructor(slug: string) {
    super('unknown_tenant', `There is no tenant "${slug}" here.`);
  }
}

/** Steps down into the tenant that an operator names by its slug. @throws an `AppError` when there is none */
export async function enterTenant(unit: PlatformUnit, slug: string): Promise<Uuid> {
  const [tenant] = await unit.sql<{ id: Uuid }>('SELECT id FROM directory.tenants WHERE slug = $1', [slug]);
  if (!tenant) throw new UnknownTenantError(slug);
  await unit.becomeTenant(tenant.id);
  return tenant.id;
}
