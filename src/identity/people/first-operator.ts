import { installationTrail } from '#audit/audit-trail.ts';
import { toWire, type Uuid } from '#domain/ids.ts';
import type { Unit } from '#tenancy/scopes.ts';
import type { IdentityParts } from '../identity-parts.ts';
import { makeSignInLink } from '../sign-in/sign-in-link.ts';
import { createUser } from './users.ts';

/** Nobody's address: names that end so lead to one's own machine (RFC 6761 §6.3). */
export const firstOperatorEmail = 'operator@swarmgate.localhost';

/**
 * A link for whoever sits at the machine, as long as nobody has anything to sign in with: where there is nobody at all it
 * makes an operator first, without a password, who also owns the tenant of that slug, if there is one. Earlier links are good no
 * more.
 */
export async function offerFirstSignIn(
  { scopes, audit }: Pick<IdentityParts, 'scopes' | 'audit'>,
  { tenant: slug }: { tenant: string },
): Promise<{ token: string; expiresAt: Date } | undefined> {
  return scopes.inIdentity(async (unit) => {
    const operator = await findOrCreate(unit);
    if (!operator) return undefined;
    const link = await makeSignInLink(unit, operator.id, 'this_machine');
    const tell = async (trail: Uuid, action: string, resourceKind: string) =>
      audit.append(
        unit,
        trail,
        await audit.prepare(trail, {
          ...{ actor: { kind: 'system' }, action, outcome: 'allowed' },
          resource: { kind: resourceKind, id: toWire('user', operator.id) },
          reason: 'By the service at its start, for who sits at its machine.',
        }),
      );
    if (operator.isNew) await tell(installationTrail, 'user.created', 'users');
    await tell(installationTrail, 'sign_in_link.made', 'users');
    const [tenant] = operator.isNew
      ? await unit.sql<{ id: Uuid }>('SELECT id FROM directory.tenants WHERE slug = $1', [slug])
      : [];
    if (!tenant) return link;
    await unit.sql(
      `INSERT INTO identity.memberships (tenant_id, user_id, builtin_role) VALUES ($1, $2, 'owner')`,
      [tenant.id, operator.id],
    );
    await unit.becomeTenant(tenant.id);
    await tell(tenant.id, 'member.added', 'members');
    return link;
  });
}

async function findOrCreate(unit: Unit): Promise<{ id: Uuid; isNew: boolean } | undefined> {
  const [there] = await unit.sql<{ is_anybody: boolean; has_anybody_a_secret: boolean; id: Uuid | null }>(
    `SELECT EXISTS (SELECT FROM identity.users) AS is_anybody,
         EXISTS (SELECT FROM identity.passwords) OR EXISTS (SELECT FROM identity.passkeys)
           OR EXISTS (SELECT FROM identity.totp WHERE confirmed_at IS NOT NULL) AS has_anybody_a_secret,
         (SELECT id FROM identity.users WHERE email = $1 AND status = 'active' AND is_operator) AS id`,
    [firstOperatorEmail],
  );
  if (!there || there.has_anybody_a_secret) return undefined;
  if (there.id !== null) return { id: there.id, isNew: false };
  if (there.is_anybody) return undefined;
  const { id } = await createUser(unit, { email: firstOperatorEmail, isOperator: true, isConfirmed: true });
  return { id, isNew: true };
}
