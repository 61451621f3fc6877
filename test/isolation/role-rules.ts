import { type Classification, functionRoles, innerFunctions, securityDefiners } from './classification.ts';
import { exactly, type Found, type Rule } from './rule.ts';

/** What holds for roles, what they may do, and what runs in their name. */

const ourRoles = `'swarmgate_service', 'swarmgate_tenant', 'swarmgate_organization', 'swarmgate_platform', 'swarmgate_identity', 'swarmgate_sweeper', 'swarmgate_auditor', 'swarmgate_queue'`;

const inOurSchemas = `n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema', 'bullmq')`;

const notFromExtension = (catalogue: string, oid: string) =>
  `NOT EXISTS (SELECT 1 FROM pg_catalog.pg_depend d
    WHERE d.classid = 'pg_catalog.${catalogue}'::regclass AND d.objid = ${oid} AND d.deptype = 'e')`;

const grantee = `CASE acl.grantee WHEN 0 THEN 'PUBLIC' ELSE acl.grantee::regrole::text END`;

export const roleRules = (tables: Classification): readonly Rule[] => [
  {
    name: 'powerful role',
    query: `SELECT rolname AS found FROM pg_catalog.pg_roles WHERE rolname IN (${ourRoles})
      AND (rolsuper OR rolbypassrls OR rolcreaterole OR rolcreatedb OR rolreplication OR rolcanlogin OR rolinherit)`,
  },
  {
    name: 'login that bypasses row-level security',
    query: `SELECT login.rolname AS found FROM pg_catalog.pg_roles login
      WHERE login.rolbypassrls AND NOT login.rolsuper AND pg_has_role(login.oid, 'swarmgate_service', 'MEMBER')`,
  },
  {
    name: 'membership',
    query: `SELECT format('%s may become %s', m.member::regrole, m.roleid::regrole) AS found
      FROM pg_catalog.pg_auth_members m JOIN pg_catalog.pg_roles r ON r.oid = m.member WHERE r.rolname IN (${ourRoles})`,
    judge: (rows) =>
      exactly(
        ['tenant', 'organization', 'platform', 'identity', 'sweeper', 'auditor'].map(
          (scope) => `swarmgate_service may become swarmgate_${scope}`,
        ),
      )(rows.filter(({ found }) => found !== embeddedQueue)),
  },
  {
    name: 'grant',
    query: `
      SELECT format('%s on %I.%I: %s', ${grantee}, n.nspname, c.relname,
          string_agg(acl.privilege_type || CASE WHEN acl.is_grantable THEN ' with grant option' ELSE '' END, ' ' ORDER BY acl.privilege_type)) AS found
        FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace, aclexplode(c.relacl) acl
        WHERE ${inOurSchemas} AND acl.grantee <> c.relowner AND ${notFromExtension('pg_class', 'c.oid')}
        GROUP BY acl.grantee, n.nspname, c.relname
      UNION ALL
      SELECT format('%s on %I.%I(%I): %s', ${grantee}, n.nspname, c.relname, a.attname,
          string_agg(acl.privilege_type || CASE WHEN acl.is_grantable THEN ' with grant option' ELSE '' END, ' ' ORDER BY acl.privilege_type))
        FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_class c ON c.oid = a.attrelid
        JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace, aclexplode(a.attacl) acl
        WHERE ${inOurSchemas} AND acl.grantee <> c.relowner
        GROUP BY acl.grantee, n.nspname, c.relname, a.attname`,
    judge: exactly(expectedGrants(tables)),
  },
  {
    name: 'default privilege',
    query: `SELECT DISTINCT format('%s on what is yet to be made', ${grantee}) AS found
      FROM pg_catalog.pg_default_acl d, aclexplode(d.defaclacl) acl WHERE acl.grantee <> d.defaclrole`,
  },
  {
    name: 'right to create in a schema',
    query: `SELECT format('%s in %s', ${grantee}, n.nspname) AS found
      FROM pg_catalog.pg_namespace n, aclexplode(n.nspacl) acl
      WHERE n.nspname !~ '^pg_' AND acl.privilege_type = 'CREATE' AND acl.grantee <> n.nspowner`,
    // BullMQ makes sequences while it works.
    judge: exactly(['swarmgate_queue in bullmq']),
  },
  {
    name: 'owned by a role of the service',
    query: `SELECT pg_describe_object(s.classid, s.objid, s.objsubid) AS found
      FROM pg_catalog.pg_shdepend s JOIN pg_catalog.pg_roles r ON r.oid = s.refobjid
      WHERE s.deptype = 'o' AND s.refclassid = 'pg_catalog.pg_authid'::regclass AND r.rolname IN (${ourRoles})
        AND s.dbid IN (0, (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database()))
        AND (SELECT o.schema FROM pg_identify_object(s.classid, s.objid, s.objsubid) o) IS DISTINCT FROM 'bullmq'`,
  },
  {
    name: 'function that runs as its owner',
    query: `SELECT format('%I.%I', n.nspname, p.proname) AS found
      FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
      WHERE p.prosecdef AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' AND ${notFromExtension('pg_proc', 'p.oid')}`,
    judge: exactly(securityDefiners),
  },
  {
    name: 'function',
    query: `SELECT format('%I.%I', n.nspname, p.proname) AS found, l.lanname AS language,
        (SELECT substr(setting, 6) FROM unnest(p.proconfig) setting WHERE setting LIKE 'role=%') AS role,
        ARRAY(SELECT ${grantee} FROM aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) acl
          WHERE acl.grantee <> p.proowner ORDER BY 1) AS callers
      FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
      JOIN pg_catalog.pg_language l ON l.oid = p.prolang
      WHERE ${inOurSchemas} AND ${notFromExtension('pg_proc', 'p.oid')}`,
    judge: (rows) => [
      ...rows.flatMap((row) => judgeFunction(row as FunctionRow)),
      ...Object.keys({ ...functionRoles, ...innerFunctions })
        .filter((name) => rows.every(({ found }) => found !== name))
        .map((name) => `${name} is not there`),
    ],
  },
];

