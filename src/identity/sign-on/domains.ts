import { randomBytes } from 'node:crypto';
import { domainToASCII } from 'node:url';
import { installationTrail } from '#audit/audit-trail.ts';
import { newId, toWire, type Uuid } from '#domain/ids.ts';
import { ConflictError } from '#tenancy/scope-errors.ts';
import type { Unit } from '#tenancy/scopes.ts';
import type { IdentityParts } from '../identity-parts.ts';
import { eventOf, type SignOnChanger } from './connections.ts';

/** A domain of addresses that an organization says is its own. */
export type SignOnDomain = {
  id: Uuid;
  domain: string;
  /** With which its people sign in. */
  connection_id: Uuid | null;
  /** What a TXT record of `_swarmgate.<domain>` has to be, where no operator confirms it. */
  proof: string;
  confirmed_at: Date | null;
  confirmed_by: 'operator' | 'dns' | null;
  created_at: Date;
};

export type DomainChange =
  | { outcome: 'done'; domain: SignOnDomain }
  | { outcome: 'unknown_domain' | 'unknown_connection' }
  /** The organization has claimed it already; or another one's claim is believed. */
  | { outcome: 'taken' }
  /** No such record is there. */
  | { outcome: 'not_proved' };

type Parts = Pick<IdentityParts, 'scopes' | 'audit'>;

const columns = 'id, domain, connection_id, proof, confirmed_at, confirmed_by, created_at';

/** A domain as it is kept and compared; `undefined` when it is none. */
export function normaliseDomain(text: string): string | undefined {
  const domain = domainToASCII(text.trim().replace(/\.$/, '')).toLowerCase();
  const label = '[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?';
  const isOne = new RegExp(`^(?:${label}\\.)+(?!\\d+$)${label}$`).test(domain);
  return isOne && domain.length <= 253 ? domain : undefined;
}

/** The domain of an address that is one. */
export function domainOf(email: string): string {
  return email.slice(email.lastIndexOf('@') + 1);
}

/** Those of the unit's organization, by name. */
export function listDomains(unit: Unit, organizationId: Uuid): Promise<SignOnDomain[]> {
  return unit.sql<SignOnDomain>(
    `SELECT ${columns} FROM identity.sign_on_domains WHERE organization_id = $1 ORDER BY domain`,
    [organizationId],
  );
}

/** The connection that people of a domain sign in with, if it is believed whose the domain is. In the scope of people. */
export async function connectionOfDomain(unit: Unit, domain: string): Promise<Uuid | undefined> {
  const [row] = await unit.sql<{ connection_id: Uuid | null }>(
    'SELECT connection_id FROM identity.sign_on_domains WHERE domain = $1 AND confirmed_at IS NOT NULL',
    [domain],
  );
  return row?.connection_id ?? undefined;
}

/** Says that a domain is the organization's. It is worth nothing before it is confirmed. */
export async function claimDomain(
  { scopes, audit }: Parts,
  {
    organizationId,
    domain,
    connectionId,
  }: { organizationId: Uuid; domain: string; connectionId: Uuid | null },
  by: SignOnChanger,
): Promise<DomainChange> {
  const event = await audit.prepare(installationTrail, {
    ...eventOf('sign_on_domain.claimed', { organizationId }, by),
    detail: { domain },
  });
  return scopes.inIdentity(async (unit): Promise<DomainChange> => {
    if (!(await isConnectionOf(unit, organizationId, connectionId))) return { outcome: 'unknown_connection' };
    const [claimed] = await unit.sql<SignOnDomain>(
      `INSERT INTO identity.sign_on_domains (organization_id, id, domain, connection_id, proof) VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (organization_id, domain) DO NOTHING RETURNING ${columns}`,
      [organizationId, newId(), domain, connectionId, `swarmgate-domain=${randomBytes(16).toString('hex')}`],
    );
    if (!claimed) return { outcome: 'taken' };
    await audit.append(unit, installationTrail, event);
    return { outcome: 'done', domain: claimed };
  });
}

/** Says with which connection people of a domain sign in from now on. */
export function assignDomain(
  parts: Parts,
  wish: { organizationId: Uuid; id: Uuid; connectionId: Uuid | null },
  by: SignOnChanger,
): Promise<DomainChange> {
  return changeDomain(parts, wish, 'sign_on_domain.assigned', by, async (unit) => {
    const { organizationId, id, connectionId } = wish;
    if (!(await isConnectionOf(unit, organizationId, connectionId))) return { outcome: 'unknown_connection' };
    return update(unit, 'connection_id = $3', [organizationId, id, connectionId]);
  });
}

/** It is believed from now on, by an operator's word or by the domain's own. Of two organizations one is. */
export async function confirmDomain(
  parts: Parts,
  wish: { organizationId: Uuid; id: Uuid; confirmedBy: 'operator' | 'dns' },
  by: SignOnChanger,
): Promise<DomainChange> {
  const { organizationId, id, confirmedBy } = wish;
  try {
    return await changeDomain(parts, wish, 'sign_on_domain.confirmed', by, (unit) =>
      update(
        unit,
        'confirmed_at = coalesce(confirmed_at, now()), confirmed_by = coalesce(confirmed_by, $3)',
        [...[organizationId, id, confirmedBy]],
      ),
    );
  } catch (error) {
    if (error instanceof ConflictError) return { outcome: 'taken' };
    throw error;
  }
}

/** The domain is the organization's no more. Whoever is linked stays so. */
export function releaseDomain(
  parts: Parts,
  wish: { organizationId: Uuid; id: Uuid },
  by: SignOnChanger,
): Promise<DomainChange> {
  return changeDomain(parts, wish, 'sign_on_domain.released', by, async (unit) => {
    const [domain] = await unit.sql<SignOnDomain>(
      `DELETE FROM identity.sign_on_domains WHERE organization_id = $1 AND id = $2 RETURNING ${columns}`,
      [wish.organizationId, wish.id],
    );
    return domain ? { outcome: 'done', domain } : { outcome: 'unknown_domain' };
  });
}

async function changeDomain(
  { scopes, audit }: Parts,
  { organizationId, id }: { organizationId: Uuid; id: Uuid },
  action: string,
  by: SignOnChanger,
  change: (unit: Unit) => Promise<DomainChange>,
): Promise<DomainChange> {
  const event = await audit.prepare(installationTrail, eventOf(action, { organizationId }, by));
  return scopes.inIdentity(async (unit) => {
    const changed = await change(unit);
    if (changed.outcome === 'done') {
      const detail = { domain: changed.domain.domain, domainId: toWire('signOnDomain', id) };
      await audit.append(unit, installationTrail, { ...event, detail });
    }
    return changed;
  });
}

// `assignments` are of ours, never input; the first two values are the organization and the domain.
async function update(unit: Unit, assignments: string, values: readonly unknown[]): Promise<DomainChange> {
  const [domain] = await unit.sql<SignOnDomain>(
    `UPDATE identity.sign_on_domains SET ${assignments} WHERE organization_id = $1 AND id = $2 RETURNING ${columns}`,
    values,
  );
  return domain ? { outcome: 'done', domain } : { outcome: 'unknown_domain' };
}

async function isConnectionOf(unit: Unit, organizationId: Uuid, id: Uuid | null): Promise<boolean> {
  if (id === null) return true;
  const rows = await unit.sql(
    'SELECT 1 FROM identity.sign_on_connections WHERE organization_id = $1 AND id = $2',
    [organizationId, id],
  );
  return rows.length > 0;
}
