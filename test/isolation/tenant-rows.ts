import type pg from 'pg';
import { newId, type Uuid } from '#domain/ids.ts';

/** A row by its column names. */
export type Row = Readonly<Record<string, unknown>>;

/**
 * One row for each tenant table, parents before children, all of one tenant. `mark` stands in every column that holds
 * somebody's text, so that it can be looked for where it must not be.
 */
export function rowsOfTenant(tenantId: Uuid, mark = 'text'): Readonly<Record<string, Row>> {
  const tenant = { tenant_id: tenantId };
  const [agent, channel, participant, conversation, question, answer, turn, delivery, document, role] =
    Array.from({ length: 10 }, () => newId());
  const [webhook, told] = [newId(), newId()];
  const at = { ...tenant, conversation_id: conversation };
  return {
    'swarmgate.audit_events': {
      ...tenant,
      id: newId(),
      xid: '1',
      at: '2026-01-01T00:00:00Z',
      actor_kind: 'nobody',
      action: 'test',
      resource_kind: 'tenant',
      outcome: 'refused',
      reason: mark,
      detail: {},
    },
    'swarmgate.audit_seals': {
      ...tenant,
      number: 1 + Math.floor(Math.random() * 1e9),
      sealed_at: '2026-01-01T00:00:00Z',
      event_ids: [newId()],
      event_hashes: `\\x${'00'.repeat(32)}`,
      hash: `\\x${'00'.repeat(32)}`,
      to_xid: '1',
    },
    'swarmgate.audit_drops': {
      ...tenant,
      to_number: 1,
      hash: `\\x${'00'.repeat(32)}`,
      dropped_at: '2026-01-01T00:00:00Z',
      key: 'key',
      signature: '\\x00',
    },
    'swarmgate.audit_subjects': {
      ...tenant,
      subject_id: newId(),
      sealed_key: mark,
      created_at: '2026-01-01T00:00:00Z',
    },
    'swarmgate.api_keys': {
      ...tenant,
      id: newId(),
      name: mark,
      prefix: newId(),
      secret_hash: '\\x00',
      permissions: ['conversations:read'],
      created_at: '2026-01-01T00:00:00Z',
    },
    'swarmgate.token_issuers': {
      ...tenant,
      id: newId(),
      name: mark,
      issuer: `https://${newId()}.example`,
      audience: mark,
      algorithms: ['ES256'],
      role_map: [{ value: mark, role: 'viewer' }],
      required_claims: [],
      sealed_subject_key: mark,
      is_enabled: true,
      kept_by: newId(),
      version: 1,
      created_at: '2026-01-01T00:00:00Z',
      updated_at: '2026-01-01T00:00:00Z',
    },
    'swarmgate.idempotent_answers': {
      ...tenant,
      key: newId(),
      request_hash: mark,
      status: 201,
      answer: mark,
      created_at: '2026-01-01T00:00:00Z',
    },
    'swarmgate.agents': {
      ...tenant,
      id: agent,
      slug: `agent-${agent}`,
      name: 'Agent',
      model: 'builtin/echo',
      instructions: mark,
      sealed: { apiKey: mark },
    },
    'swarmgate.channels': {
      ...tenant,
      id: channel,
      platform: 'webchat',
      slug: `site-${channel}`,
      key: `wk_${channel}`,
      agent_id: agent,
      sealed: { identitySecret: mark },
    },
    'swarmgate.participants': {
      ...tenant,
      id: participant,
      channel_id: channel,
      external_id: mark,
      profile: { name: mark },
    },
    'swarmgate.conversations': {
      ...tenant,
      id: conversation,
      channel_id: channel,
      participant_id: participant,
      agent_id: agent,
      external_id: mark,
      next_sequence: 3,
      due_at: '2026-01-01T00:00:00Z',
    },
    'swarmgate.messages': {
      ...at,
      id: question,
      sequence: 1,
      revision: 1,
      role: 'visitor',
      participant_id: participant,
      client_id: newId(),
      text: mark,
      content: { note: mark },
      untold: true,
    },
    'swarmgate.inbound_keys': {
      ...at,
      channel_id: channel,
      key: newId(),
      message_id: question,
      sequence: 1,
      created_at: '2026-01-01T00:00:00Z',
    },
    'swarmgate.turns': {
      ...at,
      id: turn,
      message_id: question,
      sequence: 1,
      error_code: 'internal',
      error_message: mark,
    },
    'swarmgate.turn_steps': {
      ...tenant,
      turn_id: turn,
      number: 1,
      kind: 'model',
      state: 'done',
      key: `${turn}/1`,
      output: { text: mark },
    },
    'swarmgate.deliveries': {
      ...at,
      id: delivery,
      channel_id: channel,
      message_id: question,
      state: 'pending',
      due_at: '2026-01-01T00:00:00Z',
      error_message: mark,
    },
    'swarmgate.delivery_parts': { ...tenant, delivery_id: delivery, number: 1, external_id: mark },
    'swarmgate.consent_entries': {
      ...tenant,
      id: newId(),
      channel_id: channel,
      sender: mark,
      recipient: mark,
      state: 'opted_out',
      source: mark,
      created_at: '2026-01-01T00:00:00Z',
    },
    'swarmgate.files': {
      ...tenant,
      id: newId(),
      message_id: question,
      channel_id: channel,
      name: mark,
      content_type: 'image/png',
      state: 'remote',
      source: { url: mark },
      created_at: '2026-01-01T00:00:00Z',
    },
    'swarmgate.install_states': {
      ...tenant,
      state_hash: `${mark}-${newId()}`,
      channel_id: channel,
      expires_at: '2099-01-01T00:00:00Z',
      created_at: '2026-01-01T00:00:00Z',
    },
    'swarmgate.claim_offers': {
      ...tenant,
      id: newId(),
      channel_id: channel,
      claims: [{ kind: 'workspace', app: '', key: mark }],
      secret_hash: '\\x00',
      created_at: '2026-01-01T00:00:00Z',
      expires_at: '2099-01-01T00:00:00Z',
    },
    'swarmgate.conversation_references': {
      ...tenant,
      channel_id: channel,
      conversation_external_id: mark,
      reference: { note: mark },
      updated_at: '2026-01-01T00:00:00Z',
    },
    'swarmgate.events': {
      ...tenant,
      id: answer,
      kind: 'turn.dead',
      subject: { conversationId: conversation, turnId: turn },
      untold: true,
    },
    'swarmgate.webhook_endpoints': {
      ...tenant,
      id: webhook,
      url: `https://${mark}.example/`,
      description: mark,
      event_types: ['*'],
      status: 'enabled',
      sealed_secret: mark,
      not_before: '2026-01-01T00:00:00Z',
      failing_since: '2026-01-01T00:00:00Z',
      created_at: '2026-01-01T00:00:00Z',
    },
    'swarmgate.webhook_events': {
      ...tenant,
      id: told,
      type: 'member.role_changed',
      occurred_at: '2026-01-01T00:00:00Z',
      data: { from: mark },
      created_at: '2026-01-01T00:00:00Z',
    },
    'swarmgate.webhook_deliveries': {
      ...tenant,
      event_id: told,
      endpoint_id: webhook,
      due_at: '2026-01-01T00:00:00Z',
      claim_expires_at: '2026-01-01T00:00:00Z',
      created_at: '2026-01-01T00:00:00Z',
    },
    'swarmgate.webhook_attempts': {
      ...tenant,
      event_id: told,
      endpoint_id: webhook,
      number: 1,
      started_at: '2026-01-01T00:00:00Z',
      outcome: 'failed',
      answer: mark,
    },
    'swarmgate.knowledge_documents': {
      ...tenant,
      id: document,
      slug: `document-${document}`,
      title: mark,
      content: mark,
      content_hash: 'hash',
    },
    'swarmgate.knowledge_passages': {
      ...tenant,
      document_id: document,
      number: 1,
      heading: mark,
      anchor: 'anchor',
      text: mark,
      search: `'${mark.toLowerCase()}':1`,
    },
    'swarmgate.knowledge_vectors': {
      ...tenant,
      document_id: document,
      number: 1,
      embedder: 'test',
      embedding: '[1,2,3]',
    },
    'swarmgate.roles': {
      ...tenant,
      id: role,
      slug: `role-${role}`,
      name: mark,
      permissions: ['conversations:read'],
    },
    'identity.invitations': {
      ...tenant,
      id: newId(),
      email: `${newId()}@example.com`,
      role_id: role,
      secret_hash: '\\x00',
      created_at: '2026-01-01T00:00:00Z',
      expires_at: '2099-01-01T00:00:00Z',
    },
    'identity.memberships': { ...tenant, user_id: newId(), role_id: role },
  };
}