// The embedded database's one session serves application and queue.
const embeddedQueue = 'swarmgate_service may become swarmgate_queue';

/** Every right of everybody but the owner. TRUNCATE, REFERENCES and TRIGGER see past row-level security. */
function* expectedGrants(tables: Classification): Iterable<string> {
  for (const [name, table] of Object.entries(tables)) {
    if (table.kind !== 'tenant') {
      for (const [role, rights] of Object.entries(table.grants)) yield `${role} on ${name}: ${rights}`;
      if (table.kind === 'directory')
        for (const scope of ['sweeper', 'identity'] as const)
          for (const column of table[scope] ?? []) yield `swarmgate_${scope} on ${name}(${column}): SELECT`;
      continue;
    }
    yield `swarmgate_tenant on ${name}: ${table.rights ?? 'DELETE INSERT SELECT UPDATE'}`;
    if (table.identity) yield `swarmgate_identity on ${name}: ${table.identity.rights}`;
    if (table.aboveAdd)
      for (const scope of ['organization', 'platform']) yield `swarmgate_${scope} on ${name}: INSERT`;
    if (table.auditor) yield `swarmgate_auditor on ${name}: ${table.auditor}`;
    const columns = { swarmgate_organization: table.report, swarmgate_sweeper: table.sweeper };
    for (const [role, names] of Object.entries(columns))
      for (const column of names ?? []) yield `${role} on ${name}(${column}): SELECT`;
  }
}

type FunctionRow = Found & { language: string; role: string | null; callers: string[] };

function judgeFunction({ found: name, language, role, callers }: FunctionRow): string[] {
  const isVersioned = /_v\d+$/.test(name);
  if (!isVersioned && !(name in innerFunctions)) return [`${name} is not on the list`];
  const wanted = isVersioned ? (functionRoles[name] ?? 'swarmgate_tenant') : null;
  const wantedCallers = (isVersioned ? ['swarmgate_service'] : (innerFunctions[name] ?? [])).join(', ');
  return [
    ...(role === wanted ? [] : [`${name} runs as ${role ?? 'its caller'}, not as ${wanted ?? 'its caller'}`]),
    // A function in SQL may be put inside the caller's query, and then its SET role does not hold.
    ...(isVersioned && language !== 'plpgsql' ? [`${name} is written in ${language}`] : []),
    ...(callers.join(', ') === wantedCallers
      ? []
      : [`${name} may be called by ${callers.join(', ')}, not by ${wantedCallers}`]),
  ];
}
