import { installationTrail } from '#audit/audit-trail.ts';
import { newId, toWire, type Uuid } from '#domain/ids.ts';
import type { KeyRing, SealPlace } from '#kernel/key-ring.ts';
import type { Unit } from '#tenancy/scopes.ts';
import { type Client, tracesOf } from '../client.ts';
import type { IdentityParts } from '../identity-parts.ts';

/** As what somebody may become a member who comes for the first time. Nobody becomes an owner by that. */
export type JoinRole = 'admin' | 'member' | 'viewer';

/** An identity provider that people of an organization sign in with, as it is kept; its client secret is sealed. */
export type SignOnConnection = {
  id: Uuid;
  organization_id: Uuid;
  name: string;
  issuer: string;
  client_id: string;
  is_enabled: boolean;
  second_factor_amr: string[];
  second_factor_acr: string[];
  joins_as: JoinRole | null;
  joins_tenants: Uuid[];
  version: number;
  created_at: Date;
  updated_at: Date;
};

/** What is said of one that is made or changed. */
export type SignOnChoice = Omit<
  SignOnConnection,
  'id' | 'organization_id' | 'version' | 'created_at' | 'updated_at'
>;

export type SignOnChange =
  | { outcome: 'done'; connection: SignOnConnection }
  | { outcome: 'unknown_connection' | 'changed_meanwhile' }
  /** A tenant that people are to become members of is none of the organization's. */
  | { outcome: 'unknown_tenant' }
  /** Another issuer or client is given together with its secret. */
  | { outcome: 'secret_needed' }
  /** The organization takes no passwords, and this is the last way in. */
  | { outcome: 'last_way_in' };

type Parts = Pick<IdentityParts, 'scopes' | 'audit' | 'keyRing'>;

/** Who changes it: a person, who is signed in, or an operator at the command line. An operator may close the last way in. */
export type SignOnChanger = { id?: Uuid; isOperator: boolean; client?: Client };

const columns =
  'id, organization_id, name, issuer, client_id, is_enabled, second_factor_amr, second_factor_acr, joins_as, joins_tenants, version, created_at, updated_at';

/** Those of the unit's organization, by name. */
export function listConnections(unit: Unit, organizationId: Uuid): Promise<SignOnConnection[]> {
  return unit.sql<SignOnConnection>(
    `SELECT ${columns} FROM identity.sign_on_connections WHERE organization_id = $1 ORDER BY name, id`,
    [organizationId],
  );
}

export async function findConnection(
  unit: Unit,
  organizationId: Uuid,
  id: Uuid,
): Promise<SignOnConnection | undefined> {
  const [row] = await unit.sql<SignOnConnection>(
    `SELECT ${columns} FROM identity.sign_on_connections WHERE organization_id = $1 AND id = $2`,
    [organizationId, id],
  );
  return row;
}

/** One that people may sign in with now, with its secret; whichever organization it is of. In the scope of people. */
export async function openConnection(
  unit: Unit,
  keyRing: KeyRing,
  id: Uuid,
): Promise<(SignOnConnection & { clientSecret: string }) | undefined> {
  const [row] = await unit.sql<SignOnConnection & { sealed_client_secret: string }>(
    `SELECT ${columns}, sealed_client_secret FROM identity.sign_on_connections WHERE id = $1 AND is_enabled`,
    [id],
  );
  return row && { ...row, clientSecret: keyRing.open(row.sealed_client_secret, clientSecretPlace(row)) };
}

export async function createConnection(
  { scopes, audit, keyRing }: Parts,
  {
    organizationId,
    clientSecret,
    choice,
  }: { organizationId: Uuid; clientSecret: string; choice: SignOnChoice },
  by: SignOnChanger,
): Promise<SignOnChange> {
  const id = newId();
  const sealed = keyRing.seal(clientSecret, clientSecretPlace({ organization_id: organizationId, id }));
  const event = await audit.prepare(
    installationTrail,
    eventOf('sign_on_connection.made', { organizationId, id }, by),
  );
  return scopes.inIdentity(async (unit): Promise<SignOnChange> => {
    if (!(await areTenantsOf(unit, organizationId, choice.joins_tenants)))
      return { outcome: 'unknown_tenant' };
    const [connection] = await unit.sql<SignOnConnection>(
      `INSERT INTO identity.sign_on_connections (organization_id, id, sealed_client_secret, name, issuer, client_id, is_enabled,
           second_factor_amr, second_factor_acr, joins_as, joins_tenants)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) RETURNING ${columns}`,
      [organizationId, id, sealed, ...valuesOf(choice)],
    );
    if (!connection) throw new TypeError('The database answered nothing.');
    await audit.append(unit, installationTrail, event);
    return { outcome: 'done', connection };
  });
}