/** Writes one row; `more` goes behind it (`ON CONFLICT …`, `RETURNING …`). Answers how many rows were written. */
export async function insertRow(client: pg.ClientBase, table: string, row: Row, more = ''): Promise<number> {
  const columns = Object.keys(row).join(', ');
  const { rowCount } = await client.query(
    `INSERT INTO ${table} (${columns}) SELECT ${columns} FROM jsonb_populate_record(NULL::${table}, $1) ${more}`,
    [JSON.stringify(row)],
  );
  return rowCount ?? 0;
}

/** The people whom the memberships of some rows name, as the owner writes them. */
export async function insertMembers(
  client: pg.ClientBase,
  rows: Readonly<Record<string, Row>>,
): Promise<void> {
  const id = rows['identity.memberships']?.['user_id'];
  await client.query('INSERT INTO identity.users (id, email) VALUES ($1, $2)', [id, `${id}@example.com`]);
}

/** An organization with its tenants, as the owner writes them. */
export async function insertTenants(
  client: pg.ClientBase,
  organizationId: Uuid,
  tenantIds: readonly Uuid[],
): Promise<void> {
  await client.query(`INSERT INTO directory.organizations (id, slug, name) VALUES ($1, $2, 'Organization')`, [
    organizationId,
    `organization-${organizationId}`,
  ]);
  for (const tenantId of tenantIds) {
    await client.query(
      `INSERT INTO directory.tenants (id, organization_id, slug, name, region, cell) VALUES ($1, $2, $3, 'Tenant', 'local', 'local')`,
      [tenantId, organizationId, `tenant-${tenantId}`],
    );
  }
}
