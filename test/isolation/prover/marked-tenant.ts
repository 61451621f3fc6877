import { randomBytes } from 'node:crypto';
import type { PathId } from '@swarmgate/contract/rest/ids.ts';
import { createAuditTrail } from '#audit/create-audit-trail.ts';
import type { IdKind, Uuid } from '#domain/ids.ts';
import { toWire } from '#domain/ids.ts';
import { createIdentity } from '#identity/identity.ts';
import type { Unit } from '#tenancy/scopes.ts';
import { pathIdKinds } from '../../../src/admin/call.ts';
import { anAuthenticator } from '../../fakes/authenticator.ts';
import { anOrganizer, aPersonSignedIn, type Browser } from '../../support/a-browser.ts';
import type { Service } from '../../support/a-service.ts';
import { shopOrigin } from '../../support/a-tenant.ts';
import type { Visitor } from '../../support/a-visitor.ts';
import { type ApiCaller, anApiCaller } from '../../support/an-api-caller.ts';
import { inTenantOf } from '../../support/place-of.ts';

/** A tenant in whose every record stands a word that nobody can guess. */
export type MarkedTenant = {
  slug: string;
  mark: string;
  id: Uuid;
  visitor: Visitor;
  owner: ApiCaller;
  /** A member, who is signed in. */
  member: Browser;
  /** Who runs its organization, and has shown a second factor. */
  organizer: Browser;
  /** On the wire: one of each that stands in a path of the API. */
  ids: Readonly<Partial<Record<PathId, string>>>;
};

/** Where an id of a path comes from. */
const sources: Readonly<Partial<Record<PathId, string>>> = {
  tenantId: 'SELECT swarmgate.current_tenant() AS id',
  organizationId: 'SELECT id FROM directory.organizations',
  apiKeyId: 'SELECT id FROM swarmgate.api_keys ORDER BY id DESC',
  roleId: 'SELECT id FROM swarmgate.roles',
  channelId: 'SELECT id FROM swarmgate.channels',
  agentId: 'SELECT id FROM swarmgate.agents',
  conversationId: 'SELECT id FROM swarmgate.conversations',
  messageId: 'SELECT id FROM swarmgate.messages',
  userId: 'SELECT user_id AS id FROM identity.memberships',
  invitationId: 'SELECT id FROM identity.invitations',
  webhookId: 'SELECT id FROM swarmgate.webhook_endpoints',
  eventId: 'SELECT id FROM swarmgate.webhook_events',
  transferId: 'SELECT id FROM swarmgate.claim_offers',
  domainId: 'SELECT id FROM directory.domains',
};

/** Makes a tenant and lets it do a bit of everything. `slug` may look like another's. */
export async function aMarkedTenant(service: Service, slug: string): Promise<MarkedTenant> {
  const mark = `mark${randomBytes(8).toString('hex')}`;
  await service.app.apply(
    {
      organizations: [
        {
          ...{ slug: `${slug}-organization`, name: mark, plan: 'free' },
          tenants: [
            {
              ...{ slug, name: `${slug}:* ${mark}`, region: 'local' },
              settings: { webchat: { messagesPerMinute: 1_000, sessionsPerMinute: 10_000 } },
              channels: [
                {
                  ...{ slug: 'site', platform: 'webchat', key: `wk_${slug.replaceAll('-', '_')}` },
                  ...{ origins: [shopOrigin], greeting: mark },
                  identity: { secret: `${mark} ${mark} ${mark}`, required: false },
                },
              ],
              agents: [
                { slug: 'default', name: mark, model: 'builtin/answers', instructions: mark, settings: {} },
                {
                  slug: 'keyed',
                  model: 'openai/none',
                  instructions: '',
                  settings: {},
                  apiKey: `sk-${mark}${mark}`,
                },
              ],
              knowledge: [
                { slug: 'book', title: mark, content: `# Book\n\nThe opening hours are ${mark} to nine.` },
              ],
            },
          ],
        },
      ],
    },
    { dryRun: false },
  );
  const visitor = await service.aVisitor({ key: `wk_${slug.replaceAll('-', '_')}` });
  await visitor.answerTo(await visitor.send(`What are the opening hours? ${mark}`));
  const owner = await anApiCaller(service, { tenant: slug, role: 'owner', name: mark });
  const member = await aPersonSignedIn(service, {
    email: `${mark}@example.com`,
    tenant: slug,
    role: 'member',
  });
  await inviteAsOperator(service, slug, `guest-${mark}@example.com`);
  const role = { slug: mark, name: mark, permissions: ['channels:read'] };
  await owner.own('POST', '/roles', { body: role });
  await haveTold(owner, mark);
  await offerAccount(owner, mark);
  await owner.own('POST', '/domains', { body: { domain: `${mark}.example` } });
  const organizer = await anOrganizer(service, {
    ...{ organization: `${slug}-organization`, role: 'owner', email: `organizer-${mark}@example.com` },
  });
  const { id, ids } = await inTenantOf(service, slug, async (unit, tenantId) => ({
    id: tenantId,
    ids: await readPathIds(unit),
  }));
  const passkeyId = await addPasskey(service, member);
  const { body } = await member.call('GET', '/me/sessions');
  const more = await ofOrganization(organizer, ids, mark);
  return {
    slug,
    mark,
    id,
    visitor,
    owner,
    member,
    organizer,
    ids: { ...ids, ...more, passkeyId, sessionId: body.items[0].id },
  };
}

async function addPasskey({ url }: Service, member: Browser): Promise<string> {
  const device = anAuthenticator({ origin: url.replace('127.0.0.1', 'localhost') });
  const { body: begun } = await member.call('POST', '/me/passkeys/options');
  const { body } = await member.call('POST', '/me/passkeys', {
    body: { ceremony: begun.ceremony, credential: device.create(begun.options) },
  });
  return body.passkey.id;
}

