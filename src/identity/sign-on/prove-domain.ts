import { Resolver } from 'node:dns/promises';
import type { Uuid } from '#domain/ids.ts';
import type { IdentityParts } from '../identity-parts.ts';
import type { SignOnChanger } from './connections.ts';
import { confirmDomain, type DomainChange, listDomains } from './domains.ts';

/** The TXT records of a name, each in its pieces; none where there is no such name. */
export type LookUpTxt = (name: string) => Promise<string[][]>;

const timeoutMs = 2_000;
const tries = 2;
/** More records than that are not looked at. */
const recordsMax = 100;

/** Where a domain says whose it is; a name of its own, which is nobody's who only answers for the domain's mail. */
export function recordNameOf(domain: string): string {
  return `_swarmgate.${domain}`;
}

/** Asks the machine's name servers, for a few seconds at most. */
export const lookUpTxt: LookUpTxt = (name) => new Resolver({ timeout: timeoutMs, tries }).resolveTxt(name);

/** Looks whether a domain says that it is the organization's, and believes it then. */
export async function proveDomain(
  parts: Pick<IdentityParts, 'scopes' | 'audit'>,
  lookUp: LookUpTxt,
  { organizationId, id }: { organizationId: Uuid; id: Uuid },
  by: SignOnChanger,
): Promise<DomainChange> {
  const claimed = await parts.scopes.inOrganization(organizationId, (unit) =>
    listDomains(unit, organizationId),
  );
  const wanted = claimed.find((domain) => domain.id === id);
  if (!wanted) return { outcome: 'unknown_domain' };
  const records = await lookUp(recordNameOf(wanted.domain)).catch(() => []);
  const isProved = records.slice(0, recordsMax).some((pieces) => pieces.join('') === wanted.proof);
  if (!isProved) return { outcome: 'not_proved' };
  return confirmDomain(parts, { organizationId, id, confirmedBy: 'dns' }, by);
}
