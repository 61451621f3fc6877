import { z } from 'zod';
import { displayName, timestamp } from './common.ts';
import { wireId } from './ids.ts';
import { operations } from './operation.ts';

/** How people of an organization sign in with a provider of their own (OpenID Connect). */

const oneLine = (lengthMax: number) =>
  z
    .string()
    .min(1)
    .max(lengthMax)
    .regex(/^[^\p{Cc}]*$/u, 'must be one line');
const words = z.array(oneLine(200)).max(20);

const choice = z.strictObject({
  name: displayName,
  issuer: oneLine(500).meta({ description: 'The provider’s `issuer`, character by character.' }),
  clientId: oneLine(500),
  isEnabled: z.boolean(),
  secondFactor: z.strictObject({ amr: words, acr: words }).meta({
    description: 'Which words of the provider count as a second factor; none: it is asked for here.',
  }),
  joins: z
    .strictObject({
      role: z.enum(['admin', 'member', 'viewer']),
      tenantIds: z.array(wireId('tenantId')).min(1).max(100),
    })
    .nullable()
    .meta({ description: 'What somebody becomes who comes for the first time; null: nobody does.' }),
});

export const signOnConnection = z.strictObject({
  id: wireId('signOnConnectionId'),
  ...choice.shape,
  redirectUri: z.string().meta({ description: 'Where the provider is to send people back to.' }),
  version: z.int(),
  createdAt: timestamp,
  updatedAt: timestamp,
});
export type SignOnConnection = z.infer<typeof signOnConnection>;

const clientSecret = oneLine(2_000).meta({ description: 'It is kept sealed, and never shown.' });
const newSignOnConnection = z.strictObject({
  ...{ name: choice.shape.name, issuer: choice.shape.issuer, clientId: choice.shape.clientId, clientSecret },
  isEnabled: choice.shape.isEnabled.default(true),
  secondFactor: choice.shape.secondFactor.default({ amr: [], acr: [] }),
  joins: choice.shape.joins.default(null),
});

export const signOnDomain = z.strictObject({
  id: wireId('signOnDomainId'),
  domain: z.string(),
  connectionId: wireId('signOnConnectionId').nullable(),
  record: z.strictObject({ name: z.string(), type: z.literal('TXT'), value: z.string() }).meta({
    description: 'What the domain’s DNS is to say, where no operator confirms it.',
  }),
  confirmedAt: timestamp.nullable(),
  confirmedBy: z.enum(['operator', 'dns']).nullable(),
  createdAt: timestamp,
});
export type SignOnDomain = z.infer<typeof signOnDomain>;

const tag = 'Single sign-on';
const connections = '/organizations/{organizationId}/sign-on-connections';
const connection = '/organizations/{organizationId}/sign-on-connections/{signOnConnectionId}';
const domains = '/organizations/{organizationId}/sign-on-domains';
const read = 'organization-sign-in:read';
const write = 'organization-sign-in:write';

export const signOnOperations = operations({
  listSignOnConnections: {
    ...{ method: 'get', path: connections, tag, needs: read },
    summary: 'List the providers that people of an organization sign in with',
    answer: { status: 200, body: z.strictObject({ items: z.array(signOnConnection) }) },
  },
  createSignOnConnection: {
    ...{ method: 'post', path: connections, tag, needs: write },
    summary: 'Let people of an organization sign in with a provider',
    body: newSignOnConnection,
    answer: { status: 201, body: signOnConnection },
    isVersioned: true,
  },
  getSignOnConnection: {
    ...{ method: 'get', path: connection, tag, needs: read },
    summary: 'Look at a provider',
    answer: { status: 200, body: signOnConnection },
    isVersioned: true,
  },
  updateSignOnConnection: {
    ...{ method: 'patch', path: connection, tag, needs: write },
    summary: 'Change a provider',
    description: 'Switching it off, or another issuer or client, ends the sessions that came by it.',
    body: z.strictObject({ ...choice.partial().shape, clientSecret: clientSecret.optional() }),
    answer: { status: 200, body: signOnConnection },
    isVersioned: true,
  },
  deleteSignOnConnection: {
    ...{ method: 'delete', path: connection, tag, needs: write },
    summary: 'Let nobody sign in with a provider any more; sessions that came by it end',
    answer: { status: 204 },
    isVersioned: true,
  },
  unlinkSignOnIdentity: {
    ...{
      method: 'delete',
      path: '/organizations/{organizationId}/sign-on-connections/{signOnConnectionId}/identities/{userId}',
      tag,
      needs: write,
    },
    summary: 'Forget whom the provider means by somebody; their sessions by it end',
    description: 'The next time they are found by their address, as the first time.',
    answer: { status: 204 },
  },
  listSignOnDomains: {
    ...{ method: 'get', path: domains, tag, needs: read },
    summary: 'List the domains that an organization says are its own',
    answer: { status: 200, body: z.strictObject({ items: z.array(signOnDomain) }) },
  },
  claimSignOnDomain: {
    ...{ method: 'post', path: domains, tag, needs: write },
    summary: 'Say that a domain is the organization’s',
    description: 'It is worth nothing before it is confirmed.',
    body: z.strictObject({
      domain: oneLine(300),
      connectionId: wireId('signOnConnectionId').nullable().default(null),
    }),
    answer: { status: 201, body: signOnDomain },
  },
  assignSignOnDomain: {
    ...{
      method: 'patch',
      path: '/organizations/{organizationId}/sign-on-domains/{signOnDomainId}',
      tag,
      needs: write,
    },
    summary: 'Say with which provider people of a domain sign in',
    body: z.strictObject({ connectionId: wireId('signOnConnectionId').nullable() }),
    answer: { status: 200, body: signOnDomain },
  },
  releaseSignOnDomain: {
    ...{
      method: 'delete',
      path: '/organizations/{organizationId}/sign-on-domains/{signOnDomainId}',
      tag,
      needs: write,
    },
    summary: 'Say no more that a domain is the organization’s',
    answer: { status: 204 },
  },
  proveSignOnDomain: {
    ...{
      method: 'post',
      path: '/organizations/{organizationId}/sign-on-domains/{signOnDomainId}/prove',
      tag,
      needs: write,
    },
    summary: 'Confirm a domain by its TXT record',
    answer: { status: 200, body: signOnDomain },
  },
  confirmSignOnDomain: {
    ...{
      method: 'post',
      path: '/organizations/{organizationId}/sign-on-domains/{signOnDomainId}/confirm',
      tag,
      needs: 'organization:admin',
    },
    summary: 'Confirm a domain by an operator’s word',
    answer: { status: 200, body: signOnDomain },
  },
});
