import type { Agent, Channel, channelOperations } from '@swarmgate/contract/rest/channels.ts';
import { toWire, type Uuid } from '#domain/ids.ts';
import type { Unit } from '#tenancy/scopes.ts';
import type { HandlersOf } from './handler.ts';
import { notFound } from './refusals.ts';
import { refuseOtherVersion } from './versions.ts';

type Times = { version: number; created_at: Date; updated_at: Date };
type ChannelRow = Times &
  Pick<Channel, 'platform' | 'slug' | 'key' | 'status'> & {
    id: Uuid;
    status_reason: string | null;
    agent_id: Uuid | null;
    secrets: string[];
  };
type AgentRow = Times & Pick<Agent, 'slug' | 'name' | 'model' | 'instructions' | 'secrets'> & { id: Uuid };

// Of what is sealed, the names.
const secrets = 'ARRAY(SELECT jsonb_object_keys(sealed) ORDER BY 1) AS secrets';
const channelColumns = `id, platform, slug, key, status, status_reason, agent_id, ${secrets}, version, created_at, updated_at`;
const agentColumns = `id, slug, name, model, instructions, ${secrets}, version, created_at, updated_at`;

export const channelHandlers: HandlersOf<typeof channelOperations> = {
  listChannels: {
    async inTenant(_asked, unit) {
      const rows = await unit.sql<ChannelRow>(
        `SELECT ${channelColumns} FROM swarmgate.channels ORDER BY slug`,
      );
      return { body: { items: rows.map(showChannel) } };
    },
  },
  getChannel: {
    async inTenant({ ids }, unit) {
      const [row] = await unit.sql<ChannelRow>(
        `SELECT ${channelColumns} FROM swarmgate.channels WHERE id = $1`,
        [ids.channelId],
      );
      if (!row) throw notFound();
      return { body: showChannel(row), version: row.version };
    },
  },
  listAgents: {
    async inTenant(_asked, unit) {
      const rows = await unit.sql<AgentRow>(`SELECT ${agentColumns} FROM swarmgate.agents ORDER BY slug`);
      return { body: { items: rows.map(showAgent) } };
    },
  },
  getAgent: {
    async inTenant({ ids }, unit) {
      const row = await readAgent(unit, ids.agentId);
      return { body: showAgent(row), version: row.version };
    },
  },
  updateAgent: {
    async inTenant({ ids, body, seenVersion }, unit) {
      const row = await readAgent(unit, ids.agentId, 'FOR UPDATE');
      refuseOtherVersion(row.version, seenVersion);
      const [changed] = await unit.sql<AgentRow>(
        `UPDATE swarmgate.agents SET name = $2, instructions = $3, version = version + 1, updated_at = now()
           WHERE id = $1 RETURNING ${agentColumns}`,
        [row.id, body.name ?? row.name, body.instructions ?? row.instructions],
      );
      if (!changed) throw notFound();
      return { body: showAgent(changed), version: changed.version, detail: { changed: Object.keys(body) } };
    },
  },
};

async function readAgent(unit: Unit, id: Uuid, how = ''): Promise<AgentRow> {
  const [row] = await unit.sql<AgentRow>(
    `SELECT ${agentColumns} FROM swarmgate.agents WHERE id = $1 ${how}`,
    [id],
  );
  if (!row) throw notFound();
  return row;
}

function showChannel({ id, agent_id, status_reason, ...row }: ChannelRow): Channel {
  return {
    id: toWire('channel', id),
    ...{
      platform: row.platform,
      slug: row.slug,
      key: row.key,
      status: row.status,
      statusReason: status_reason,
    },
    agentId: agent_id && toWire('agent', agent_id),
    secrets: row.secrets,
    ...timesOf(row),
  };
}

function showAgent({ id, slug, name, model, instructions, secrets: names, ...row }: AgentRow): Agent {
  return { id: toWire('agent', id), slug, name, model, instructions, secrets: names, ...timesOf(row) };
}

function timesOf({ version, created_at, updated_at }: Times) {
  return { version, createdAt: created_at.toISOString(), updatedAt: updated_at.toISOString() };
}
