import { randomBytes } from 'node:crypto';
import type { BuiltinRole } from '@swarmgate/contract/rest/permissions.ts';
import { newId, type Uuid } from '#domain/ids.ts';
import type { KeyRing, SealPlace } from '#kernel/key-ring.ts';
import type { Unit } from '#tenancy/scopes.ts';
import type { HeldRole } from '../principal.ts';
import { builtinPermissions } from '../roles.ts';

/** An issuer whose tokens a tenant takes, as it is kept. Roles are built-in ones by name, or the tenant's own by id. */
export type TokenIssuerRow = {
  id: Uuid;
  name: string;
  issuer: string;
  audience: string;
  jwks_url: string | null;
  algorithms: TokenAlgorithm[];
  role_claim: string | null;
  role_map: { value: string; role: IssuedRole }[];
  default_role: IssuedRole | null;
  required_claims: { claim: string; value: string | number | boolean }[];
  is_enabled: boolean;
  version: number;
  created_at: Date;
  updated_at: Date;
};

export type IssuedRole = BuiltinRole | Uuid;

/** Public keys only: with a shared secret whoever checks a token could make one. */
export type TokenAlgorithm = 'EdDSA' | 'ES256' | 'RS256' | 'PS256';

/** What is said of one that is made or changed. */
export type TokenIssuerChoice = Omit<TokenIssuerRow, 'id' | 'version' | 'created_at' | 'updated_at'>;

const columns =
  'id, name, issuer, audience, jwks_url, algorithms, role_claim, role_map, default_role, required_claims, is_enabled, version, created_at, updated_at';

/** The issuers of the unit's tenant, the latest first. They are few. */
export function listTokenIssuers(unit: Unit): Promise<TokenIssuerRow[]> {
  return unit.sql<TokenIssuerRow>(
    `SELECT ${columns} FROM swarmgate.token_issuers ORDER BY tenant_id DESC, id DESC`,
  );
}

/** One of them, held until the unit ends, so that what is decided by its version stays true. */
export async function holdTokenIssuer(unit: Unit, id: Uuid): Promise<TokenIssuerRow | undefined> {
  const [row] = await unit.sql<TokenIssuerRow>(
    `SELECT ${columns} FROM swarmgate.token_issuers WHERE id = $1 FOR UPDATE`,
    [id],
  );
  return row;
}

/** `keeperId`: the member by whose rights its tokens are bounded. `undefined`: the tenant has one of that issuer and audience. */
export async function createTokenIssuer(
  unit: Unit,
  keyRing: KeyRing,
  { tenantId, keeperId }: { tenantId: Uuid; keeperId: Uuid },
  wanted: TokenIssuerChoice,
): Promise<TokenIssuerRow | undefined> {
  const id = newId();
  const subjectKey = keyRing.seal(randomBytes(32).toString('base64'), subjectKeyPlace(tenantId, id));
  const [row] = await unit.sql<TokenIssuerRow>(
    `INSERT INTO swarmgate.token_issuers (tenant_id, id, sealed_subject_key, name, issuer, audience, jwks_url, algorithms,
         role_claim, role_map, default_role, required_claims, is_enabled, kept_by)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
       ON CONFLICT (issuer, audience, tenant_id) DO NOTHING RETURNING ${columns}`,
    [tenantId, id, subjectKey, ...valuesOf(wanted), keeperId],
  );
  return row;
}

/** From then on it is kept by whoever changes it. `undefined`: the tenant has another one of that issuer and audience. */
export async function updateTokenIssuer(
  unit: Unit,
  { id, keeperId }: { id: Uuid; keeperId: Uuid },
  wanted: TokenIssuerChoice,
): Promise<TokenIssuerRow | undefined> {
  const [other] = await unit.sql(
    'SELECT 1 FROM swarmgate.token_issuers WHERE issuer = $1 AND audience = $2 AND id <> $3',
    [wanted.issuer, wanted.audience, id],
  );
  if (other) return undefined;
  const [row] = await unit.sql<TokenIssuerRow>(
    `UPDATE swarmgate.token_issuers SET name = $2, issuer = $3, audience = $4, jwks_url = $5, algorithms = $6,
         role_claim = $7, role_map = $8, default_role = $9, required_claims = $10, is_enabled = $11, kept_by = $12,
         version = version + 1, updated_at = now() WHERE id = $1 RETURNING ${columns}`,
    [id, ...valuesOf(wanted), keeperId],
  );
  if (!row) throw new TypeError('The issuer was held, and is gone.');
  return row;
}

/** Its tokens are good for nothing from then on. `undefined`: there is no such issuer. */
export async function deleteTokenIssuer(unit: Unit, id: Uuid): Promise<{ issuer: string } | undefined> {
  const [gone] = await unit.sql<{ issuer: string }>(
    'DELETE FROM swarmgate.token_issuers WHERE id = $1 RETURNING issuer',
    [id],
  );
  return gone;
}

/**
 * The roles that an issuer's tokens can bring, read within a unit of the tenant; `undefined`: it names one that the tenant
 * does not have.
 */
export async function rolesOfIssuer(
  unit: Unit,
  { role_map, default_role }: Pick<TokenIssuerChoice, 'role_map' | 'default_role'>,
): Promise<HeldRole[] | undefined> {
  const named = new Set([...role_map.map(({ role }) => role), ...(default_role ? [default_role] : [])]);
  const [builtin, own] = [[...named].filter(isBuiltinRole), [...named].filter((one) => !isBuiltinRole(one))];
  const rows = await unit.sql<{ slug: string; permissions: string[] }>(
    'SELECT slug, permissions FROM swarmgate.roles WHERE id = ANY ($1::uuid[])',
    [own],
  );
  if (rows.length < own.length) return undefined;
  return [
    ...builtin.map((name) => ({ kind: 'builtin' as const, name })),
    ...rows.map(({ slug, permissions }) => ({ kind: 'own' as const, name: slug, permissions })),
  ];
}

export function isBuiltinRole(role: string): role is BuiltinRole {
  return Object.hasOwn(builtinPermissions, role);
}

/** Where the key is bound to that pseudonyms of its subjects are made with. */
export function subjectKeyPlace(tenantId: Uuid, issuerId: Uuid): SealPlace {
  return { tenantId, table: 'token_issuers', column: `${issuerId}/subject_key` };
}

function valuesOf(wanted: TokenIssuerChoice): unknown[] {
  return [
    ...[wanted.name, wanted.issuer, wanted.audience, wanted.jwks_url, wanted.algorithms, wanted.role_claim],
    ...[JSON.stringify(wanted.role_map), wanted.default_role, JSON.stringify(wanted.required_claims)],
    wanted.is_enabled,
  ];
}
