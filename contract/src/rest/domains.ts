import { z } from 'zod';
import { timestamp } from './common.ts';
import { wireId } from './ids.ts';
import { operations } from './operation.ts';

const domain = z.strictObject({
  id: wireId('domainId'),
  domain: z.string(),
  status: z.enum(['pending', 'verified']),
  record: z
    .strictObject({ type: z.literal('TXT'), name: z.string(), value: z.string() })
    .meta({ description: 'What shows that the domain is yours: make it there, then verify.' }),
  verifiedBy: z.enum(['dns', 'operator']).nullable(),
  verifiedAt: timestamp.nullable(),
  createdAt: timestamp,
});
export type Domain = z.infer<typeof domain>;

const tag = 'Domains';

export const domainOperations = operations({
  listDomains: {
    method: 'get',
    path: '/tenants/{tenantId}/domains',
    tag,
    summary: 'List the domains of a tenant',
    needs: 'settings:read',
    answer: {
      status: 200,
      body: z.strictObject({
        items: z.array(domain),
        subdomain: z.string().nullable().meta({
          description: 'The host that it has anyway, where the installation gives its tenants one.',
        }),
      }),
    },
  },
  claimDomain: {
    method: 'post',
    path: '/tenants/{tenantId}/domains',
    tag,
    summary: 'Ask for a domain',
    description: 'It leads to the tenant once it is verified. Point the domain at the gateway, too.',
    needs: 'tenant:write',
    body: z.strictObject({ domain: z.string().min(1).max(300) }),
    answer: { status: 201, body: domain },
  },
  verifyDomain: {
    method: 'post',
    path: '/tenants/{tenantId}/domains/{domainId}/verify',
    tag,
    summary: 'Look for the record of a domain, and take the domain if it is there',
    description: 'Another tenant’s domain is refused (409 `domain_claimed`).',
    needs: 'tenant:write',
    answer: { status: 200, body: domain },
  },
  confirmDomain: {
    method: 'post',
    path: '/tenants/{tenantId}/domains/{domainId}/confirm',
    tag,
    summary: 'Say, as an operator, that a domain is a tenant’s, without a record',
    needs: 'an-operator',
    answer: { status: 200, body: domain },
  },
  releaseDomain: {
    method: 'delete',
    path: '/tenants/{tenantId}/domains/{domainId}',
    tag,
    summary: 'Let go of a domain; within a second it leads nowhere',
    needs: 'tenant:write',
    answer: { status: 204 },
  },
});
