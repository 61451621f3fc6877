-- Nobody starves: wake-ups are ordered by start-time fair queueing, and a tenant runs no more turns at once than its plan
-- allows. What 0005_hot_path says of its functions holds here.

-- A body is checked under the role that its function steps into, which may not call a function that was there before.
SET LOCAL check_function_bodies = off;

-- What a plan buys of the workers' time. A plan that is not named here counts as 'free'.
CREATE TABLE directory.plans (
  name text PRIMARY KEY,
  -- Its share while others wait too, beside a plan of weight 1. A power of two, so that costs are whole numbers.
  weight integer NOT NULL CHECK (weight IN (1, 2, 4, 8, 16)),
  -- Turns of one tenant that may run at once; a tenant may have a number of its own.
  running_turns_max integer NOT NULL CHECK (running_turns_max > 0)
);
INSERT INTO directory.plans (name, weight, running_turns_max) VALUES ('free', 1, 20), ('pro', 4, 40), ('enterprise', 16, 80);
GRANT SELECT ON directory.plans TO swarmgate_tenant, swarmgate_organization, swarmgate_platform;

ALTER TABLE directory.tenants ADD COLUMN running_turns_max integer CHECK (running_turns_max > 0);

-- Where each queue's virtual time stands, for queues that live in this database. A job's priority is its start tag less
-- `base`, plus 1. `moving`: the base has been raised and jobs that wait are still to be moved.
CREATE TABLE directory.fair_clocks (
  queue text PRIMARY KEY,
  virtual bigint NOT NULL DEFAULT 0,
  base bigint NOT NULL DEFAULT 0,
  moving boolean NOT NULL DEFAULT false
);
-- Where a tenant's next start lies, as long as that is in the future.
CREATE TABLE directory.fair_finishes (
  queue text NOT NULL,
  tenant_id uuid NOT NULL REFERENCES directory.tenants (id) ON DELETE CASCADE ON UPDATE RESTRICT,
  finish bigint NOT NULL,
  PRIMARY KEY (queue, tenant_id)
);
CREATE INDEX fair_finishes_queue_finish_idx ON directory.fair_finishes (queue, finish);
ALTER TABLE directory.fair_clocks ENABLE ROW LEVEL SECURITY;
ALTER TABLE directory.fair_clocks FORCE ROW LEVEL SECURITY;
ALTER TABLE directory.fair_finishes ENABLE ROW LEVEL SECURITY;
ALTER TABLE directory.fair_finishes FORCE ROW LEVEL SECURITY;
CREATE POLICY platform ON directory.fair_clocks TO swarmgate_platform USING (true) WITH CHECK (true);
CREATE POLICY platform ON directory.fair_finishes TO swarmgate_platform USING (true) WITH CHECK (true);
GRANT SELECT, INSERT, UPDATE ON directory.fair_clocks TO swarmgate_platform;
GRANT SELECT, INSERT, UPDATE, DELETE ON directory.fair_finishes TO swarmgate_platform;

-- Since when a conversation waits for a slot; kept while it is turned away again, so that it keeps its place.
ALTER TABLE swarmgate.conversations ADD COLUMN waiting_since timestamptz;
CREATE INDEX conversations_waiting_for_slot_idx ON swarmgate.conversations (tenant_id, waiting_since) WHERE waiting_for = 'slot';
CREATE INDEX turns_running_idx ON swarmgate.turns (tenant_id) WHERE state = 'running';

-- The sweeper looks tenant by tenant, so that one with much that is due does not hide the others.
DROP INDEX swarmgate.conversations_due_at_idx;
CREATE INDEX conversations_due_idx ON swarmgate.conversations (tenant_id, due_at) WHERE due_at IS NOT NULL;
DROP INDEX swarmgate.deliveries_due_at_idx;
CREATE INDEX deliveries_due_idx ON swarmgate.deliveries (tenant_id, due_at) WHERE due_at IS NOT NULL;
DROP POLICY sweeper ON swarmgate.conversations;
CREATE POLICY sweeper ON swarmgate.conversations FOR SELECT TO swarmgate_sweeper USING (due_at IS NOT NULL OR waiting_for = 'slot');

-- ── slots ───────────────────────────────────────────────────────────────────────────────────────────────────────────

-- What a tenant's plan gives it, or what it was given itself.
CREATE FUNCTION swarmgate.turn_terms(p_tenant uuid, OUT weight integer, OUT running_max integer)
LANGUAGE sql STABLE AS $$
  SELECT coalesce(p.weight, f.weight), coalesce(t.running_turns_max, p.running_turns_max, f.running_turns_max)
    FROM directory.tenants t
    JOIN directory.organizations o ON o.id = t.organization_id
    JOIN directory.plans f ON f.name = 'free'
    LEFT JOIN directory.plans p ON p.name = o.plan
    WHERE t.id = p_tenant
$$;

-- How many more turns a tenant may begin beside those of one conversation. What runs is counted up to the ceiling only.
CREATE FUNCTION swarmgate.free_slots(p_tenant uuid, p_beside uuid) RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
  v_max integer := (SELECT w.running_max FROM swarmgate.turn_terms(p_tenant) w);
BEGIN
  RETURN v_max - (SELECT count(*) FROM (
    SELECT FROM swarmgate.turns t WHERE t.tenant_id = p_tenant AND t.state = 'running' AND t.conversation_id IS DISTINCT FROM p_beside
      LIMIT v_max) r);
END $$;