/**
 * Changes one. A provider that is another one than before, or is switched off, has its sessions ended; and a subject of
 * another issuer is nobody who is known.
 */
export async function updateConnection(
  { scopes, audit, keyRing }: Parts,
  {
    organizationId,
    id,
    change,
    ifVersion,
  }: {
    organizationId: Uuid;
    id: Uuid;
    change: (now: SignOnConnection) => { choice: SignOnChoice; clientSecret: string | undefined };
    ifVersion: number | undefined;
  },
  by: SignOnChanger,
): Promise<SignOnChange> {
  const event = await audit.prepare(
    installationTrail,
    eventOf('sign_on_connection.changed', { organizationId, id }, by),
  );
  return scopes.inIdentity(async (unit): Promise<SignOnChange> => {
    const now = await holdConnection(unit, organizationId, id);
    if (!now) return { outcome: 'unknown_connection' };
    if (ifVersion !== undefined && ifVersion !== now.version) return { outcome: 'changed_meanwhile' };
    const { choice, clientSecret } = change(now);
    const isAnother = choice.issuer !== now.issuer || choice.client_id !== now.client_id;
    // The one that is kept was given for the other issuer, and goes to no one else.
    if (isAnother && clientSecret === undefined) return { outcome: 'secret_needed' };
    // One that was deleted meanwhile keeps nobody from switching the connection off.
    const added = choice.joins_tenants.filter((tenantId) => !now.joins_tenants.includes(tenantId));
    if (!(await areTenantsOf(unit, organizationId, added))) return { outcome: 'unknown_tenant' };
    if (!choice.is_enabled && (await isLastWayIn(unit, now, by))) return { outcome: 'last_way_in' };
    const [connection] = await unit.sql<SignOnConnection>(
      `UPDATE identity.sign_on_connections SET name = $3, issuer = $4, client_id = $5, is_enabled = $6,
           second_factor_amr = $7, second_factor_acr = $8, joins_as = $9, joins_tenants = $10,
           sealed_client_secret = coalesce($11, sealed_client_secret), version = version + 1, updated_at = now()
         WHERE organization_id = $1 AND id = $2 RETURNING ${columns}`,
      [
        ...[organizationId, id, ...valuesOf(choice)],
        clientSecret === undefined ? null : keyRing.seal(clientSecret, clientSecretPlace(now)),
      ],
    );
    if (!connection) throw new TypeError('The connection was held, and is gone.');
    if (connection.issuer !== now.issuer)
      await unit.sql('DELETE FROM identity.sign_on_identities WHERE connection_id = $1', [id]);
    if (isAnother || !connection.is_enabled) await endSessionsOf(unit, id);
    await audit.append(unit, installationTrail, {
      ...event,
      detail: { ...event.detail, ...toldOf(connection) },
    });
    return { outcome: 'done', connection };
  });
}

/** Takes one away, with whom its subjects are, and the sessions that came by it. */
export async function deleteConnection(
  { scopes, audit }: Parts,
  { organizationId, id, ifVersion }: { organizationId: Uuid; id: Uuid; ifVersion: number | undefined },
  by: SignOnChanger,
): Promise<SignOnChange> {
  const event = await audit.prepare(
    installationTrail,
    eventOf('sign_on_connection.removed', { organizationId, id }, by),
  );
  return scopes.inIdentity(async (unit): Promise<SignOnChange> => {
    const connection = await holdConnection(unit, organizationId, id);
    if (!connection) return { outcome: 'unknown_connection' };
    if (ifVersion !== undefined && ifVersion !== connection.version) return { outcome: 'changed_meanwhile' };
    if (await isLastWayIn(unit, connection, by)) return { outcome: 'last_way_in' };
    await unit.sql(
      'UPDATE identity.sign_on_domains SET connection_id = NULL WHERE organization_id = $1 AND connection_id = $2',
      [organizationId, id],
    );
    // What hangs on it goes with it: attempts, identities, sessions with their tokens.
    await unit.sql('DELETE FROM identity.sign_on_connections WHERE organization_id = $1 AND id = $2', [
      organizationId,
      id,
    ]);
    await audit.append(unit, installationTrail, event);
    return { outcome: 'done', connection };
  });
}

