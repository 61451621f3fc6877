import {
  type Classification,
  crossTenantIndexes,
  outsideForeignKeys,
  tenantFirstIndexes,
} from './classification.ts';
import { exactly, type Rule } from './rule.ts';

/** What holds for tables, their keys, indexes and policies, and for what stands beside them. */

// Relations of ours: all but the system's, the queue's, and what extensions bring. `tenant` is the number of the column
// tenant_id, for a table whose rows are a tenant's; the directory's one table with such a column is keyed otherwise.
const ours = `
  WITH ours AS (
    SELECT c.oid AS rel, format('%I.%I', n.nspname, c.relname) AS name, c.relkind, c.reloptions,
        c.relrowsecurity AND c.relforcerowsecurity AS forced,
        CASE WHEN n.nspname <> 'directory' THEN (SELECT a.attnum FROM pg_catalog.pg_attribute a
          WHERE a.attrelid = c.oid AND a.attname = 'tenant_id' AND NOT a.attisdropped) END AS tenant
      FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
      WHERE n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema', 'bullmq')
        AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_depend d
          WHERE d.classid = 'pg_catalog.pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e'))`;

export const relationRules = (tables: Classification): readonly Rule[] => [
  {
    name: 'table',
    query: `${ours} SELECT name AS found FROM ours WHERE relkind IN ('r', 'p', 'f')`,
    judge: exactly(Object.keys(tables)),
  },
  {
    name: 'tenant table',
    query: `${ours} SELECT name AS found FROM ours JOIN pg_catalog.pg_attribute a ON a.attrelid = rel AND a.attnum = tenant
      WHERE relkind IN ('r', 'p', 'f') AND a.attnotnull AND a.atttypid = 'uuid'::regtype`,
    judge: exactly(namesOf(tables, 'tenant')),
  },
  {
    name: 'forced row-level security',
    query: `${ours} SELECT name AS found FROM ours WHERE forced`,
    judge: exactly(namesOf(tables, 'tenant', 'directory', 'identity')),
  },
  {
    name: 'policy',
    query: `${ours}
      SELECT format('%s %s: %s%s to %s', name, p.polname, CASE WHEN p.polpermissive THEN '' ELSE 'restrictive ' END,
          CASE p.polcmd WHEN '*' THEN 'ALL' WHEN 'r' THEN 'SELECT' WHEN 'a' THEN 'INSERT' WHEN 'w' THEN 'UPDATE' ELSE 'DELETE' END,
          array_to_string(ARRAY(SELECT CASE role WHEN 0 THEN 'PUBLIC' ELSE role::regrole::text END FROM unnest(p.polroles) role ORDER BY 1), ', '))
        || coalesce(' using ' || regexp_replace(pg_get_expr(p.polqual, p.polrelid), '\\s+', ' ', 'g'), '')
        || coalesce(' check ' || regexp_replace(pg_get_expr(p.polwithcheck, p.polrelid), '\\s+', ' ', 'g'), '') AS found
      FROM ours JOIN pg_catalog.pg_policy p ON p.polrelid = rel`,
    judge: exactly(expectedPolicies(tables)),
  },
  {
    name: 'primary key without tenant_id in front',
    query: `${ours} SELECT name AS found FROM ours WHERE tenant IS NOT NULL AND relkind IN ('r', 'p')
      AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_index i WHERE i.indrelid = rel AND i.indisprimary AND i.indkey[0] = tenant)`,
  },
  {
    name: 'unique key without tenant_id',
    query: `${ours} SELECT i.indexrelid::regclass::text AS found FROM ours JOIN pg_catalog.pg_index i ON i.indrelid = rel
      WHERE tenant IS NOT NULL AND i.indisunique AND NOT i.indisprimary
        AND NOT tenant = ANY ((i.indkey::int2[])[0:i.indnkeyatts - 1])`,
  },
  {
    name: 'index without tenant_id',
    query: `${ours} SELECT i.indexrelid::regclass::text AS found FROM ours JOIN pg_catalog.pg_index i ON i.indrelid = rel
      WHERE tenant IS NOT NULL AND NOT i.indisunique AND NOT tenant = ANY ((i.indkey::int2[])[0:i.indnkeyatts - 1])`,
    judge: exactly(Object.keys(crossTenantIndexes)),
  },
  {
    // While a table is small, any index that begins with the tenant costs as little as the key, and the plan is kept.
    name: 'index beside the key that begins with tenant_id',
    query: `${ours} SELECT i.indexrelid::regclass::text AS found FROM ours JOIN pg_catalog.pg_index i ON i.indrelid = rel
      WHERE tenant IS NOT NULL AND NOT i.indisprimary AND i.indpred IS NULL AND i.indkey[0] = tenant`,
    judge: exactly(Object.keys(tenantFirstIndexes)),
  },
  {
    // Foreign-key checks see past row-level security.
    name: 'foreign key without tenant_id',
    query: `${ours}
      SELECT format('%s on %s', k.conname, k.conrelid::regclass) AS found
      FROM pg_catalog.pg_constraint k
      JOIN ours child ON child.rel = k.conrelid
      LEFT JOIN ours parent ON parent.rel = k.confrelid
      WHERE k.contype = 'f' AND CASE
        WHEN parent.tenant IS NOT NULL THEN NOT EXISTS (
          SELECT 1 FROM unnest(k.conkey, k.confkey) AS pair (here, there) WHERE pair.here = child.tenant AND pair.there = parent.tenant)
        WHEN child.tenant IS NOT NULL THEN NOT (parent.name = 'directory.tenants' AND k.conkey = ARRAY[child.tenant])
        ELSE false END`,
    judge: exactly(Object.keys(outsideForeignKeys)),
  },
  {
    // A query that names the child is not bound by its parent's policies.
    name: 'partition or heir without forced row-level security',
    query: `${ours} SELECT name AS found FROM ours JOIN pg_catalog.pg_inherits i ON i.inhrelid = rel
      WHERE relkind IN ('r', 'p', 'f') AND NOT forced`,
  },
  {
    name: 'view that reads as its owner',
    query: `${ours} SELECT name AS found FROM ours
      WHERE relkind = 'v' AND NOT coalesce(reloptions, '{}') && ARRAY['security_invoker=true', 'security_invoker=on', 'security_invoker=1']`,
  },
  {
    name: 'materialised view',
    query: `${ours} SELECT name AS found FROM ours WHERE relkind = 'm'`,
  },
  {
    name: 'trigger or rule',
    query: `${ours}
      SELECT format('%s on %s', t.tgname, name) AS found FROM ours JOIN pg_catalog.pg_trigger t ON t.tgrelid = rel WHERE NOT t.tgisinternal
      UNION ALL
      SELECT format('%s on %s', r.rulename, name) FROM ours JOIN pg_catalog.pg_rewrite r ON r.ev_class = rel WHERE r.rulename <> '_RETURN'`,
  },
];