-- Whether a conversation may begin a turn now. Far below the ceiling nobody waits for anybody; near it, beginnings of one
-- tenant come one after the other, so that the count holds. What was asked to stop needs no slot.
CREATE FUNCTION swarmgate.take_slot(p_tenant uuid, p_conversation uuid) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
  v_free integer := swarmgate.free_slots(p_tenant, p_conversation);
BEGIN
  IF v_free BETWEEN 1 AND 16 THEN
    PERFORM pg_advisory_xact_lock(hashtextextended('swarmgate/slots/' || p_tenant, 0));
    v_free := swarmgate.free_slots(p_tenant, p_conversation);
  END IF;
  RETURN v_free > 0 OR EXISTS (SELECT 1 FROM swarmgate.turns t
    WHERE t.tenant_id = p_tenant AND t.conversation_id = p_conversation AND t.state IN ('pending', 'running', 'waiting')
      AND t.cancel_requested_at IS NOT NULL
      AND NOT EXISTS (SELECT 1 FROM swarmgate.turns e WHERE e.tenant_id = p_tenant AND e.conversation_id = p_conversation
        AND e.state IN ('pending', 'running', 'waiting') AND e.sequence < t.sequence));
END $$;

-- Makes the conversations of a tenant due that have waited longest for a slot, as many as there are slots and at most
-- p_limit. Answers them.
CREATE FUNCTION swarmgate.give_slots(p_tenant uuid, p_limit integer) RETURNS uuid[] LANGUAGE plpgsql AS $$
DECLARE
  v_free integer;
  v_given uuid[];
BEGIN
  PERFORM 1 FROM swarmgate.conversations c WHERE c.tenant_id = p_tenant AND c.waiting_for = 'slot' LIMIT 1;
  IF NOT FOUND THEN
    RETURN '{}';
  END IF;
  v_free := least(swarmgate.free_slots(p_tenant, NULL), p_limit);
  WITH longest AS (
    SELECT c.id FROM swarmgate.conversations c WHERE c.tenant_id = p_tenant AND c.waiting_for = 'slot'
      ORDER BY c.waiting_since LIMIT greatest(v_free, 0) FOR UPDATE SKIP LOCKED
  ), given AS (
    UPDATE swarmgate.conversations c SET due_at = clock_timestamp(), waiting_for = NULL
      FROM longest l WHERE c.tenant_id = p_tenant AND c.id = l.id RETURNING c.id
  )
  SELECT coalesce(array_agg(g.id), '{}') INTO v_given FROM given g;
  RETURN v_given;
END $$;

-- The same for a tenant whose slots were freed without a word: by a crash, or by a higher ceiling.
CREATE FUNCTION swarmgate.give_slots_v1(p_tenant uuid) RETURNS TABLE (conversation_id uuid)
LANGUAGE plpgsql SET role = 'swarmgate_tenant' AS $$
BEGIN
  PERFORM set_config('swarmgate.tenant_id', p_tenant::text, true);
  RETURN QUERY SELECT unnest(swarmgate.give_slots(p_tenant, 1000));
END $$;

-- Tenants that have conversations waiting for a slot.
CREATE FUNCTION swarmgate.waiting_tenants_v1() RETURNS TABLE (tenant_id uuid)
LANGUAGE plpgsql STABLE SET role = 'swarmgate_sweeper' AS $$
#variable_conflict use_column
BEGIN
  RETURN QUERY WITH RECURSIVE tenant (id) AS (
    (SELECT c.tenant_id FROM swarmgate.conversations c WHERE c.waiting_for = 'slot' ORDER BY c.tenant_id LIMIT 1)
    UNION ALL
    SELECT (SELECT c.tenant_id FROM swarmgate.conversations c WHERE c.waiting_for = 'slot' AND c.tenant_id > t.id
      ORDER BY c.tenant_id LIMIT 1) FROM tenant t WHERE t.id IS NOT NULL
  ) SELECT t.id FROM tenant t WHERE t.id IS NOT NULL;
END $$;

-- ── the journey, with slots and shares ──────────────────────────────────────────────────────────────────────────────

-- Takes the lease of a conversation that is due (only if nobody holds it) and begins its next turn. NULL: nothing to do,
-- or the tenant runs as many turns as it may, and the conversation waits for a slot.
CREATE OR REPLACE FUNCTION swarmgate.begin_turn_v1(p_tenant uuid, p_conversation uuid, p_holder text, p_lease_ms integer, p_history_max integer) RETURNS jsonb
LANGUAGE plpgsql SET role = 'swarmgate_tenant' AS $$
DECLARE
  v_fence bigint;
BEGIN
  PERFORM set_config('swarmgate.tenant_id', p_tenant::text, true);
  IF NOT EXISTS (SELECT 1 FROM directory.tenants t JOIN swarmgate.this_cell h ON h.cell = t.cell WHERE t.id = p_tenant AND t.status = 'active') THEN
    UPDATE swarmgate.conversations c SET due_at = NULL, waiting_for = 'suspension'
      WHERE c.tenant_id = p_tenant AND c.id = p_conversation AND c.due_at IS NOT NULL;
    RETURN NULL;
  END IF;
  UPDATE swarmgate.conversations c SET
      lease_number = c.lease_number + 1, lease_holder = p_holder, waiting_for = NULL,
      lease_expires_at = clock_timestamp() + make_interval(secs => p_lease_ms / 1000.0)
    WHERE c.tenant_id = p_tenant AND c.id = p_conversation
      AND c.due_at <= clock_timestamp() AND (c.lease_expires_at IS NULL OR c.lease_expires_at <= clock_timestamp())
    RETURNING c.lease_number INTO v_fence;
  IF NOT FOUND THEN
    RETURN NULL;
  END IF;
  IF NOT swarmgate.take_slot(p_tenant, p_conversation) THEN
    UPDATE swarmgate.conversations c SET due_at = NULL, waiting_for = 'slot', waiting_since = coalesce(c.waiting_since, clock_timestamp()),
        lease_holder = NULL, lease_expires_at = NULL
      WHERE c.tenant_id = p_tenant AND c.id = p_conversation;
    RETURN NULL;
  END IF;
  RETURN swarmgate.next_turn(p_tenant, p_conversation, v_fence, p_history_max);