/** A subject is nobody any more, until somebody is linked to it anew; their sessions by it end. `false`: there is none. */
export async function unlinkIdentity(
  { scopes, audit }: Parts,
  { organizationId, id, userId }: { organizationId: Uuid; id: Uuid; userId: Uuid },
  by: SignOnChanger,
): Promise<boolean> {
  const event = await audit.prepare(
    installationTrail,
    eventOf('sign_on.unlinked', { organizationId, id }, by),
  );
  return scopes.inIdentity(async (unit) => {
    const gone = await unit.sql(
      `DELETE FROM identity.sign_on_identities i USING identity.sign_on_connections c
         WHERE c.id = i.connection_id AND c.organization_id = $1 AND c.id = $2 AND i.user_id = $3 RETURNING 1 AS gone`,
      [organizationId, id, userId],
    );
    if (gone.length === 0) return false;
    await endSessionsOf(unit, id, userId);
    await audit.append(unit, installationTrail, {
      ...event,
      detail: { ...event.detail, userId: toWire('user', userId) },
    });
    return true;
  });
}

async function holdConnection(
  unit: Unit,
  organizationId: Uuid,
  id: Uuid,
): Promise<SignOnConnection | undefined> {
  // All of them, in one order: of two that are closed at the same moment, the other is then the last.
  const rows = await unit.sql<SignOnConnection>(
    `SELECT ${columns} FROM identity.sign_on_connections WHERE organization_id = $1 ORDER BY id FOR UPDATE`,
    [organizationId],
  );
  return rows.find((row) => row.id === id);
}

async function isLastWayIn(
  unit: Unit,
  { organization_id, id }: SignOnConnection,
  { isOperator }: SignOnChanger,
): Promise<boolean> {
  if (isOperator) return false;
  const [last] = await unit.sql(
    `SELECT 1 FROM directory.organizations o WHERE o.id = $1 AND o.requires_single_sign_on AND NOT EXISTS (
       SELECT FROM identity.sign_on_connections c WHERE c.organization_id = o.id AND c.id <> $2 AND c.is_enabled)`,
    [organization_id, id],
  );
  return last !== undefined;
}

async function areTenantsOf(unit: Unit, organizationId: Uuid, tenantIds: readonly Uuid[]): Promise<boolean> {
  const rows = await unit.sql(
    'SELECT 1 FROM directory.tenants WHERE organization_id = $1 AND id = ANY ($2::uuid[])',
    [organizationId, [...tenantIds]],
  );
  return rows.length === new Set(tenantIds).size;
}

async function endSessionsOf(unit: Unit, connectionId: Uuid, userId?: Uuid): Promise<void> {
  await unit.sql(
    `UPDATE identity.sign_in_challenges SET used_at = now()
       WHERE connection_id = $1 AND used_at IS NULL AND ($2::uuid IS NULL OR user_id = $2)`,
    [connectionId, userId ?? null],
  );
  await unit.sql(
    `UPDATE identity.web_sessions SET revoked_at = now()
       WHERE connection_id = $1 AND revoked_at IS NULL AND ($2::uuid IS NULL OR user_id = $2)`,
    [connectionId, userId ?? null],
  );
  await unit.sql(
    'UPDATE identity.sign_on_attempts SET used_at = now() WHERE connection_id = $1 AND used_at IS NULL',
    [connectionId],
  );
}

function clientSecretPlace({
  organization_id,
  id,
}: Pick<SignOnConnection, 'organization_id' | 'id'>): SealPlace {
  return { tenantId: organization_id, table: 'sign_on_connections', column: `${id}/client_secret` };
}

function valuesOf(choice: SignOnChoice): unknown[] {
  return [
    ...[choice.name, choice.issuer, choice.client_id, choice.is_enabled],
    ...[choice.second_factor_amr, choice.second_factor_acr, choice.joins_as, choice.joins_tenants],
  ];
}

function toldOf({ issuer, is_enabled, joins_as }: SignOnConnection) {
  return { issuer, isEnabled: is_enabled, joinsAs: joins_as };
}

/** How what is done to a way of signing in is told: on the installation's trail, of the organization. */
export function eventOf(
  action: string,
  { organizationId, id }: { organizationId: Uuid; id?: Uuid },
  { id: by, client }: Pick<SignOnChanger, 'id' | 'client'>,
) {
  return {
    actor: by === undefined ? ({ kind: 'operator' } as const) : ({ kind: 'user', id: by } as const),
    ...{ action, outcome: 'allowed' as const },
    permission: 'organization-sign-in:write',
    resource: { kind: 'organizations', id: toWire('organization', organizationId) },
    ...(id !== undefined && { detail: { connectionId: toWire('signOnConnection', id) } }),
    ...(client && tracesOf(client)),
  };
}
