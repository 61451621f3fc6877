import { z } from 'zod';
import { settings } from '../settings.ts';
import { displayName, pageOf, pageQuery, slug, timestamp } from './common.ts';
import { wireId } from './ids.ts';
import { operations } from './operation.ts';
import { tenant } from './tenants.ts';

/** What an operator of the installation looks after: who is there. What is said in a tenant is none of their business. */

const plan = z.enum(['free', 'pro', 'enterprise']);

const organization = z.strictObject({
  id: wireId('organizationId'),
  slug,
  name: displayName,
  plan: z.string(),
  status: z.enum(['active', 'closing', 'deleting']),
  deleteAfter: timestamp.nullable().meta({ description: 'Until then it can be reopened.' }),
  requiresSecondFactor: z.boolean().meta({
    description: 'Everybody in it and in its tenants may do nothing there before they have shown one.',
  }),
  requiresSingleSignOn: z.boolean().meta({
    description:
      'Who came with a password may do nothing in it and in its tenants; operators look after it still.',
  }),
  version: z.int(),
  createdAt: timestamp,
  updatedAt: timestamp,
});
export type Organization = z.infer<typeof organization>;

const tombstone = z.strictObject({
  id: z.string().meta({ description: '`tnt_…` or `org_…`; nobody else gets it.' }),
  kind: z.enum(['tenant', 'organization']),
  slug: z.string().meta({ description: 'Nobody else gets it either.' }),
  organizationId: wireId('organizationId').nullable(),
  closedAt: timestamp,
  deletedAt: timestamp,
});
export type Tombstone = z.infer<typeof tombstone>;

const organizationTenant = tenant.omit({ settings: true, version: true });
export type OrganizationTenant = z.infer<typeof organizationTenant>;

const billingDetails = z.strictObject({
  email: z.string().max(320),
  address: z.string().max(1_000),
});
export type BillingDetails = z.infer<typeof billingDetails>;

const tag = 'Organizations';
const needs = 'an-operator';

export const organizationOperations = operations({
  listOrganizations: {
    ...{ method: 'get', path: '/organizations', tag, needs },
    summary: 'List the organizations, the latest made first',
    description: 'Those that one helps run are in `GET /me`.',
    query: pageQuery,
    answer: { status: 200, body: pageOf(organization) },
  },
  createOrganization: {
    ...{ method: 'post', path: '/organizations', tag, needs },
    summary: 'Make an organization',
    body: z.strictObject({ slug, name: displayName, plan: plan.default('free') }),
    answer: { status: 201, body: organization },
  },
  getOrganization: {
    ...{ method: 'get', path: '/organizations/{organizationId}', tag, needs: 'organization:read' },
    summary: 'Look at an organization',
    answer: { status: 200, body: organization },
    isVersioned: true,
  },
  updateOrganization: {
    ...{ method: 'patch', path: '/organizations/{organizationId}', tag, needs: 'organization:write' },
    summary: 'Change an organization',
    description:
      'Its plan is an operator’s to change (`organization:admin`). Passwords are given up by who came by single sign-on.',
    body: z.strictObject({
      name: displayName.optional(),
      plan: plan.optional(),
      requiresSecondFactor: z.boolean().optional(),
      requiresSingleSignOn: z.boolean().optional(),
    }),
    answer: { status: 200, body: organization },
    isVersioned: true,
  },
  listOrganizationTenants: {
    ...{ method: 'get', path: '/organizations/{organizationId}/tenants', tag, needs: 'organization:read' },
    summary: 'List the tenants of an organization, the latest made first',
    query: pageQuery,
    answer: { status: 200, body: pageOf(organizationTenant) },
  },
  getBillingDetails: {
    ...{
      method: 'get',
      path: '/organizations/{organizationId}/billing',
      tag,
      needs: 'organization-billing:read',
    },
    summary: 'Look at whom an organization is billed to',
    answer: { status: 200, body: billingDetails },
    isVersioned: true,
  },
  setBillingDetails: {
    ...{ method: 'put', path: '/organizations/{organizationId}/billing', tag, needs: 'organization:admin' },
    summary: 'Say whom an organization is billed to',
    body: billingDetails,
    answer: { status: 200, body: billingDetails },
    isVersioned: true,
  },
  closeOrganization: {
    ...{ method: 'post', path: '/organizations/{organizationId}/close', tag, needs },
    summary: 'Close an organization with all its tenants, to be deleted',
    description: 'It goes when the last of them has gone; see `closeTenant`.',
    answer: { status: 200, body: organization },
  },
  reopenOrganization: {
    ...{ method: 'post', path: '/organizations/{organizationId}/reopen', tag, needs },
    summary: 'Take that back, for the organization and the tenants that were closed with it',
    answer: { status: 200, body: organization },
  },
  listTombstones: {
    ...{ method: 'get', path: '/tombstones', tag, needs },
    summary: 'List who was deleted, the latest made first',
    query: pageQuery,
    answer: { status: 200, body: pageOf(tombstone) },
  },
  listTenants: {
    ...{ method: 'get', path: '/tenants', tag, needs },
    summary: 'List the tenants, the latest made first',
    description: 'Those that one belongs to are in `GET /me`.',
    query: pageQuery,
    answer: { status: 200, body: pageOf(tenant) },
  },
  createTenant: {
    ...{ method: 'post', path: '/tenants', tag, needs },
    summary: 'Make a tenant of an organization',
    body: z.strictObject({
      organizationId: wireId('organizationId'),
      slug,
      name: displayName,
      settings: settings.default({}),
    }),
    answer: { status: 201, body: tenant },
  },
  suspendTenant: {
    ...{ method: 'post', path: '/tenants/{tenantId}/suspend', tag, needs },
    summary: 'Suspend a tenant',
    description:
      'What comes in is kept, and nothing is answered. Its members and keys may look on, and change nothing.',
    answer: { status: 200, body: tenant },
  },
  resumeTenant: {
    ...{ method: 'post', path: '/tenants/{tenantId}/resume', tag, needs },
    summary: 'Let a suspended tenant go on: what was kept is answered',
    answer: { status: 200, body: tenant },
  },
});