// As Postgres shows it; no subquery, which would cost each statement a plan node for every table.
const ownTenant = '(tenant_id = swarmgate.current_tenant())';
const ownTenantInDirectory = '(tenant_id = ( SELECT swarmgate.current_tenant() AS current_tenant))';
const ownOrganization =
  '(tenant_id IN ( SELECT tenants.id FROM directory.tenants WHERE (tenants.organization_id = ( SELECT swarmgate.current_organization() AS current_organization))))';

/** What the sweeper sees of a table: what is due, and what waits for somebody to hand it on; elsewhere its columns are few. */
const sweeperSees: Readonly<Record<string, string>> = {
  'swarmgate.conversations': `((due_at IS NOT NULL) OR (waiting_for = 'slot'::text))`,
  'swarmgate.deliveries': '(due_at IS NOT NULL)',
  'swarmgate.messages': `(untold AND (state <> 'draft'::text))`,
  'swarmgate.events': 'untold',
  'swarmgate.webhook_deliveries': '(due_at IS NOT NULL)',
};

/** Every policy, word by word: one that is too wide shows as one that is not on the list. */
function* expectedPolicies(tables: Classification): Iterable<string> {
  for (const [name, table] of Object.entries(tables)) {
    if (table.kind !== 'tenant' && name !== 'directory.external_keys') continue;
    const own = table.kind === 'tenant' ? ownTenant : ownTenantInDirectory;
    yield `${name} own_tenant: ALL to swarmgate_tenant using ${own} check ${own}`;
    if (table.kind !== 'tenant') continue;
    if (table.identity)
      yield `${name} ${table.identity.sees === 'true' ? 'identity' : 'installation'}: ALL to swarmgate_identity using ${table.identity.sees} check ${table.identity.sees}`;
    if (table.auditorDeletes) {
      yield `${name} auditor: SELECT to swarmgate_auditor using true`;
      yield `${name} auditor_drops: DELETE to swarmgate_auditor using ${table.auditorDeletes}`;
    } else if (table.auditor) yield `${name} auditor: ALL to swarmgate_auditor using true check true`;
    if (table.aboveAdd)
      yield `${name} installation_adds: INSERT to swarmgate_organization, swarmgate_platform check ${table.aboveAdd}`;
    if (table.report)
      yield `${name} own_organization: SELECT to swarmgate_organization using ${ownOrganization}`;
  }
  for (const [name, table] of Object.entries(tables)) {
    if ((table.kind === 'tenant' || table.kind === 'directory') && table.sweeper)
      yield `${name} sweeper: SELECT to swarmgate_sweeper using ${sweeperSees[name] ?? 'true'}`;
  }
  for (const [name, table] of Object.entries(tables)) {
    if (table.kind === 'directory' && table.identity)
      yield `${name} identity: SELECT to swarmgate_identity using true`;
    if (table.kind !== 'identity') continue;
    yield `${name} identity: ALL to swarmgate_identity using true check true`;
    for (const policy of table.policies ?? []) yield `${name} ${policy}`;
  }
  for (const name of namesOf(tables, 'directory'))
    yield `${name} platform: ALL to swarmgate_platform using true check true`;
  yield `directory.domains own_tenant: ALL to swarmgate_tenant using ${ownTenantInDirectory} check (${ownTenantInDirectory} AND (verified_at IS NULL))`;
  yield `directory.tenants only_what_ends: restrictive DELETE to swarmgate_platform using (status = 'deleting'::text)`;
  yield `directory.organizations only_what_ends: restrictive DELETE to swarmgate_platform using (status = 'deleting'::text)`;
  yield 'directory.workers everybody: SELECT to swarmgate_sweeper, swarmgate_tenant using true';
  const current = (scope: string) => `( SELECT swarmgate.current_${scope}() AS current_${scope})`;
  yield `directory.organizations own_organization: SELECT to swarmgate_organization using (id = ${current('organization')})`;
  yield `directory.organizations own_tenant: SELECT to swarmgate_tenant using (id IN ( SELECT tenants.organization_id FROM directory.tenants WHERE (tenants.id = ${current('tenant')})))`;
  yield `directory.billing_details own_organization: SELECT to swarmgate_organization using (organization_id = ${current('organization')})`;
  yield `directory.tenants own_organization: SELECT to swarmgate_organization using (organization_id = ${current('organization')})`;
  yield `directory.tenants own_tenant: SELECT to swarmgate_tenant using (id = ${current('tenant')})`;
}

function namesOf(tables: Classification, ...kinds: readonly string[]): string[] {
  return Object.entries(tables)
    .filter(([, { kind }]) => kinds.includes(kind))
    .map(([name]) => name);
}