END $$;

-- The oldest unanswered message of a conversation that the caller holds; when there is none, the lease is given back.
CREATE OR REPLACE FUNCTION swarmgate.next_turn(p_tenant uuid, p_conversation uuid, p_fence bigint, p_history_max integer) RETURNS jsonb
LANGUAGE plpgsql AS $$
DECLARE
  v_turn uuid;
BEGIN
  SELECT t.id INTO v_turn FROM swarmgate.turns t
    WHERE t.tenant_id = p_tenant AND t.conversation_id = p_conversation AND t.state IN ('pending', 'running', 'waiting')
    ORDER BY t.sequence LIMIT 1;
  IF NOT FOUND THEN
    UPDATE swarmgate.conversations c SET due_at = NULL, waiting_for = NULL, waiting_since = NULL, lease_holder = NULL, lease_expires_at = NULL
      WHERE c.tenant_id = p_tenant AND c.id = p_conversation;
    RETURN NULL;
  END IF;
  UPDATE swarmgate.turns t SET state = 'running', attempt = t.attempt + 1, fence = p_fence,
      started_at = coalesce(t.started_at, clock_timestamp())
    WHERE t.tenant_id = p_tenant AND t.id = v_turn;
  RETURN swarmgate.describe_turn(p_tenant, v_turn, p_history_max);
END $$;

-- As before, with the tenant's weight.
CREATE OR REPLACE FUNCTION swarmgate.describe_turn(p_tenant uuid, p_turn uuid, p_history_max integer) RETURNS jsonb
LANGUAGE plpgsql STABLE AS $$
DECLARE
  v jsonb;
BEGIN
  SELECT jsonb_build_object(
    'turnId', t.id, 'weight', (SELECT w.weight FROM swarmgate.turn_terms(p_tenant) w), 'conversationId', t.conversation_id, 'conversationExternalId', c.external_id, 'fence', t.fence, 'attempt', t.attempt,
    'cancelled', t.cancel_requested_at IS NOT NULL, 'elapsedMs', round(extract(epoch FROM clock_timestamp() - t.started_at) * 1000),
    'message', jsonb_build_object('id', m.id, 'text', m.text, 'content', m.content),
    'participant', jsonb_build_object('externalId', p.external_id),
    'channel', jsonb_build_object('id', ch.id, 'platform', ch.platform),
    'agent', CASE WHEN a.id IS NULL THEN NULL ELSE jsonb_build_object(
      'id', a.id, 'slug', a.slug, 'name', a.name, 'model', a.model, 'instructions', a.instructions, 'settings', a.settings, 'sealed', a.sealed) END,
    'history', coalesce((
      SELECT jsonb_agg(jsonb_build_object('role', h.role, 'text', h.text) ORDER BY h.place, h.sequence) FROM (
        SELECT e.role, e.text, e.sequence, coalesce(q.sequence, e.sequence) AS place FROM swarmgate.messages e
          LEFT JOIN swarmgate.messages q ON q.tenant_id = p_tenant AND q.id = e.in_reply_to_id
          WHERE e.tenant_id = p_tenant AND e.conversation_id = t.conversation_id AND e.kind IN ('message', 'action') AND e.state = 'final'
            AND coalesce(q.sequence, e.sequence) < m.sequence
          ORDER BY e.sequence DESC LIMIT p_history_max) h), '[]'),
    'steps', coalesce((
      SELECT jsonb_agg(jsonb_build_object('number', s.number, 'kind', s.kind, 'output', s.output) ORDER BY s.number)
        FROM swarmgate.turn_steps s WHERE s.tenant_id = p_tenant AND s.turn_id = t.id AND s.state = 'done'), '[]'))
  INTO v
  FROM swarmgate.turns t
  JOIN swarmgate.messages m ON m.tenant_id = p_tenant AND m.id = t.message_id
  JOIN swarmgate.conversations c ON c.tenant_id = p_tenant AND c.id = t.conversation_id
  JOIN swarmgate.participants p ON p.tenant_id = p_tenant AND p.id = coalesce(m.participant_id, c.participant_id)
  JOIN swarmgate.channels ch ON ch.tenant_id = p_tenant AND ch.id = c.channel_id
  LEFT JOIN LATERAL (
    SELECT x.* FROM swarmgate.agents x WHERE x.tenant_id = p_tenant
      AND (x.id = coalesce(c.agent_id, ch.agent_id) OR (coalesce(c.agent_id, ch.agent_id) IS NULL AND x.slug = 'default'))
  ) a ON true
  WHERE t.tenant_id = p_tenant AND t.id = p_turn;
  RETURN v;
END $$;

