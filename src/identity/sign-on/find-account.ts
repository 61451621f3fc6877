import { installationTrail } from '#audit/audit-trail.ts';
import { toWire, type Uuid } from '#domain/ids.ts';
import type { Unit } from '#tenancy/scopes.ts';
import { type Client, tracesOf } from '../client.ts';
import { normaliseEmail } from '../email-address.ts';
import { confirmAddress } from '../people/confirm-address.ts';
import { createUser, UserExistsError } from '../people/users.ts';
import type { SignOnConnection } from './connections.ts';
import { connectionOfDomain, domainOf } from './domains.ts';
import type { ProviderClaims } from './provider.ts';
import type { SignOnParts } from './sign-on-parts.ts';

export type FoundAccount =
  /** `isJoining`: they have yet to become a member of what the connection says. */
  { outcome: 'found'; userId: Uuid; isJoining: boolean } | { outcome: 'refused'; reason: string };

/**
 * Whose account a subject of a provider is. Once they are linked, the subject alone says so. Before that the address does,
 * and only where the organization has proved that its domain is its own, and the provider that the address is theirs.
 */
export async function findAccount(
  parts: SignOnParts,
  connection: SignOnConnection,
  claims: ProviderClaims,
  client: Client,
): Promise<FoundAccount> {
  const prepare = (action: string, reason: string) =>
    parts.audit.prepare(installationTrail, {
      ...{ actor: { kind: 'system' }, action, resource: { kind: 'users' }, outcome: 'allowed', reason },
      detail: { connectionId: toWire('signOnConnection', connection.id) },
      ...tracesOf(client),
    });
  const events = {
    created: await prepare('user.created', 'They came by single sign-on for the first time.'),
    confirmed: await prepare(
      'address.confirmed',
      'The provider of the domain’s organization says that it is theirs.',
    ),
    linked: await prepare(
      'sign_on.linked',
      'By an address of a domain that is confirmed for the organization.',
    ),
  };
  const find = () =>
    parts.scopes.inIdentity(async (unit): Promise<FoundAccount> => {
      const known = await findLinked(unit, connection.id, claims.sub);
      if (known) return known;
      const email = claims.email_verified === true ? normaliseEmail(claims.email ?? '') : undefined;
      if (email === undefined) return refuse('The provider does not say that the address is verified.');
      if ((await connectionOfDomain(unit, domainOf(email))) !== connection.id)
        return refuse('The domain of the address is not confirmed for this connection.');

      const tell = (event: (typeof events)['linked'], userId: Uuid) =>
        parts.audit.append(unit, installationTrail, {
          ...event,
          resource: { kind: 'users', id: toWire('user', userId) },
        });
      const account = await findByAddress(unit, email, connection.organization_id);
      const fault = faultOf(account, connection);
      if (fault) return refuse(fault);
      const userId =
        account?.id ?? (await createUser(unit, { email, name: nameOf(claims), isConfirmed: true })).id;
      if (!account) await tell(events.created, userId);
      else if (await confirmAddress(unit, userId)) await tell(events.confirmed, userId);
      const isJoining = !account?.belongs && connection.joins_as !== null;
      const linked = await unit.sql(
        `INSERT INTO identity.sign_on_identities (connection_id, subject, user_id, is_joining) VALUES ($1, $2, $3, $4)
           ON CONFLICT DO NOTHING RETURNING 1 AS linked`,
        [connection.id, claims.sub, userId, isJoining],
      );
      if (linked.length === 0) throw new NotLinked();
      await tell(events.linked, userId);
      return { outcome: 'found', userId, isJoining };
    });
  try {
    return await find();
  } catch (error) {
    // The same person came a second time at the same moment: now they are there.
    if (error instanceof UserExistsError) return find();
    if (!(error instanceof NotLinked)) throw error;
    const known = await parts.scopes.inIdentity((unit) => findLinked(unit, connection.id, claims.sub));
    return known ?? refuse('The account is linked to another subject of the provider.');
  }
}

/** Undoes the unit: nobody was made or confirmed. */
class NotLinked extends Error {}

async function findLinked(
  unit: Unit,
  connectionId: Uuid,
  subject: string,
): Promise<FoundAccount | undefined> {
  const [row] = await unit.sql<{ user_id: Uuid; is_joining: boolean }>(
    'SELECT user_id, is_joining FROM identity.sign_on_identities WHERE connection_id = $1 AND subject = $2',
    [connectionId, subject],
  );
  return row && { outcome: 'found', userId: row.user_id, isJoining: row.is_joining };
}

type AccountOfAddress = { id: Uuid; is_operator: boolean; is_active: boolean; belongs: boolean };

async function findByAddress(
  unit: Unit,
  email: string,
  organizationId: Uuid,
): Promise<AccountOfAddress | undefined> {
  const [row] = await unit.sql<AccountOfAddress>(
    `SELECT u.id, u.is_operator, u.status = 'active' AS is_active,
         EXISTS (SELECT FROM identity.organization_members o WHERE o.user_id = u.id AND o.organization_id = $2)
           OR EXISTS (SELECT FROM identity.memberships m JOIN directory.tenants t ON t.id = m.tenant_id
             WHERE m.user_id = u.id AND t.organization_id = $2) AS belongs
       FROM identity.users u WHERE u.email = $1 FOR UPDATE`,
    [email, organizationId],
  );
  return row;
}

function faultOf(account: AccountOfAddress | undefined, { joins_as }: SignOnConnection): string | undefined {
  if (account?.is_operator) return 'Who looks after the installation is linked to nobody’s provider.';
  if (account && !account.is_active) return 'The account is disabled.';
  if (joins_as !== null || account?.belongs) return undefined;
  return account
    ? 'They belong to nothing of the organization, and nobody joins by this connection.'
    : 'Nobody has that address, and nobody joins by this connection.';
}

function refuse(reason: string): FoundAccount {
  return { outcome: 'refused', reason };
}

function nameOf({ name = '' }: ProviderClaims): string {
  return name
    .replaceAll(/\p{Cc}/gu, ' ')
    .trim()
    .slice(0, 200)
    .toWellFormed();
}
