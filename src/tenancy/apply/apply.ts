import { isDeepStrictEqual } from 'node:util';
import type { BuiltinRole } from '@swarmgate/contract/rest/permissions.ts';
import { newId, type Uuid } from '#domain/ids.ts';
import type { KeyRing } from '#kernel/key-ring.ts';
import type { KeptWebhook, PlannedWebhook } from '#webhooks/keep-webhooks.ts';
import { refuseBuried } from '../directory.ts';
import type { PlatformUnit, Scopes } from '../scopes.ts';
import { applyAgents } from './apply-agents.ts';
import { applyChannels, type SharedApps } from './apply-channels.ts';
import { applyKnowledge, type SplitPassages } from './apply-knowledge.ts';
import type { ApplyPlan, Change, PlannedOrganization, PlannedTenant, Report } from './apply-plan.ts';
import { ApplyRefusedError } from './apply-refused-error.ts';

export type ApplyParts = {
  scopes: Scopes;
  keyRing: KeyRing;
  splitPassages: SplitPassages;
  /** The shared apps of the environment, which no tenant may give as its own. */
  sharedApps?: SharedApps;
  /** Makes somebody a member. People are in a scope of their own, so that is no part of the tenant's transaction. */
  keepMember: (
    member: { tenantId: Uuid; email: string; role: BuiltinRole },
    options: { dryRun: boolean },
  ) => Promise<Change['action']>;
  /** Makes a tenant's webhooks what the file says, and tells of it. */
  keepWebhooks: (
    tenantId: Uuid,
    planned: readonly PlannedWebhook[],
    options: { dryRun: boolean },
  ) => Promise<KeptWebhook[]>;
};

/**
 * Makes what a plan names be there, one transaction a tenant; a second run changes nothing. With `dryRun` each
 * transaction is undone at its end, so the report is what would happen.
 */
export async function apply(
  parts: ApplyParts,
  plan: ApplyPlan,
  { dryRun }: { dryRun: boolean },
): Promise<Change[]> {
  const changes: Change[] = [];
  for (const organization of plan.organizations) {
    const tenants = organization.tenants.length > 0 ? organization.tenants : [undefined];
    for (const tenant of tenants) {
      const met = await inTransaction(parts.scopes, dryRun, (unit, report) =>
        applyTenant(parts, unit, organization, tenant, report),
      );
      if (tenant) {
        met.push(...(await applyMembers(parts, organization, tenant, dryRun)));
        met.push(...(await applyWebhooks(parts, organization, tenant, dryRun)));
      }
      // The organization comes with each of its tenants; it is named once.
      changes.push(
        ...met.filter(
          (change) => change.kind !== 'organization' || !changes.some(({ path }) => path === change.path),
        ),
      );
    }
  }
  return changes;
}

// Of a tenant that a dry run would only make, everybody would be new.
async function applyMembers(
  { scopes, keepMember }: ApplyParts,
  organization: PlannedOrganization,
  { slug, members = [] }: PlannedTenant,
  dryRun: boolean,
): Promise<Change[]> {
  if (members.length === 0) return [];
  const tenantId = await findTenant(scopes, slug);
  const met: Change[] = [];
  for (const { email, role } of members) {
    const action = tenantId ? await keepMember({ tenantId, email, role }, { dryRun }) : 'created';
    met.push({ action, kind: 'member', path: `${organization.slug}/${slug}/${email}` });
  }
  return met;
}

async function applyWebhooks(
  { scopes, keepWebhooks }: ApplyParts,
  organization: PlannedOrganization,
  { slug, webhooks }: PlannedTenant,
  dryRun: boolean,
): Promise<Change[]> {
  if (!webhooks) return [];
  const tenantId = await findTenant(scopes, slug);
  const kept: KeptWebhook[] = tenantId
    ? await keepWebhooks(tenantId, webhooks, { dryRun })
    : webhooks.map(({ url }) => ({ action: 'created', url }));
  return kept.map(({ url, ...change }) => ({
    ...change,
    kind: 'webhook',
    path: `${organization.slug}/${slug}/${url}`,
  }));
}

async function findTenant(scopes: Scopes, slug: string): Promise<Uuid | undefined> {
  const [row] = await scopes.inPlatform((unit) =>
    unit.sql<{ id: Uuid }>('SELECT id FROM directory.tenants WHERE slug = $1', [slug]),
  );
  return row?.id;
}

class UndoDryRun extends Error {}

