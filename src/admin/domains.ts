import type { Domain, domainOperations } from '@swarmgate/contract/rest/domains.ts';
import type { AuditTrail } from '#audit/audit-trail.ts';
import { toWire, type Uuid } from '#domain/ids.ts';
import { ProblemError } from '#kernel/problem.ts';
import { NameServerError, type ResolveTxt } from '#kernel/resolve-txt.ts';
import {
  claimDomain,
  DomainRefusedError,
  type DomainRow,
  findDomain,
  findDomainHolder,
  listDomains,
  recordOf,
  releaseDomain,
  verifyDomain,
} from '#tenancy/domains.ts';
import { ConflictError } from '#tenancy/scope-errors.ts';
import type { Scopes } from '#tenancy/scopes.ts';
import type { CountCalls } from './api-parts.ts';
import { countClaim } from './claims.ts';
import type { HandlersOf } from './handler.ts';
import { conflict, notFound } from './refusals.ts';
import { readTenantRow } from './tenants.ts';

export type DomainHandlerParts = {
  scopes: Scopes;
  trail: AuditTrail;
  resolveTxt: ResolveTxt;
  countCalls: CountCalls;
  publicUrl: () => string;
  baseDomain: string | undefined;
};

export function domainHandlers({
  scopes,
  trail,
  resolveTxt,
  countCalls,
  publicUrl,
  baseDomain,
}: DomainHandlerParts): HandlersOf<typeof domainOperations> {
  // Without a word about whose it is; they are told that somebody wanted it.
  async function refuseClaimed(domain: string): Promise<ProblemError> {
    const holder = await scopes.inPlatform((unit) => findDomainHolder(unit, domain));
    if (holder)
      await trail.note(holder, {
        actor: { kind: 'nobody' },
        action: 'domain.refused',
        resource: { kind: 'settings' },
        outcome: 'refused',
        reason: 'Somebody else has shown that they have a domain that leads here.',
        detail: { domain },
      });
    return conflict(
      'domain_claimed',
      'The domain leads to another tenant. Whoever has it there lets go of it first; or ask an operator.',
    );
  }

  async function refuseUnproved(row: DomainRow): Promise<void> {
    const { name, value } = recordOf(row);
    const records = await resolveTxt(name);
    if (!records.includes(value))
      throw conflict(
        'domain_not_proved',
        `There is no TXT record "${value}" at ${name} (found: ${records.length}). A new record may take a while to be seen.`,
      );
  }

  return {
    listDomains: {
      async inTenant({ tenantId }, unit) {
        const { slug } = await readTenantRow(unit, tenantId);
        const subdomain = baseDomain === undefined ? null : `${slug}.${baseDomain}`;
        return { body: { items: (await listDomains(unit)).map(show), subdomain } };
      },
    },
    claimDomain: {
      async inTenant({ tenantId, body }, unit) {
        const own = { publicUrl: publicUrl(), baseDomain };
        const row = await claimDomain(unit, tenantId, body.domain, own);
        return {
          body: show(row),
          resourceId: toWire('domain', row.id),
          detail: { domain: row.domain },
        };
      },
      async explain(_asked, error) {
        if (!(error instanceof DomainRefusedError)) return error;
        return error.code === 'too_many_domains'
          ? conflict(error.code, error.message)
          : new ProblemError(400, error.code, 'Invalid request', error.message);
      },
    },
    verifyDomain: {
      before: ({ tenantId }) => countClaim(countCalls, tenantId),
      // A name server is asked, with no transaction open; then the scope is one that a tenant does not write in.
      async tellsItself({ tenantId, principal, grant, client, ids: { domainId } }) {
        const row = await scopes.inTenant(tenantId, (unit) => findDomain(unit, domainId));
        if (!row) throw notFound();
        await refuseUnproved(row);
        const { requestId, ...personal } = client;
        const event = await trail.prepare(tenantId, {
          actor: { kind: principal.kind, id: principal.id },
          action: 'verifyDomain',
          permission: 'tenant:write',
          resource: { kind: 'tenant', id: toWire('domain', domainId) },
          outcome: 'allowed',
          reason: `tenant:write is permitted by ${grant.source}.`,
          detail: { domain: row.domain },
          ...(requestId !== undefined && { requestId }),
          personal,
        });
        try {
          return await scopes.inPlatform(async (unit) => {
            const verified = await verifyDomain(unit, { tenantId, id: domainId, by: 'dns' });
            if (!verified) throw notFound();
            await unit.becomeTenant(tenantId);
            await trail.append(unit, tenantId, event);
            return { body: show(verified) };
          });
        } catch (error) {
          throw error instanceof ConflictError ? await refuseClaimed(row.domain) : error;
        }
      },
      async explain(_asked, error) {
        return error instanceof NameServerError ? conflict('domain_not_proved', error.message) : error;
      },
    },
    confirmDomain: {
      async operator({ ids: { tenantId, domainId } }, unit) {
        const row = await findDomain(unit, domainId);
        if (!row || row.tenant_id !== tenantId) throw notFound();
        const verified = await verifyDomain(unit, { tenantId, id: domainId, by: 'operator' }).catch(
          (error: unknown) => {
            throw error instanceof ConflictError
              ? conflict('domain_claimed', 'The domain leads to another tenant, which lets go of it first.')
              : error;
          },
        );
        if (!verified) throw notFound();
        return { body: show(verified), detail: { domain: verified.domain } };
      },
      thenInTenant: async () => {},
    },
    releaseDomain: {
      async inTenant({ ids: { domainId } }, unit) {
        const row = await findDomain(unit, domainId);
        if (!row || !(await releaseDomain(unit, domainId))) throw notFound();
        return { body: undefined, detail: { domain: row.domain } };
      },
    },
  };
}

function show(row: DomainRow): Domain {
  return {
    ...{ id: toWire('domain', row.id satisfies Uuid), domain: row.domain },
    status: row.verified_at ? 'verified' : 'pending',
    record: { type: 'TXT', ...recordOf(row) },
    verifiedBy: row.verified_by,
    verifiedAt: row.verified_at?.toISOString() ?? null,
    createdAt: row.created_at.toISOString(),
  };
}
