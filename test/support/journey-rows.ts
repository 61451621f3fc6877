import type { Scopes } from '#tenancy/scopes.ts';

export type ConversationRow = {
  id: string;
  external_id: string;
  due_at: Date | null;
  waiting_for: string | null;
  waiting_since: Date | null;
};
export type MessageRow = {
  id: string;
  conversation_id: string;
  sequence: string | null;
  role: string;
  kind: string;
  target_message_id: string | null;
  state: string;
  text: string;
  content: Record<string, unknown>;
  in_reply_to_id: string | null;
};
export type TurnRow = {
  id: string;
  conversation_id: string;
  message_id: string;
  state: string;
  attempt: number;
  reply_message_id: string | null;
  error_code: string | null;
  model: string | null;
  input_tokens: number | null;
  output_tokens: number | null;
};
export type StepRow = { turn_id: string; number: number; state: string; output: unknown };
export type DeliveryRow = {
  id: string;
  conversation_id: string;
  message_id: string;
  state: string;
  attempt: number;
  error_code: string | null;
  external_ids: string[];
};
export type EventRow = { kind: string; subject: Record<string, unknown> };

/** What a tenant's journeys have left in the database, each table in the order in which it came to be. */
export type JourneyRows = {
  conversations: ConversationRow[];
  messages: MessageRow[];
  turns: TurnRow[];
  steps: StepRow[];
  deliveries: DeliveryRow[];
  events: EventRow[];
};

/** Reads what the database holds of a tenant's journeys, as a test must see it: not through the service. */
export function readJourneyRows(scopes: Scopes, tenantSlug = 'shop'): Promise<JourneyRows> {
  return scopes.inPlatform(async (unit) => {
    const [tenant] = await unit.sql<{ id: string }>('SELECT id FROM directory.tenants WHERE slug = $1', [
      tenantSlug,
    ]);
    if (!tenant) throw new Error(`There is no tenant "${tenantSlug}".`);
    await unit.becomeTenant(tenant.id);
    return {
      conversations: await unit.sql<ConversationRow>('SELECT * FROM swarmgate.conversations ORDER BY id'),
      messages: await unit.sql<MessageRow>(
        'SELECT * FROM swarmgate.messages ORDER BY conversation_id, sequence, id',
      ),
      turns: await unit.sql<TurnRow>('SELECT * FROM swarmgate.turns ORDER BY conversation_id, sequence'),
      steps: await unit.sql<StepRow>('SELECT * FROM swarmgate.turn_steps ORDER BY turn_id, number'),
      deliveries: await unit.sql<DeliveryRow>(
        `SELECT d.*, ARRAY(SELECT p.external_id FROM swarmgate.delivery_parts p
             WHERE p.tenant_id = d.tenant_id AND p.delivery_id = d.id ORDER BY p.number) AS external_ids
           FROM swarmgate.deliveries d ORDER BY d.conversation_id, d.sequence, d.id`,
      ),
      events: await unit.sql<EventRow>('SELECT * FROM swarmgate.events ORDER BY id'),
    };
  });
}