async function inTransaction(
  scopes: Scopes,
  dryRun: boolean,
  work: (unit: PlatformUnit, report: Report) => Promise<void>,
): Promise<Change[]> {
  const met: Change[] = [];
  try {
    await scopes.inPlatform(async (unit) => {
      await work(unit, (change) => met.push(change));
      if (dryRun) throw new UndoDryRun();
    });
  } catch (error) {
    if (!(error instanceof UndoDryRun)) throw error;
  }
  return met;
}

async function applyTenant(
  parts: ApplyParts,
  unit: PlatformUnit,
  organization: PlannedOrganization,
  planned: PlannedTenant | undefined,
  report: Report,
): Promise<void> {
  const organizationId = await upsertOrganization(unit, organization, report);
  if (!planned) return;
  const path = `${organization.slug}/${planned.slug}`;
  const tenantId = await upsertTenant(unit, organizationId, path, planned, report);
  await unit.becomeTenant(tenantId);
  await applyAgents(parts, unit, tenantId, path, planned.agents, report);
  await applyChannels(parts, unit, tenantId, path, planned.channels, report);
  await applyKnowledge(parts, unit, tenantId, path, planned.knowledge, report);
}

async function upsertOrganization(
  unit: PlatformUnit,
  planned: PlannedOrganization,
  report: Report,
): Promise<Uuid> {
  const { slug, name, plan, settings } = planned;
  let isNew = false;
  const organizationId = await unit.prisma(async (prisma) => {
    const known = await prisma.organization.findUnique({ where: { slug } });
    if (known && known.status !== 'active')
      throw new ApplyRefusedError('closing', `The organization "${slug}" is closing; reopen it first.`);
    const wanted = { name, plan, settings: settings ?? known?.settings ?? {} };
    if (!known) {
      const id = newId();
      await prisma.organization.create({ data: { id, slug, ...wanted } });
      isNew = true;
      report({ action: 'created', kind: 'organization', path: slug });
      return id;
    }
    const same = isDeepStrictEqual(wanted, { name: known.name, plan: known.plan, settings: known.settings });
    if (!same)
      await prisma.organization.update({
        where: { slug },
        data: { ...wanted, version: { increment: 1 }, updatedAt: new Date() },
      });
    report({ action: same ? 'unchanged' : 'updated', kind: 'organization', path: slug });
    return known.id as Uuid;
  });
  if (isNew) await refuseBuried(unit, 'organization', slug);
  return organizationId;
}

async function upsertTenant(
  unit: PlatformUnit,
  organizationId: Uuid,
  path: string,
  planned: PlannedTenant,
  report: Report,
): Promise<Uuid> {
  const { slug, name, region, settings, quotas } = planned;
  let isNew = false;
  const tenantId = await unit.prisma(async (prisma) => {
    const known = await prisma.tenant.findUnique({ where: { slug } });
    if (known && known.organizationId !== organizationId) {
      throw new ApplyRefusedError(
        'slug_taken',
        `The tenant "${slug}" belongs to another organization; give this one another slug.`,
      );
    }
    if (known && known.region !== region) {
      throw new ApplyRefusedError(
        'not_here',
        `The tenant "${slug}" lives in region "${known.region}"; a tenant does not move by apply.`,
      );
    }
    if (known && known.status !== 'active' && known.status !== 'suspended') {
      throw new ApplyRefusedError('closing', `The tenant "${slug}" is closing; reopen it first.`);
    }
    const wanted = {
      name,
      settings: settings ?? known?.settings ?? {},
      runningTurnsMax: quotas ? (quotas.concurrentConversations ?? null) : (known?.runningTurnsMax ?? null),
    };
    if (!known) {
      const id = newId();
      const home = await prisma.thisCell.findFirstOrThrow({ include: { home: true } });
      if (home.home.region !== region) {
        throw new ApplyRefusedError(
          'not_here',
          `The tenant "${slug}" wants region "${region}"; this cell serves "${home.home.region}".`,
        );
      }
      await prisma.tenant.create({ data: { id, organizationId, slug, region, cell: home.cell, ...wanted } });
      isNew = true;
      report({ action: 'created', kind: 'tenant', path });
      return id;
    }
    const { runningTurnsMax } = known;
    const same = isDeepStrictEqual(wanted, { name: known.name, settings: known.settings, runningTurnsMax });
    if (!same)
      await prisma.tenant.update({
        where: { slug },
        data: { ...wanted, version: { increment: 1 }, updatedAt: new Date() },
      });
    report({ action: same ? 'unchanged' : 'updated', kind: 'tenant', path });
    return known.id as Uuid;
  });
  if (isNew) await refuseBuried(unit, 'tenant', slug);
  return tenantId;
}
