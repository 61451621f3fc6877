import { isDeepStrictEqual } from 'node:util';
import { newId, type Uuid } from '#domain/ids.ts';
import type { KeyRing } from '#kernel/key-ring.ts';
import type { Unit } from '../scopes.ts';
import { agentSecretPlace } from '../seal-places.ts';
import type { PlannedAgent, Report } from './apply-plan.ts';
import { resealChanged } from './sealed-secrets.ts';

/** Makes a tenant's agents what the plan says. An agent without a key in the plan has none of its own afterwards. */
export async function applyAgents(
  { keyRing }: { keyRing: KeyRing },
  unit: Unit,
  tenantId: Uuid,
  path: string,
  planned: readonly PlannedAgent[],
  report: Report,
): Promise<void> {
  await unit.prisma(async (prisma) => {
    const known = new Map((await prisma.agent.findMany()).map((agent) => [agent.slug, agent]));
    for (const { slug, name, model, instructions, settings, apiKey, baseUrl } of planned) {
      const old = known.get(slug);
      const id = (old?.id ?? newId()) as Uuid;
      const { sealed, same: sameSecrets } = resealChanged(
        keyRing,
        { apiKey },
        (old?.sealed ?? {}) as Record<string, string>,
        (secret) => agentSecretPlace(tenantId, id, secret),
      );
      // The base URL goes with the key that may be sent there.
      const wanted = {
        name: name ?? titleOf(slug),
        model,
        instructions,
        settings: { ...settings, ...(baseUrl && { baseUrl }) },
      };
      known.delete(slug);
      const agentPath = `${path}/${slug}`;
      if (!old) {
        await prisma.agent.create({ data: { tenantId, id, slug, sealed, ...wanted } });
        report({ action: 'created', kind: 'agent', path: agentPath });
        continue;
      }
      const same =
        sameSecrets &&
        isDeepStrictEqual(wanted, {
          name: old.name,
          model: old.model,
          instructions: old.instructions,
          settings: old.settings,
        });
      if (!same) {
        await prisma.agent.update({
          where: { tenantId_id: { tenantId, id } },
          data: { ...wanted, sealed, version: { increment: 1 }, updatedAt: new Date() },
        });
      }
      report({ action: same ? 'unchanged' : 'updated', kind: 'agent', path: agentPath });
    }
    for (const slug of known.keys()) report({ action: 'kept', kind: 'agent', path: `${path}/${slug}` });
  });
}

function titleOf(slug: string): string {
  return slug === 'default' ? 'Assistant' : slug.charAt(0).toUpperCase() + slug.slice(1).replaceAll('-', ' ');
}