-- As receive_messages_v2, with the tenant's weight, and whether the conversation became due by the message: only then it
-- needs a wake-up of its own.
CREATE FUNCTION swarmgate.receive_messages_v3(
  p_tenants uuid[], p_channels uuid[], p_conversations uuid[], p_conversation_keys text[],
  p_participants uuid[], p_participant_keys text[], p_participant_verified boolean[], p_profiles text[],
  p_messages uuid[], p_keys text[], p_client_ids text[], p_texts text[], p_contents text[], p_turns uuid[], p_extras text[]
) RETURNS TABLE (
  ordinal integer, outcome text, conversation_id uuid, message_id uuid, sequence bigint, created_at timestamptz,
  weight integer, became_due boolean, sqlstate_of_failure text, failure text
) LANGUAGE plpgsql SET role = 'swarmgate_tenant' SET lock_timeout = '2s' AS $$
#variable_conflict use_column
DECLARE
  i integer;
  v_status text;
  v_participant uuid;
  v_conversation uuid;
  v_sequence bigint;
  v_at timestamptz(3);
  v_extra jsonb;
  v_needs_answer boolean;
  v_weight integer;
  v_was_due boolean;
  v_is_due boolean;
BEGIN
  FOR i IN SELECT n FROM generate_subscripts(p_tenants, 1) n ORDER BY p_tenants[n], p_channels[n], p_conversation_keys[n], n LOOP
    BEGIN
      v_extra := p_extras[i]::jsonb;
      v_needs_answer := coalesce((v_extra ->> 'needsAnswer')::boolean, true);
      PERFORM set_config('swarmgate.tenant_id', p_tenants[i]::text, true);
      SELECT t.status, coalesce(p.weight, 1) INTO v_status, v_weight FROM directory.tenants t
        JOIN swarmgate.this_cell h ON h.cell = t.cell
        JOIN directory.organizations o ON o.id = t.organization_id
        LEFT JOIN directory.plans p ON p.name = o.plan
        WHERE t.id = p_tenants[i];
      IF NOT FOUND THEN
        RAISE EXCEPTION 'tenant % is not in this cell', p_tenants[i] USING ERRCODE = 'SG001';
      END IF;

      SELECT c.id, c.next_sequence, c.due_at IS NOT NULL INTO v_conversation, v_sequence, v_was_due FROM swarmgate.conversations c
        WHERE c.tenant_id = p_tenants[i] AND c.channel_id = p_channels[i] AND c.external_id = p_conversation_keys[i] FOR UPDATE;
      IF NOT FOUND AND (v_extra ->> 'onlyIfKnown')::boolean THEN
        RETURN QUERY SELECT i, 'ignored', NULL::uuid, NULL::uuid, NULL::bigint, NULL::timestamptz, v_weight, false, NULL::text, NULL::text;
        CONTINUE;
      END IF;

      SELECT p.id INTO v_participant FROM swarmgate.participants p
        WHERE p.tenant_id = p_tenants[i] AND p.channel_id = p_channels[i] AND p.external_id = p_participant_keys[i];
      IF NOT FOUND THEN
        INSERT INTO swarmgate.participants AS p (tenant_id, id, channel_id, external_id, verified, profile)
          VALUES (p_tenants[i], p_participants[i], p_channels[i], p_participant_keys[i], p_participant_verified[i], p_profiles[i]::jsonb)
          ON CONFLICT (tenant_id, channel_id, external_id) DO UPDATE SET updated_at = now()
          RETURNING p.id INTO v_participant;
      END IF;

      IF v_conversation IS NULL THEN
        INSERT INTO swarmgate.conversations (tenant_id, id, channel_id, participant_id, external_id)
          VALUES (p_tenants[i], p_conversations[i], p_channels[i], v_participant, p_conversation_keys[i])
          ON CONFLICT (tenant_id, channel_id, external_id) DO NOTHING;
        SELECT c.id, c.next_sequence, c.due_at IS NOT NULL INTO STRICT v_conversation, v_sequence, v_was_due FROM swarmgate.conversations c
          WHERE c.tenant_id = p_tenants[i] AND c.channel_id = p_channels[i] AND c.external_id = p_conversation_keys[i] FOR UPDATE;
      END IF;

      v_at := clock_timestamp();
      INSERT INTO swarmgate.inbound_keys (tenant_id, channel_id, key, conversation_id, message_id, sequence, created_at)
        VALUES (p_tenants[i], p_channels[i], p_keys[i], v_conversation, p_messages[i], v_sequence, v_at)
        ON CONFLICT (tenant_id, channel_id, key) DO NOTHING;
      IF NOT FOUND THEN
        RETURN QUERY SELECT i, 'duplicate', k.conversation_id, k.message_id, k.sequence, k.created_at::timestamptz, v_weight, false, NULL::text, NULL::text
          FROM swarmgate.inbound_keys k WHERE k.tenant_id = p_tenants[i] AND k.channel_id = p_channels[i] AND k.key = p_keys[i];
        CONTINUE;
      END IF;

      INSERT INTO swarmgate.messages (tenant_id, id, conversation_id, sequence, revision, role, kind, participant_id, client_id, text, content, created_at)
        VALUES (p_tenants[i], p_messages[i], v_conversation, v_sequence, v_sequence, 'visitor', coalesce(v_extra ->> 'kind', 'message'),
          v_participant, p_client_ids[i], p_texts[i], p_contents[i]::jsonb, v_at);
      IF v_needs_answer THEN
        INSERT INTO swarmgate.turns (tenant_id, id, conversation_id, message_id, sequence)
          VALUES (p_tenants[i], p_turns[i], v_conversation, p_messages[i], v_sequence);
      END IF;
      IF v_extra IS NOT NULL THEN
        v_sequence := swarmgate.receive_extras(p_tenants[i], p_channels[i], v_conversation, p_messages[i], v_sequence, v_extra);
      END IF;
      UPDATE swarmgate.conversations c SET
        next_sequence = v_sequence + 1,
        last_message_at = v_at,
        status = 'open',
        waiting_for = CASE WHEN NOT v_needs_answer THEN c.waiting_for
          WHEN v_status <> 'active' THEN 'suspension' ELSE nullif(c.waiting_for, 'suspension') END,
        due_at = CASE
          WHEN NOT v_needs_answer THEN c.due_at
          WHEN v_status <> 'active' THEN NULL
          WHEN c.waiting_for IS NULL OR c.waiting_for = 'suspension' THEN coalesce(c.due_at, clock_timestamp())
          ELSE c.due_at END
        WHERE c.tenant_id = p_tenants[i] AND c.id = v_conversation
        RETURNING c.due_at IS NOT NULL INTO v_is_due;

      RETURN QUERY SELECT i, 'received', v_conversation, p_messages[i], k.sequence, v_at::timestamptz, v_weight, v_is_due AND NOT v_was_due, NULL::text, NULL::text
        FROM swarmgate.inbound_keys k WHERE k.tenant_id = p_tenants[i] AND k.channel_id = p_channels[i] AND k.key = p_keys[i];
    EXCEPTION WHEN OTHERS THEN
      RETURN QUERY SELECT i, 'failed', NULL::uuid, NULL::uuid, NULL::bigint, NULL::timestamptz, NULL::integer, false, SQLSTATE, SQLERRM;
    END;
  END LOOP;
