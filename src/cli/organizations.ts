import {
  type OrganizationRole,
  organizationRoles,
} from '@swarmgate/contract/rest/organization-permissions.ts';
import { installationTrail } from '#audit/audit-trail.ts';
import { createAuditTrail } from '#audit/create-audit-trail.ts';
import { AppError } from '#domain/errors.ts';
import { toWire, type Uuid } from '#domain/ids.ts';
import {
  addOrganizationMember,
  changeOrganizationRole,
  listOrganizationMembers,
  removeOrganizationMember,
} from '#identity/organizations/organization-members.ts';
import { findUser } from '#identity/people/users.ts';
import { confirmDomain, listDomains, normaliseDomain } from '#identity/sign-on/domains.ts';
import { holdOrganization, listOrganizations, updateOrganization } from '#tenancy/directory.ts';
import type { Scopes } from '#tenancy/scopes.ts';
import type { Storage } from '../storage.ts';

/** What an operator asks about organizations, which they name by their slug. */
export type OrganizationsWish =
  | { act: 'list' }
  | { act: 'change'; organization: string; what: AskedOfEverybody; isRequired: boolean }
  | { act: 'confirm-domain'; organization: string; domain: string };

/** What an organization may ask of everybody in it. */
type AskedOfEverybody = 'requiresSecondFactor' | 'requiresSingleSignOn';

export type ListedOrganization = {
  id: string;
  slug: string;
  name: string;
  plan: string;
  requiresSecondFactor: boolean;
  requiresSingleSignOn: boolean;
};

/** What an operator asks about those who run an organization. */
export type OrganizationMembersWish = { organization: string } & (
  | { act: 'list' }
  | { act: 'add'; email: string; role: string }
  | { act: 'remove'; email: string }
);

export type ListedOrganizationMember = {
  id: string;
  email: string;
  name: string;
  status: string;
  role: string;
};

/** It was not done; the message says why. */
class OrganizationRefusedError extends AppError<'organization_refused'> {
  override readonly name = 'OrganizationRefusedError';

  constructor(message: string) {
    super('organization_refused', message);
  }
}

const listedMax = 10_000;

/** Does it, and tells the installation's audit trail of it. */
export async function operateOrganizations(
  { scopes, keyRing }: Storage,
  wish: OrganizationsWish,
): Promise<ListedOrganization[]> {
  if (wish.act === 'change') await change({ scopes, keyRing }, wish);
  if (wish.act === 'confirm-domain') await confirm({ scopes, keyRing }, wish);
  const rows = await scopes.inPlatform((unit) =>
    listOrganizations(unit, { before: undefined, limit: listedMax }),
  );
  return rows
    .map(({ id, slug, name, plan, ...row }) => ({
      ...{ id: toWire('organization', id), slug, name, plan },
      requiresSecondFactor: row.requires_second_factor,
      requiresSingleSignOn: row.requires_single_sign_on,
    }))
    .sort((a, b) => (a.slug < b.slug ? -1 : 1));
}

type Parts = Pick<Storage, 'scopes' | 'keyRing'>;

// Also the way back in, when an organization's provider lets nobody in any more.
async function change(
  { scopes, keyRing }: Parts,
  { organization, what, isRequired }: Extract<OrganizationsWish, { act: 'change' }>,
): Promise<void> {
  const id = await findOrganization(scopes, organization);
  const audit = createAuditTrail({ scopes, keyRing });
  const event = await audit.prepare(installationTrail, {
    ...{ actor: { kind: 'operator' }, action: 'updateOrganization', outcome: 'allowed' },
    resource: { kind: 'organizations', id: toWire('organization', id) },
    reason: 'By an operator, at the command line.',
    detail: { changed: [what], [what]: isRequired },
  });
  await scopes.inPlatform(async (unit) => {
    const row = await holdOrganization(unit, id);
    if (!row) throw unknownOrganization(organization);
    await updateOrganization(unit, {
      ...row,
      ...(what === 'requiresSecondFactor'
        ? { requires_second_factor: isRequired }
        : { requires_single_sign_on: isRequired }),
    });
    await audit.append(unit, installationTrail, event);
  });
}

async function confirm(
  { scopes, keyRing }: Parts,
  { organization, domain }: Extract<OrganizationsWish, { act: 'confirm-domain' }>,
): Promise<void> {
  const organizationId = await findOrganization(scopes, organization);
  const audit = createAuditTrail({ scopes, keyRing });
  const claimed = await scopes.inOrganization(organizationId, (unit) => listDomains(unit, organizationId));
  const found = claimed.find((one) => one.domain === normaliseDomain(domain));
  if (!found)
    throw new OrganizationRefusedError(`The organization does not claim "${domain.slice(0, 100)}".`);
  const wish = { organizationId, id: found.id, confirmedBy: 'operator' as const };
  const { outcome } = await confirmDomain({ scopes, audit }, wish, { isOperator: true });
  if (outcome === 'taken')
    throw new OrganizationRefusedError('The domain is confirmed for another organization.');
}

/** Does it, and tells the installation's audit trail of it. Adding who is a member already gives them that role. */
export async function operateOrganizationMembers(
  { scopes, keyRing }: Storage,
  wish: OrganizationMembersWish,
): Promise<ListedOrganizationMember[]> {
  const parts = { scopes, audit: createAuditTrail({ scopes, keyRing }) };
  const organizationId = await findOrganization(scopes, wish.organization);
  const by = { kind: 'operator' } as const;
  if (wish.act === 'add') {
    const given = { organizationId, email: wish.email, role: readRole(wish.role) };
    if (!(await addOrganizationMember(parts, given))) {
      const { id: userId } = await scopes.inIdentity((unit) => findUser(unit, wish.email));
      refuse(await changeOrganizationRole(parts, { ...given, userId, by }));
    }
  }
  if (wish.act === 'remove') {
    const { id: userId } = await scopes.inIdentity((unit) => findUser(unit, wish.email));
    refuse(await removeOrganizationMember(parts, { organizationId, userId, by }));
  }
  const members = await listOrganizationMembers(parts, organizationId);
  return members.map(({ userId, email, name, status, role }) => ({
    ...{ id: toWire('user', userId), email, name, status, role },
  }));
}

async function findOrganization(scopes: Scopes, slug: string): Promise<Uuid> {
  const [row] = await scopes.inPlatform((unit) =>
    unit.sql<{ id: Uuid }>('SELECT id FROM directory.organizations WHERE slug = $1', [slug]),
  );
  if (!row) throw unknownOrganization(slug);
  return row.id;
}

function unknownOrganization(slug: string): OrganizationRefusedError {
  return new OrganizationRefusedError(`There is no organization "${slug.slice(0, 100)}" here.`);
}

function readRole(name: string): OrganizationRole {
  const role = organizationRoles.find((one) => one === name);
  if (!role)
    throw new OrganizationRefusedError(
      `There is no role "${name.slice(0, 100)}" in an organization; there are ${organizationRoles.join(', ')}.`,
    );
  return role;
}

function refuse({ outcome }: { outcome: string }): void {
  if (outcome === 'done') return;
  throw new OrganizationRefusedError(
    outcome === 'last_owner'
      ? 'They are the last owner of the organization: make somebody else owner first.'
      : outcome === 'unknown_member'
        ? 'They are no member of this organization.'
        : `It was refused: ${outcome}.`,
  );
}
