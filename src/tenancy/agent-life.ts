import type { ApplyAgent } from '@swarmgate/contract/apply-file.ts';
import type { Uuid } from '#domain/ids.ts';
import type { KeyRing } from '#kernel/key-ring.ts';
import { keepAgent, type StoredAgent } from './apply/apply-agents.ts';
import { ApplyRefusedError } from './apply/apply-refused-error.ts';
import type { Unit } from './scopes.ts';
import { agentSecretPlace } from './seal-places.ts';

/** The life of a tenant's agents where its own members look after them; they are made and changed as an apply makes them. */

export type { StoredAgent } from './apply/apply-agents.ts';

/** An agent, held until the unit ends. */
export async function holdAgent(unit: Unit, tenantId: Uuid, id: Uuid): Promise<StoredAgent | undefined> {
  const held = await unit.sql('SELECT 1 FROM swarmgate.agents WHERE id = $1 FOR UPDATE', [id]);
  if (held.length === 0) return undefined;
  return unit.prisma((prisma) =>
    prisma.agent.findUniqueOrThrow({ where: { tenantId_id: { tenantId, id } } }),
  );
}

/** Answers its id. @throws {ApplyRefusedError} */
export async function createAgent(
  keyRing: KeyRing,
  unit: Unit,
  tenantId: Uuid,
  agent: ApplyAgent,
): Promise<Uuid> {
  await refuseTakenSlug(unit, agent.slug);
  const { id } = await keepAgent({ keyRing }, unit, tenantId, agent, undefined);
  return id;
}

/** @throws {ApplyRefusedError} */
export async function changeAgent(
  keyRing: KeyRing,
  unit: Unit,
  tenantId: Uuid,
  old: StoredAgent,
  agent: ApplyAgent,
): Promise<void> {
  if (agent.slug !== old.slug) await refuseTakenSlug(unit, agent.slug);
  await keepAgent({ keyRing }, unit, tenantId, agent, old);
}

/** What was given for an agent, its key opened: what a change is merged into. Not to be shown to anybody. */
export function readGivenAgent(
  keyRing: KeyRing,
  tenantId: Uuid,
  agent: StoredAgent,
): Record<string, unknown> {
  const { slug, name, model, instructions, id } = agent;
  const { baseUrl, ...settings } = agent.settings as Record<string, unknown>;
  const sealed = (agent.sealed as Record<string, string>)['apiKey'];
  return {
    ...{ slug, name, model, instructions, settings },
    ...(baseUrl !== undefined && { baseUrl }),
    ...(sealed !== undefined && { apiKey: keyRing.open(sealed, agentSecretPlace(tenantId, id, 'apiKey')) }),
  };
}

/**
 * Whether a key that is kept would go to another place than it was given for. Its owner alone decides on that: whoever may
 * change an agent has not thereby its key.
 */
export function sendsKeyElsewhere(
  before: Readonly<Record<string, unknown>>,
  after: Pick<ApplyAgent, 'model' | 'baseUrl'>,
): boolean {
  return providerOf(before['model']) !== providerOf(after.model) || before['baseUrl'] !== after.baseUrl;
}

/** `false`: a channel needs it. Conversations that it was chosen for go on with their channel's. */
export async function deleteAgent(unit: Unit, { id, slug }: StoredAgent): Promise<boolean> {
  const needed = await unit.sql(
    `SELECT 1 FROM swarmgate.channels
       WHERE removed_at IS NULL AND (agent_id = $1 OR ($2 AND agent_id IS NULL)) LIMIT 1`,
    [id, slug === 'default'],
  );
  if (needed.length > 0) return false;
  await unit.sql('UPDATE swarmgate.channels SET agent_id = NULL WHERE agent_id = $1', [id]);
  await unit.sql('UPDATE swarmgate.conversations SET agent_id = NULL WHERE agent_id = $1', [id]);
  await unit.sql('DELETE FROM swarmgate.agents WHERE id = $1', [id]);
  return true;
}

async function refuseTakenSlug(unit: Unit, slug: string): Promise<void> {
  const taken = await unit.sql('SELECT 1 FROM swarmgate.agents WHERE slug = $1', [slug]);
  if (taken.length > 0) throw new ApplyRefusedError('slug_taken', `There is an agent "${slug}" already.`);
}

const providerOf = (model: unknown) => String(model).split('/', 1)[0];