END $$;

-- Ends a turn, as before. Since this version also: { slots }, the conversations that got the slot that it leaves.
CREATE OR REPLACE FUNCTION swarmgate.commit_turn_v1(
  p_tenant uuid, p_conversation uuid, p_fence bigint, p_turn uuid, p_state text,
  p_message uuid, p_delivery uuid, p_role text, p_text text, p_content text,
  p_model text, p_usage text, p_error_code text, p_error_message text,
  p_event uuid, p_next boolean, p_lease_ms integer, p_history_max integer
) RETURNS jsonb LANGUAGE plpgsql SET role = 'swarmgate_tenant' AS $$
DECLARE
  v_usage jsonb := p_usage::jsonb;
  v_question uuid;
  v_draft uuid;
  v_channel uuid;
  v_sequence bigint;
  v_next jsonb;
  v_slots uuid[] := '{}';
BEGIN
  PERFORM set_config('swarmgate.tenant_id', p_tenant::text, true);
  IF NOT swarmgate.hold_lease(p_tenant, p_conversation, p_fence) THEN
    RETURN NULL;
  END IF;
  SELECT t.message_id, t.reply_message_id INTO v_question, v_draft FROM swarmgate.turns t
    WHERE t.tenant_id = p_tenant AND t.id = p_turn AND t.state = 'running' AND t.fence = p_fence;
  IF NOT FOUND THEN
    RETURN NULL;
  END IF;

  UPDATE swarmgate.conversations c SET next_sequence = c.next_sequence + 1, last_message_at = clock_timestamp(),
      lease_expires_at = clock_timestamp() + make_interval(secs => p_lease_ms / 1000.0)
    WHERE c.tenant_id = p_tenant AND c.id = p_conversation
    RETURNING c.next_sequence - 1, c.channel_id INTO v_sequence, v_channel;

  IF v_draft IS NULL THEN
    INSERT INTO swarmgate.messages (tenant_id, id, conversation_id, sequence, revision, role, in_reply_to_id, text, content, created_at)
      VALUES (p_tenant, p_message, p_conversation, v_sequence, v_sequence, p_role, v_question, p_text, p_content::jsonb, clock_timestamp());
    INSERT INTO swarmgate.deliveries (tenant_id, id, conversation_id, channel_id, message_id, sequence, state, due_at)
      VALUES (p_tenant, p_delivery, p_conversation, v_channel, p_message, v_sequence, 'pending', clock_timestamp());
  ELSE
    UPDATE swarmgate.messages m SET state = 'final', sequence = v_sequence, revision = v_sequence, role = p_role,
        text = p_text, content = p_content::jsonb, created_at = clock_timestamp()
      WHERE m.tenant_id = p_tenant AND m.id = v_draft;
    UPDATE swarmgate.deliveries d SET state = 'pending', sequence = v_sequence, due_at = clock_timestamp()
      WHERE d.tenant_id = p_tenant AND d.message_id = v_draft;
  END IF;

  UPDATE swarmgate.turns t SET state = p_state, finished_at = clock_timestamp(), reply_message_id = coalesce(v_draft, p_message),
      error_code = p_error_code, error_message = p_error_message, model = p_model,
      input_tokens = (v_usage ->> 'inputTokens')::integer, output_tokens = (v_usage ->> 'outputTokens')::integer,
      cached_input_tokens = (v_usage ->> 'cachedInputTokens')::integer, reasoning_tokens = (v_usage ->> 'reasoningTokens')::integer
    WHERE t.tenant_id = p_tenant AND t.id = p_turn;
  IF p_state = 'dead' THEN
    INSERT INTO swarmgate.events (tenant_id, id, kind, subject)
      VALUES (p_tenant, p_event, 'turn.dead', jsonb_build_object('conversationId', p_conversation, 'turnId', p_turn, 'error', p_error_code));
  END IF;

  IF p_next THEN
    v_next := swarmgate.next_turn(p_tenant, p_conversation, p_fence, p_history_max);
  ELSE
    UPDATE swarmgate.conversations c SET lease_holder = NULL, lease_expires_at = NULL, waiting_since = NULL,
        due_at = CASE WHEN EXISTS (SELECT 1 FROM swarmgate.turns t WHERE t.tenant_id = p_tenant AND t.conversation_id = p_conversation
          AND t.state IN ('pending', 'running', 'waiting')) THEN clock_timestamp() ELSE NULL END
      WHERE c.tenant_id = p_tenant AND c.id = p_conversation;
  END IF;
  IF v_next IS NULL THEN
    v_slots := swarmgate.give_slots(p_tenant, 1);
  END IF;
  RETURN jsonb_build_object('sequence', v_sequence, 'messageId', coalesce(v_draft, p_message), 'next', v_next, 'slots', to_jsonb(v_slots));