/** An endpoint with something that it was told. It is stopped then: what is tried by itself would look like a change. */
async function haveTold(owner: ApiCaller, mark: string): Promise<void> {
  const { body } = await owner.own('POST', '/webhooks', {
    body: { url: `https://${mark}.example/`, eventTypes: ['tenant.resumed'], description: mark },
  });
  await owner.own('POST', `/webhooks/${body.id}/test`);
  await owner.own('PATCH', `/webhooks/${body.id}`, { body: { status: 'disabled' } });
}

/** A channel that has claimed an account, and an offer of it. */
async function offerAccount(owner: ApiCaller, mark: string): Promise<void> {
  const channel = { slug: 'account', platform: 'twilio', accountSid: `AC${mark}`, authToken: mark };
  const made = await owner.own('POST', '/channels', { body: { ...channel, number: '+15550001' } });
  const offered = await owner.own('POST', `/channels/${made.body.id}/transfers`);
  if (offered.status !== 201) throw new Error(`The offer answered ${offered.status}.`);
}

/** What an organization has of its own, and an issuer of its tenant, made by who runs it. */
async function ofOrganization(
  organizer: Browser,
  { organizationId, tenantId }: MarkedTenant['ids'],
  mark: string,
): Promise<MarkedTenant['ids']> {
  const make = async (path: string, body: object): Promise<string> => {
    const made = await organizer.call('POST', path, { body });
    if (made.status !== 201) throw new Error(`${path} answered ${made.status}: ${JSON.stringify(made.body)}`);
    return made.body.id;
  };
  const path = `/organizations/${organizationId}`;
  const issuer = `https://${mark}.example`;
  const signOnConnectionId = await make(`${path}/sign-on-connections`, {
    ...{ name: mark, issuer, clientId: mark, clientSecret: mark, secondFactor: { amr: [mark], acr: [] } },
  });
  return {
    signOnConnectionId,
    signOnDomainId: await make(`${path}/sign-on-domains`, {
      ...{ domain: `${mark}.example`, connectionId: signOnConnectionId },
    }),
    organizationInvitationId: await make(`${path}/invitations`, {
      ...{ email: `guest-${mark}@example.com`, role: 'viewer' },
    }),
    tokenIssuerId: await make(`/tenants/${tenantId}/token-issuers`, {
      ...{ name: mark, issuer, audience: mark, roleClaim: mark, roles: [{ value: mark, role: 'viewer' }] },
    }),
  };
}

/** An invitation that is open, as somebody who may do everything makes it. */
async function inviteAsOperator(service: Service, slug: string, email: string): Promise<void> {
  const { scopes, keyRing } = service.app.storage;
  const audit = createAuditTrail({ scopes, keyRing });
  const identity = createIdentity({ scopes, keyRing, audit, publicUrl: service.url });
  const tenantId = await inTenantOf(service, slug, async (_unit, id) => id);
  const wish = { tenantId, email, role: { builtin: 'viewer' }, by: { kind: 'operator' } } as const;
  await identity.invite(wish, { address: '127.0.0.1' });
}

async function readPathIds(unit: Unit): Promise<MarkedTenant['ids']> {
  const ids: Partial<Record<PathId, string>> = {};
  for (const [name, sql] of Object.entries(sources) as [PathId, string][]) {
    const [row] = await unit.sql<{ id: string }>(`${sql} LIMIT 1`);
    if (row) ids[name] = toWire(pathIdKinds[name] satisfies IdKind, row.id);
  }
  return ids;
}

/** Everything that a tenant has, as it has it: to see whether anybody else has changed something of it. */
export function everythingOf(service: Service, slug: string): Promise<Readonly<Record<string, unknown[]>>> {
  return inTenantOf(service, slug, async (unit) => {
    const tables = await unit.sql<{ name: string }>(
      `SELECT format('%I.%I', c.table_schema, c.table_name) AS name FROM information_schema.columns c
         WHERE c.column_name = 'tenant_id' AND c.table_schema IN ('swarmgate', 'identity')
           AND c.table_name <> 'audit_seals' -- made by the service itself, a second after what they seal
           AND has_table_privilege(format('%I.%I', c.table_schema, c.table_name), 'SELECT') ORDER BY 1`,
    );
    const rows: Record<string, unknown[]> = {};
    for (const { name } of tables)
      rows[name] = (
        await unit.sql<{ row: unknown }>(`SELECT to_jsonb(t) AS row FROM ${name} t ORDER BY 1`)
      ).map(({ row }) => row);
    return { ...rows, ...(await everythingOfOrganization(unit)) };
  });
}

// Its organization's, by the policies of an organization.
async function everythingOfOrganization(unit: Unit): Promise<Record<string, unknown[]>> {
  const [own] = await unit.sql<{ id: string }>('SELECT id FROM directory.organizations');
  await unit.sql(
    `SELECT set_config('role', 'swarmgate_service', true), set_config('swarmgate.organization_id', $1, true)`,
    [own?.id],
  );
  await unit.sql(`SELECT set_config('role', 'swarmgate_organization', true)`);
  const rows: Record<string, unknown[]> = {};
  for (const name of organizationTables)
    rows[name] = (
      await unit.sql<{ row: unknown }>(`SELECT to_jsonb(t) AS row FROM ${name} t ORDER BY 1`)
    ).map(({ row }) => row);
  return rows;
}

const organizationTables = [
  'directory.organizations',
  'directory.billing_details',
  'identity.organization_members',
  'identity.organization_invitations',
  'identity.sign_on_connections',
  'identity.sign_on_domains',
];
