import { type ApplyAgent, applyAgent } from '@swarmgate/contract/apply-file.ts';
import type { Agent, channelOperations } from '@swarmgate/contract/rest/channels.ts';
import { applyMergePatch } from '@swarmgate/contract/rest/merge-patch.ts';
import { toWire, type Uuid } from '#domain/ids.ts';
import type { KeyRing } from '#kernel/key-ring.ts';
import { checkTenantUrl, ForbiddenUrlError } from '#kernel/url-guard.ts';
import {
  changeAgent,
  createAgent,
  deleteAgent,
  holdAgent,
  readGivenAgent,
  type StoredAgent,
  sendsKeyElsewhere,
} from '#tenancy/agent-life.ts';
import type { Unit } from '#tenancy/scopes.ts';
import { explainKeeping } from './channel-refusals.ts';
import type { HandlersOf } from './handler.ts';
import { conflict, forbiddenUrl, invalidRequest, notFound } from './refusals.ts';
import { refuseOtherVersion } from './versions.ts';

type AgentRow = Pick<Agent, 'slug' | 'name' | 'model' | 'instructions' | 'secrets' | 'version'> & {
  id: Uuid;
  settings: Record<string, unknown>;
  created_at: Date;
  updated_at: Date;
};

type AgentOperations = Pick<
  typeof channelOperations,
  'listAgents' | 'createAgent' | 'getAgent' | 'updateAgent' | 'deleteAgent'
>;

// Of what is sealed, the names.
const columns = `id, slug, name, model, instructions, settings,
  ARRAY(SELECT jsonb_object_keys(sealed) ORDER BY 1) AS secrets, version, created_at, updated_at`;

/** `allowedHosts`: those that an operator has opened to tenants' addresses although they are not public. */
export function agentHandlers({
  keyRing,
  allowedHosts,
}: {
  keyRing: KeyRing;
  allowedHosts: readonly string[];
}): HandlersOf<AgentOperations> {
  // Also when it is called; but what can be told now is told to whoever gives it.
  const checkAddress = ({ baseUrl }: Pick<ApplyAgent, 'baseUrl'>) => {
    if (baseUrl !== undefined) checkTenantUrl(baseUrl, allowedHosts);
  };
  const explain = async (_asked: unknown, error: unknown) =>
    error instanceof ForbiddenUrlError ? forbiddenUrl(error) : explainKeeping(error);

  return {
    listAgents: {
      async inTenant(_asked, unit) {
        const rows = await unit.sql<AgentRow>(`SELECT ${columns} FROM swarmgate.agents ORDER BY slug`);
        return { body: { items: rows.map(show) } };
      },
    },
    createAgent: {
      async inTenant({ tenantId, body }, unit) {
        checkAddress(body);
        const id = await createAgent(keyRing, unit, tenantId, body);
        return {
          ...(await versioned(unit, id)),
          resourceId: toWire('agent', id),
          detail: { slug: body.slug, given: Object.keys(body) },
        };
      },
      explain,
    },
    getAgent: {
      inTenant: ({ ids }, unit) => versioned(unit, ids.agentId),
    },
    updateAgent: {
      async inTenant({ tenantId, ids, body, seenVersion }, unit) {
        const old = await hold(unit, tenantId, ids.agentId);
        refuseOtherVersion(old.version, seenVersion);
        const before = readGivenAgent(keyRing, tenantId, old);
        const read = applyAgent.safeParse(applyMergePatch(before, body));
        if (!read.success) throw invalidRequest('body', read.error);
        const keepsKey = read.data.apiKey !== undefined && body['apiKey'] === undefined;
        if (keepsKey && sendsKeyElsewhere(before, read.data))
          throw conflict(
            'key_needed',
            'Another address or provider is given together with its key ("apiKey"): the one that is kept goes nowhere else. With null there is none.',
          );
        checkAddress(read.data);
        await changeAgent(keyRing, unit, tenantId, old, read.data);
        return { ...(await versioned(unit, ids.agentId)), detail: { changed: Object.keys(body) } };
      },
      explain,
    },
    deleteAgent: {
      async inTenant({ tenantId, ids, seenVersion }, unit) {
        const old = await hold(unit, tenantId, ids.agentId);
        refuseOtherVersion(old.version, seenVersion);
        if (!(await deleteAgent(unit, old)))
          throw conflict('agent_in_use', 'A channel needs this agent; give the channel another one first.');
        return { body: undefined, detail: { slug: old.slug } };
      },
    },
  };
}

async function hold(unit: Unit, tenantId: Uuid, id: Uuid): Promise<StoredAgent> {
  const agent = await holdAgent(unit, tenantId, id);
  if (!agent) throw notFound();
  return agent;
}

async function versioned(unit: Unit, id: Uuid) {
  const [row] = await unit.sql<AgentRow>(`SELECT ${columns} FROM swarmgate.agents WHERE id = $1`, [id]);
  if (!row) throw notFound();
  return { body: show(row), version: row.version };
}

function show({ id, slug, name, model, instructions, secrets, version, ...row }: AgentRow): Agent {
  const { baseUrl, ...settings } = row.settings;
  return {
    ...{ id: toWire('agent', id), slug, name, isDefault: slug === 'default', model, instructions, settings },
    baseUrl: typeof baseUrl === 'string' ? baseUrl : null,
    ...{ secrets, version },
    createdAt: row.created_at.toISOString(),
    updatedAt: row.updated_at.toISOString(),
  };
}