END $$;

-- As before, with the tenant's weight.
CREATE OR REPLACE FUNCTION swarmgate.send_message_v1(
  p_tenant uuid, p_channel uuid, p_key text, p_conversation uuid, p_conversation_key text, p_participant uuid, p_participant_key text,
  p_message uuid, p_delivery uuid, p_role text, p_text text, p_content text
) RETURNS jsonb LANGUAGE plpgsql SET role = 'swarmgate_tenant' SET lock_timeout = '2s' AS $$
DECLARE
  v_participant uuid;
  v_conversation uuid;
  v_sequence bigint;
  v jsonb;
BEGIN
  PERFORM set_config('swarmgate.tenant_id', p_tenant::text, true);
  PERFORM 1 FROM directory.tenants t JOIN swarmgate.this_cell h ON h.cell = t.cell WHERE t.id = p_tenant;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'tenant % is not in this cell', p_tenant USING ERRCODE = 'SG001';
  END IF;
  INSERT INTO swarmgate.participants AS p (tenant_id, id, channel_id, external_id)
    VALUES (p_tenant, p_participant, p_channel, p_participant_key)
    ON CONFLICT (tenant_id, channel_id, external_id) DO UPDATE SET updated_at = now()
    RETURNING p.id INTO v_participant;
  INSERT INTO swarmgate.conversations (tenant_id, id, channel_id, participant_id, external_id)
    VALUES (p_tenant, p_conversation, p_channel, v_participant, p_conversation_key)
    ON CONFLICT (tenant_id, channel_id, external_id) DO NOTHING;
  SELECT c.id, c.next_sequence INTO STRICT v_conversation, v_sequence FROM swarmgate.conversations c
    WHERE c.tenant_id = p_tenant AND c.channel_id = p_channel AND c.external_id = p_conversation_key FOR UPDATE;
  INSERT INTO swarmgate.inbound_keys (tenant_id, channel_id, key, conversation_id, message_id, sequence, created_at)
    VALUES (p_tenant, p_channel, p_key, v_conversation, p_message, v_sequence, clock_timestamp())
    ON CONFLICT (tenant_id, channel_id, key) DO NOTHING;
  IF NOT FOUND THEN
    SELECT jsonb_build_object('outcome', 'duplicate', 'conversationId', k.conversation_id, 'messageId', k.message_id) INTO v
      FROM swarmgate.inbound_keys k WHERE k.tenant_id = p_tenant AND k.channel_id = p_channel AND k.key = p_key;
    RETURN v;
  END IF;
  INSERT INTO swarmgate.messages (tenant_id, id, conversation_id, sequence, revision, role, text, content, created_at)
    VALUES (p_tenant, p_message, v_conversation, v_sequence, v_sequence, p_role, p_text, p_content::jsonb, clock_timestamp());
  INSERT INTO swarmgate.deliveries (tenant_id, id, conversation_id, channel_id, message_id, sequence, state, due_at)
    VALUES (p_tenant, p_delivery, v_conversation, p_channel, p_message, v_sequence, 'pending', clock_timestamp());
  UPDATE swarmgate.conversations c SET next_sequence = v_sequence + 1, last_message_at = clock_timestamp(), status = 'open'
    WHERE c.tenant_id = p_tenant AND c.id = v_conversation;
  RETURN jsonb_build_object('outcome', 'accepted', 'conversationId', v_conversation, 'messageId', p_message,
    'weight', (SELECT w.weight FROM swarmgate.turn_terms(p_tenant) w));
END $$;

-- Puts a turn back, as retry_turn_v1 did. NULL: the lease is lost. Otherwise { slots }: conversations that got the slot.
CREATE FUNCTION swarmgate.retry_turn_v2(
  p_tenant uuid, p_conversation uuid, p_fence bigint, p_turn uuid, p_delay_ms integer, p_counts boolean, p_error_code text, p_error_message text
) RETURNS jsonb LANGUAGE plpgsql SET role = 'swarmgate_tenant' AS $$
BEGIN
  PERFORM set_config('swarmgate.tenant_id', p_tenant::text, true);
  IF NOT swarmgate.hold_lease(p_tenant, p_conversation, p_fence) THEN
    RETURN NULL;
  END IF;
  UPDATE swarmgate.turns t SET state = 'pending', attempt = CASE WHEN p_counts THEN t.attempt ELSE t.attempt - 1 END,
      error_code = coalesce(p_error_code, t.error_code), error_message = coalesce(p_error_message, t.error_message)
    WHERE t.tenant_id = p_tenant AND t.id = p_turn AND t.state = 'running' AND t.fence = p_fence;
  UPDATE swarmgate.conversations c SET lease_holder = NULL, lease_expires_at = NULL,
      due_at = clock_timestamp() + make_interval(secs => p_delay_ms / 1000.0),
      waiting_for = CASE WHEN p_delay_ms > 0 THEN 'backoff' END
    WHERE c.tenant_id = p_tenant AND c.id = p_conversation;
  RETURN jsonb_build_object('slots', to_jsonb(swarmgate.give_slots(p_tenant, 1)));
