import type { Uuid } from '#domain/ids.ts';
import type { ResolveTxt } from '#kernel/resolve-txt.ts';
import type { IdentityParts } from '../identity-parts.ts';
import type { SignOnChanger } from './connections.ts';
import { confirmDomain, type DomainChange, listDomains } from './domains.ts';

/** Where a domain says whose it is; a name of its own, which is nobody's who only answers for the domain's mail. */
export function recordNameOf(domain: string): string {
  return `_swarmgate.${domain}`;
}

/** Looks whether a domain says that it is the organization's, and believes it then. */
export async function proveDomain(
  parts: Pick<IdentityParts, 'scopes' | 'audit'>,
  resolveTxt: ResolveTxt,
  { organizationId, id }: { organizationId: Uuid; id: Uuid },
  by: SignOnChanger,
): Promise<DomainChange> {
  const claimed = await parts.scopes.inOrganization(organizationId, (unit) =>
    listDomains(unit, organizationId),
  );
  const wanted = claimed.find((domain) => domain.id === id);
  if (!wanted) return { outcome: 'unknown_domain' };
  const records = await resolveTxt(recordNameOf(wanted.domain)).catch((): readonly string[] => []);
  if (!records.includes(wanted.proof)) return { outcome: 'not_proved' };
  return confirmDomain(parts, { organizationId, id, confirmedBy: 'dns' }, by);
}
