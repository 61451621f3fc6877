import { randomBytes } from 'node:crypto';
import { AppError } from '#domain/errors.ts';
import { newId, type Uuid } from '#domain/ids.ts';
import { isWithin, readDomainName } from './domain-names.ts';
import type { PlatformUnit, Unit } from './scopes.ts';

/** Domains that lead to a tenant: it asks for one, shows that it is theirs, and is found by it from then on. */

export type DomainRow = {
  id: Uuid;
  tenant_id: Uuid;
  domain: string;
  challenge: string;
  created_at: Date;
  verified_at: Date | null;
  verified_by: 'dns' | 'operator' | null;
};

/** It is not taken; the message says why. */
export class DomainRefusedError extends AppError<'invalid_domain' | 'domain_reserved' | 'too_many_domains'> {
  override readonly name = 'DomainRefusedError';
}

const columns = 'id, tenant_id, domain, challenge, created_at, verified_at, verified_by';
const domainsMax = 20;
/** Names that mean something else wherever they are asked for. */
const special = ['localhost', 'local', 'internal', 'invalid', 'onion', 'arpa'];

/** Where the record of a domain is looked for, and what it has to say. */
export function recordOf({ domain, challenge }: Pick<DomainRow, 'domain' | 'challenge'>) {
  return { name: `_swarmgate.${domain}`, value: `swarmgate-domain=${challenge}` };
}

/** Of the installation itself, which no tenant may have for its own. */
export type OwnDomains = { publicUrl: string; baseDomain: string | undefined };

/** Asks for a domain, or answers what was asked before. @throws {DomainRefusedError} */
export async function claimDomain(
  unit: Unit,
  tenantId: Uuid,
  given: string,
  { publicUrl, baseDomain }: OwnDomains,
): Promise<DomainRow> {
  const domain = readDomainName(given);
  if (domain === undefined)
    throw new DomainRefusedError('invalid_domain', 'That is no domain name such as chat.customer.example.');
  const isOurs = domain === new URL(publicUrl).hostname;
  const isBelowOurs = baseDomain !== undefined && isWithin(domain, baseDomain);
  if (isOurs || isBelowOurs || special.some((name) => isWithin(domain, name)))
    throw new DomainRefusedError('domain_reserved', 'That name is not for a tenant to have.');
  const [known] = await unit.sql<DomainRow>(`SELECT ${columns} FROM directory.domains WHERE domain = $1`, [
    domain,
  ]);
  if (known) return known;
  const [all] = await unit.sql<{ count: string }>('SELECT count(*) AS count FROM directory.domains');
  if (Number(all?.count) >= domainsMax)
    throw new DomainRefusedError('too_many_domains', `A tenant has ${domainsMax} domains at most.`);
  const [row] = await unit.sql<DomainRow>(
    `INSERT INTO directory.domains (id, tenant_id, domain, challenge) VALUES ($1, $2, $3, $4) RETURNING ${columns}`,
    [newId(), tenantId, domain, randomBytes(20).toString('hex')],
  );
  if (!row) throw new TypeError('The database answered nothing.');
  return row;
}

export function listDomains(unit: Unit): Promise<DomainRow[]> {
  return unit.sql<DomainRow>(`SELECT ${columns} FROM directory.domains ORDER BY domain`);
}

export async function findDomain(unit: Unit, id: Uuid): Promise<DomainRow | undefined> {
  const [row] = await unit.sql<DomainRow>(`SELECT ${columns} FROM directory.domains WHERE id = $1`, [id]);
  return row;
}

/** `false`: there was none. */
export async function releaseDomain(unit: Unit, id: Uuid): Promise<boolean> {
  const released = await unit.sql('DELETE FROM directory.domains WHERE id = $1 RETURNING id', [id]);
  return released.length > 0;
}

/**
 * That a domain is a tenant's: from this commit on it leads there. `undefined`: it is not asked for any more. Rejects with a
 * `ConflictError` when it is another tenant's.
 */
export async function verifyDomain(
  unit: PlatformUnit,
  { tenantId, id, by }: { tenantId: Uuid; id: Uuid; by: 'dns' | 'operator' },
): Promise<DomainRow | undefined> {
  const [row] = await unit.sql<DomainRow>(
    `UPDATE directory.domains SET verified_at = coalesce(verified_at, now()), verified_by = coalesce(verified_by, $3)
       WHERE id = $1 AND tenant_id = $2 RETURNING ${columns}`,
    [id, tenantId, by],
  );
  return row;
}

/** The tenant that a domain leads to. */
export async function findDomainHolder(unit: PlatformUnit, domain: string): Promise<Uuid | undefined> {
  const [row] = await unit.sql<{ tenant_id: Uuid }>(
    'SELECT tenant_id FROM directory.domains WHERE domain = $1 AND verified_at IS NOT NULL',
    [domain],
  );
  return row?.tenant_id;
}