END $$;

-- Asks a turn to stop. False: the conversation has no such turn that is still to be answered. One that waits to be tried
-- again, or for a slot, is due at once: it will not run.
CREATE OR REPLACE FUNCTION swarmgate.cancel_turn_v1(p_tenant uuid, p_conversation uuid, p_turn uuid) RETURNS boolean
LANGUAGE plpgsql SET role = 'swarmgate_tenant' AS $$
DECLARE
  v_sequence bigint;
BEGIN
  PERFORM set_config('swarmgate.tenant_id', p_tenant::text, true);
  PERFORM 1 FROM swarmgate.conversations c WHERE c.tenant_id = p_tenant AND c.id = p_conversation FOR UPDATE;
  UPDATE swarmgate.turns t SET cancel_requested_at = coalesce(t.cancel_requested_at, clock_timestamp())
    WHERE t.tenant_id = p_tenant AND t.conversation_id = p_conversation AND t.id = p_turn AND t.state IN ('pending', 'running', 'waiting')
    RETURNING t.sequence INTO v_sequence;
  IF NOT FOUND THEN
    RETURN false;
  END IF;
  UPDATE swarmgate.conversations c SET due_at = clock_timestamp(), waiting_for = NULL
    WHERE c.tenant_id = p_tenant AND c.id = p_conversation AND c.waiting_for IN ('backoff', 'slot')
      AND NOT EXISTS (SELECT 1 FROM swarmgate.turns t WHERE t.tenant_id = p_tenant AND t.conversation_id = p_conversation
        AND t.state IN ('pending', 'running', 'waiting') AND t.sequence < v_sequence);
  RETURN true;
END $$;

-- What is due and has nobody at work on it, as due_work_v1 told it, but of each tenant its oldest ones only: a backlog of
-- one does not hide what another one lost.
CREATE FUNCTION swarmgate.due_work_v2(p_grace_ms integer, p_limit integer) RETURNS TABLE (kind text, tenant_id uuid, conversation_id uuid)
LANGUAGE plpgsql STABLE SET role = 'swarmgate_sweeper' AS $$
#variable_conflict use_column
DECLARE
  v_now timestamptz := clock_timestamp();
  v_before timestamptz := v_now - make_interval(secs => p_grace_ms / 1000.0);
BEGIN
  RETURN QUERY WITH RECURSIVE tenant (id) AS (
    (SELECT c.tenant_id FROM swarmgate.conversations c WHERE c.due_at IS NOT NULL ORDER BY c.tenant_id LIMIT 1)
    UNION ALL
    SELECT (SELECT c.tenant_id FROM swarmgate.conversations c WHERE c.due_at IS NOT NULL AND c.tenant_id > t.id
      ORDER BY c.tenant_id LIMIT 1) FROM tenant t WHERE t.id IS NOT NULL
  ) SELECT 'turn'::text, w.tenant_id, w.id FROM tenant t CROSS JOIN LATERAL (
      SELECT c.tenant_id, c.id, c.due_at, row_number() OVER (ORDER BY c.due_at) AS place FROM swarmgate.conversations c
        WHERE c.tenant_id = t.id AND c.due_at <= v_now AND (c.due_at <= v_before OR c.waiting_for = 'backoff')
          AND (c.lease_expires_at IS NULL OR c.lease_expires_at < v_now)
        ORDER BY c.due_at LIMIT p_limit) w
    ORDER BY w.place, w.due_at LIMIT p_limit;
  RETURN QUERY WITH RECURSIVE tenant (id) AS (
    (SELECT d.tenant_id FROM swarmgate.deliveries d WHERE d.due_at IS NOT NULL ORDER BY d.tenant_id LIMIT 1)
    UNION ALL
    SELECT (SELECT d.tenant_id FROM swarmgate.deliveries d WHERE d.due_at IS NOT NULL AND d.tenant_id > t.id
      ORDER BY d.tenant_id LIMIT 1) FROM tenant t WHERE t.id IS NOT NULL
  ) SELECT 'delivery'::text, w.tenant_id, w.conversation_id FROM tenant t CROSS JOIN LATERAL (
      SELECT d.tenant_id, d.conversation_id, d.due_at, row_number() OVER (ORDER BY d.due_at) AS place FROM swarmgate.deliveries d
        WHERE d.tenant_id = t.id AND d.due_at <= v_now AND (d.due_at <= v_before OR d.attempt > 0)
          AND (d.claim_expires_at IS NULL OR d.claim_expires_at < v_now)
          -- Only the first of a conversation may go: those behind one that waits are no work.
          AND NOT EXISTS (SELECT 1 FROM swarmgate.deliveries e
            WHERE e.tenant_id = d.tenant_id AND e.conversation_id = d.conversation_id
              AND e.state IN ('pending', 'sending') AND e.sequence < d.sequence)
        ORDER BY d.due_at LIMIT p_limit) w
    ORDER BY w.place, w.due_at LIMIT p_limit;
END $$;

-- ── the clock of a queue in this database ───────────────────────────────────────────────────────────────────────────

