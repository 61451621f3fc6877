import { isDeepStrictEqual } from 'node:util';
import type { UnitPrisma } from '#connections/prisma/unit-client.ts';
import { newId, type Uuid } from '#domain/ids.ts';
import type { KeyRing } from '#kernel/key-ring.ts';
import type { Unit } from '../scopes.ts';
import { agentSecretPlace } from '../seal-places.ts';
import type { PlannedAgent, Report } from './apply-plan.ts';
import { resealChanged } from './sealed-secrets.ts';

/** An agent as it is stored. */
export type StoredAgent = Awaited<ReturnType<UnitPrisma['agent']['findMany']>>[number];

/** Makes a tenant's agents what the plan says. An agent without a key in the plan has none of its own afterwards. */
export async function applyAgents(
  parts: { keyRing: KeyRing },
  unit: Unit,
  tenantId: Uuid,
  path: string,
  planned: readonly PlannedAgent[],
  report: Report,
): Promise<void> {
  const stored = await unit.prisma((prisma) => prisma.agent.findMany());
  const known = new Map(stored.map((agent) => [agent.slug, agent]));
  for (const agent of planned) {
    const { action } = await keepAgent(parts, unit, tenantId, agent, known.get(agent.slug));
    known.delete(agent.slug);
    report({ action, kind: 'agent', path: `${path}/${agent.slug}` });
  }
  for (const slug of known.keys()) report({ action: 'kept', kind: 'agent', path: `${path}/${slug}` });
}

/** Makes one agent what is wanted, `old` being what there is of it. The one way by which agents are made and changed. */
export async function keepAgent(
  { keyRing }: { keyRing: KeyRing },
  unit: Unit,
  tenantId: Uuid,
  { slug, name, model, instructions, settings, apiKey, baseUrl }: PlannedAgent,
  old: StoredAgent | undefined,
): Promise<{ id: Uuid; action: 'created' | 'updated' | 'unchanged' }> {
  const id = (old?.id ?? newId()) as Uuid;
  const { sealed, same: sameSecrets } = resealChanged(
    keyRing,
    { apiKey },
    (old?.sealed ?? {}) as Record<string, string>,
    (secret) => agentSecretPlace(tenantId, id, secret),
  );
  // The base URL goes with the key that may be sent there.
  const wanted = {
    slug,
    name: name ?? titleOf(slug),
    model,
    instructions,
    settings: { ...settings, ...(baseUrl && { baseUrl }) },
  };
  if (!old) {
    await unit.prisma((prisma) => prisma.agent.create({ data: { tenantId, id, sealed, ...wanted } }));
    return { id, action: 'created' };
  }
  const same =
    sameSecrets &&
    isDeepStrictEqual(wanted, {
      slug: old.slug,
      name: old.name,
      model: old.model,
      instructions: old.instructions,
      settings: old.settings,
    });
  if (same) return { id, action: 'unchanged' };
  await unit.prisma((prisma) =>
    prisma.agent.update({
      where: { tenantId_id: { tenantId, id } },
      data: { ...wanted, sealed, version: { increment: 1 }, updatedAt: new Date() },
    }),
  );
  return { id, action: 'updated' };
}

function titleOf(slug: string): string {
  return slug === 'default' ? 'Assistant' : slug.charAt(0).toUpperCase() + slug.slice(1).replaceAll('-', ' ');
}
