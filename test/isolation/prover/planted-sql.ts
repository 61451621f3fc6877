import type { Scopes, Unit } from '#tenancy/scopes.ts';

export type Sql = Unit['sql'];

/** Puts something else in the place of some statements of units of tenants. */
export function changeSql(scopes: Scopes, change: (sql: Sql, text: string) => Sql): Scopes {
  return {
    ...scopes,
    inTenant: (tenantId, work) =>
      scopes.inTenant(tenantId, (unit) =>
        work({ ...unit, sql: (text, parameters) => change(unit.sql, text)(text, parameters) }),
      ),
  };
}

/** Whether it is one that names no tenant, as row-level security names it. */
export const isList = (text: string) =>
  /^SELECT [^;]* FROM swarmgate\.(agents|channels|roles) ORDER BY/.test(text);
