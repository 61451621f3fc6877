import { type AuditPage, type AuditSearch, installationTrail } from '#audit/audit-trail.ts';
import { createAuditTrail } from '#audit/create-audit-trail.ts';
import type { AuditVerdict } from '#audit/verdict.ts';
import { verifyAudit } from '#audit/verify-audit.ts';
import type { Uuid } from '#domain/ids.ts';
import { toWire } from '#domain/ids.ts';
import { findBuried } from '#tenancy/directory.ts';
import { enterTenant } from '#tenancy/enter-tenant.ts';
import type { Unit } from '#tenancy/scopes.ts';
import type { Storage } from '../storage.ts';

/** How the trail of the installation is named where others are by the slug of a tenant, which has no such sign. */
export const installationName = '@installation';
export const allTrails = 'all';

/** What an operator may want of audit trails. Times as text: it may travel to the service as JSON. */
export type AuditWish =
  | { act: 'verify'; trail: string; files: readonly string[] }
  | { act: 'read'; trail: string; search: WishedSearch; limit: number };

export type WishedSearch = Omit<AuditSearch, 'after' | 'before' | 'limit'> & {
  after?: string;
  before?: string;
};

export type AuditAnswer = { verdict: AuditVerdict } | { page: AuditPage };

type Parts = Pick<Storage, 'scopes' | 'keyRing'>;

/** What one unit reads at most. */
const pageMax = 1_000;

export async function operateAudit(parts: Parts, wish: AuditWish): Promise<AuditAnswer> {
  return wish.act === 'verify' ? { verdict: await verify(parts, wish) } : { page: await read(parts, wish) };
}

async function verify(parts: Parts, wish: Extract<AuditWish, { act: 'verify' }>): Promise<AuditVerdict> {
  const { files } = wish;
  const verdict =
    wish.trail === allTrails
      ? await verifyAudit(parts, { files })
      : await verifyAudit(parts, { files, trail: await inTrail(parts, wish.trail, async (_unit, id) => id) });
  const tenants = await parts.scopes.inPlatform((unit) =>
    unit.sql<{ id: Uuid; slug: string }>(
      `SELECT id, slug FROM directory.tenants UNION ALL SELECT id, slug FROM directory.tombstones WHERE kind = 'tenant'`,
    ),
  );
  const slugs = new Map(tenants.map(({ id, slug }) => [toWire('tenant', id), slug]));
  return {
    ...verdict,
    trails: verdict.trails.map((trail) => {
      const tenant = slugs.get(trail.trail);
      return tenant === undefined ? trail : { ...trail, tenant };
    }),
  };
}

/** Page by page, and tells the trail itself of that: it opens what is personal. */
async function read(parts: Parts, wish: Extract<AuditWish, { act: 'read' }>): Promise<AuditPage> {
  const { after, before, ...rest } = wish.search;
  const search = {
    ...rest,
    ...(after !== undefined && { after: new Date(after) }),
    ...(before !== undefined && { before: new Date(before) }),
  };
  const audit = createAuditTrail(parts);
  const found: AuditPage = { events: [] };
  let cursor = search.cursor;
  do {
    const limit = Math.min(pageMax, wish.limit - found.events.length);
    const [trail, page] = await inTrail(parts, wish.trail, async (unit, id, isErased) => {
      const one = await audit[isErased ? 'searchErased' : 'search'](unit, id, { ...search, cursor, limit });
      return [id, one] as const;
    });
    if (found.events.length === 0)
      await audit.note(trail, {
        actor: { kind: 'operator' },
        action: 'listAuditEvents',
        resource: { kind: 'audit' },
        outcome: 'allowed',
        reason: 'At the command line.',
      });
    found.events.push(...page.events);
    cursor = page.nextCursor;
  } while (cursor !== undefined && found.events.length < wish.limit);
  return { ...found, ...(cursor !== undefined && { nextCursor: cursor }) };
}

async function inTrail<T>(
  { scopes }: Parts,
  name: string,
  work: (unit: Unit, trail: Uuid, isErased: boolean) => Promise<T>,
): Promise<T> {
  if (name === installationName) return scopes.inIdentity((unit) => work(unit, installationTrail, false));
  // The trail of a tenant outlives it.
  const buried = await scopes.inPlatform((unit) => findBuried(unit, name));
  if (buried) return scopes.inAudit((unit) => work(unit, buried, true));
  return scopes.inPlatform(async (unit) => work(unit, await enterTenant(unit, name), false));
}