-- Gives wake-ups their priorities, in order. One that is charged starts when its tenant's last one has finished, by
-- virtual time, and moves that finish by its cost; one that is not starts now, behind those of its tenant beside it.
CREATE FUNCTION directory.assign_starts_v1(p_queue text, p_half bigint, p_horizon bigint, p_tenants uuid[], p_costs integer[], p_charged boolean[]) RETURNS integer[]
LANGUAGE plpgsql SET role = 'swarmgate_platform' AS $$
DECLARE
  i integer;
  v directory.fair_clocks;
  v_start bigint;
  v_beside jsonb := '{}';
  v_priorities integer[] := '{}';
BEGIN
  INSERT INTO directory.fair_clocks (queue) VALUES (p_queue) ON CONFLICT DO NOTHING;
  SELECT * INTO v FROM directory.fair_clocks c WHERE c.queue = p_queue FOR UPDATE;
  FOR i IN SELECT generate_subscripts(p_tenants, 1) LOOP
    IF p_charged[i] THEN
      SELECT f.finish INTO v_start FROM directory.fair_finishes f WHERE f.queue = p_queue AND f.tenant_id = p_tenants[i];
      v_start := least(greatest(coalesce(v_start, 0), v.virtual), v.virtual + p_horizon);
      INSERT INTO directory.fair_finishes AS f (queue, tenant_id, finish)
        SELECT p_queue, t.id, v_start + p_costs[i] FROM directory.tenants t WHERE t.id = p_tenants[i]
        ON CONFLICT (queue, tenant_id) DO UPDATE SET finish = EXCLUDED.finish;
    ELSE
      v_start := v.virtual + coalesce((v_beside ->> p_tenants[i]::text)::bigint, 0);
      v_beside := v_beside || jsonb_build_object(p_tenants[i], v_start - v.virtual + p_costs[i]);
    END IF;
    v_priorities := v_priorities || least(v_start - v.base + 1, 2 * p_half - 1)::integer;
  END LOOP;
  RETURN v_priorities;
END $$;

-- Virtual time goes on to the start of what was begun. Half-way through the range of priorities the base is raised, once
-- those that wait have been moved since the last time.
CREATE FUNCTION directory.advance_clock_v1(p_queue text, p_half bigint, p_moved_below bigint, p_priority integer) RETURNS void
LANGUAGE plpgsql SET role = 'swarmgate_platform' AS $$
BEGIN
  UPDATE directory.fair_clocks c SET virtual = s.start,
      base = CASE WHEN s.start - c.base >= p_half AND NOT c.moving THEN c.base + p_half ELSE c.base END,
      moving = c.moving OR s.start - c.base >= p_half
    FROM (SELECT k.base + p_priority - 1 - CASE WHEN k.moving AND p_priority > p_moved_below THEN p_half ELSE 0 END AS start
      FROM directory.fair_clocks k WHERE k.queue = p_queue) s
    WHERE c.queue = p_queue AND c.virtual < s.start;
  IF FOUND THEN
    DELETE FROM directory.fair_finishes f USING directory.fair_clocks c
      WHERE c.queue = p_queue AND f.queue = p_queue AND f.finish <= c.virtual;
  END IF;
END $$;

-- Charges a tenant for what one of its wake-ups was served beyond its first turn.
CREATE FUNCTION directory.charge_v1(p_queue text, p_tenant uuid, p_cost integer) RETURNS void
LANGUAGE plpgsql SET role = 'swarmgate_platform' AS $$
BEGIN
  INSERT INTO directory.fair_finishes AS f (queue, tenant_id, finish)
    SELECT p_queue, t.id, c.virtual + p_cost FROM directory.tenants t, directory.fair_clocks c WHERE t.id = p_tenant AND c.queue = p_queue
    ON CONFLICT (queue, tenant_id) DO UPDATE SET finish = f.finish + p_cost;
END $$;

-- Whether jobs that wait are to be moved since the base was raised; p_moved says that they have been.
CREATE FUNCTION directory.clock_moving_v1(p_queue text, p_moved boolean) RETURNS boolean
LANGUAGE plpgsql SET role = 'swarmgate_platform' AS $$
BEGIN
  IF p_moved THEN
    UPDATE directory.fair_clocks c SET moving = false WHERE c.queue = p_queue;
  END IF;
  RETURN coalesce((SELECT c.moving FROM directory.fair_clocks c WHERE c.queue = p_queue), false);
END $$;

-- Two releases old: nobody calls it any more.
DROP FUNCTION swarmgate.receive_messages_v1(uuid[], uuid[], uuid[], text[], uuid[], text[], boolean[], text[], uuid[], text[], text[], text[], text[], uuid[]);

REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA swarmgate, directory FROM PUBLIC;
GRANT EXECUTE ON FUNCTION
  swarmgate.receive_messages_v3(uuid[], uuid[], uuid[], text[], uuid[], text[], boolean[], text[], uuid[], text[], text[], text[], text[], uuid[], text[]),
  swarmgate.retry_turn_v2(uuid, uuid, bigint, uuid, integer, boolean, text, text),
  swarmgate.give_slots_v1(uuid),
  swarmgate.waiting_tenants_v1(),
  swarmgate.due_work_v2(integer, integer),
  directory.assign_starts_v1(text, bigint, bigint, uuid[], integer[], boolean[]),
  directory.advance_clock_v1(text, bigint, bigint, integer),
  directory.charge_v1(text, uuid, integer),
  directory.clock_moving_v1(text, boolean)
  TO swarmgate_service;
GRANT EXECUTE ON FUNCTION
  swarmgate.turn_terms(uuid), swarmgate.free_slots(uuid, uuid), swarmgate.take_slot(uuid, uuid), swarmgate.give_slots(uuid, integer)
  TO swarmgate_tenant;
