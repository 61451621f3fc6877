-- What many conversations need at the same moment goes in one statement and one commit. What 0005_hot_path says of its
-- functions holds here; of a batch, it holds for each item by itself: the tenant is set before anything of it is looked at.
--
-- A batch waits for no row of a conversation: one that somebody else has locked is answered as busy, and its caller asks
-- for it alone, by the function that waits. So a batch cannot deadlock with one that goes in another order.

-- A body is checked under the role that its function steps into, which may not call a function that was there before.
SET LOCAL check_function_bodies = off;

-- A tenant's own policy names the setting itself: as a subquery it costs each statement a plan node of its own for every
-- table, an eighth of the whole journey.
CREATE OR REPLACE FUNCTION swarmgate.enable_tenant_rls(target regclass, report_columns text DEFAULT NULL) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', target);
  EXECUTE format('ALTER TABLE %s FORCE ROW LEVEL SECURITY', target);
  EXECUTE format('CREATE POLICY own_tenant ON %s TO swarmgate_tenant
    USING (tenant_id = swarmgate.current_tenant()) WITH CHECK (tenant_id = swarmgate.current_tenant())', target);
  EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %s TO swarmgate_tenant', target);
  IF report_columns IS NOT NULL THEN
    EXECUTE format('CREATE POLICY own_organization ON %s FOR SELECT TO swarmgate_organization
      USING (tenant_id IN (SELECT id FROM directory.tenants WHERE organization_id = (SELECT swarmgate.current_organization())))', target);
    EXECUTE format('GRANT SELECT (%s) ON %s TO swarmgate_organization', report_columns, target);
  END IF;
END $$;
DO $$
DECLARE
  r record;
BEGIN
  FOR r IN SELECT p.schemaname, p.tablename FROM pg_policies p WHERE p.policyname = 'own_tenant' AND p.schemaname = 'swarmgate' LOOP
    EXECUTE format('ALTER POLICY own_tenant ON %I.%I USING (tenant_id = swarmgate.current_tenant()) WITH CHECK (tenant_id = swarmgate.current_tenant())',
      r.schemaname, r.tablename);
  END LOOP;
END $$;

-- Which workers live. What one has claimed is free once it is known to be dead, and not only when the claim runs out, which
-- has to be as long as a platform may take. A worker stops sending when its time is up by its own clock; two seconds more are
-- for what it sent last. A holder that is not here is older than this table, and counts as alive.
CREATE TABLE directory.workers (
  holder text PRIMARY KEY,
  alive_until timestamptz NOT NULL
);
ALTER TABLE directory.workers ENABLE ROW LEVEL SECURITY;
ALTER TABLE directory.workers FORCE ROW LEVEL SECURITY;
CREATE POLICY platform ON directory.workers TO swarmgate_platform USING (true) WITH CHECK (true);
CREATE POLICY everybody ON directory.workers FOR SELECT TO swarmgate_tenant, swarmgate_sweeper USING (true);
GRANT SELECT, INSERT, UPDATE, DELETE ON directory.workers TO swarmgate_platform;
GRANT SELECT ON directory.workers TO swarmgate_tenant, swarmgate_sweeper;

-- Says that a worker will be alive for so long; 0: that it has ended. Those that have been dead for a day are forgotten.
CREATE FUNCTION directory.keep_alive_v1(p_holder text, p_ms integer) RETURNS void
LANGUAGE plpgsql SET role = 'swarmgate_platform' AS $$
BEGIN
  INSERT INTO directory.workers AS w (holder, alive_until) VALUES (p_holder, clock_timestamp() + make_interval(secs => p_ms / 1000.0))
    ON CONFLICT (holder) DO UPDATE SET alive_until = EXCLUDED.alive_until;
  DELETE FROM directory.workers w WHERE w.alive_until < clock_timestamp() - interval '1 day';
END $$;

-- A row is looked for by its tenant and its id. No other index may begin with the tenant: while a table is small every index
-- that does costs the same, a plan that reads all rows of the tenant is as likely as the right one, and it is kept when the
-- tenant has a million. (The embedded database never learns better: nothing analyzes it.) Ids name one row of all tenants, so
-- these serve as well the other way round.
ALTER TABLE swarmgate.participants DROP CONSTRAINT participants_tenant_id_channel_id_external_id_key,
  ADD CONSTRAINT participants_channel_id_external_id_tenant_id_key UNIQUE (channel_id, external_id, tenant_id);
ALTER TABLE swarmgate.conversations DROP CONSTRAINT conversations_tenant_id_channel_id_external_id_key,
  ADD CONSTRAINT conversations_channel_id_external_id_tenant_id_key UNIQUE (channel_id, external_id, tenant_id);
ALTER TABLE swarmgate.messages DROP CONSTRAINT messages_tenant_id_conversation_id_sequence_key,
  DROP CONSTRAINT messages_tenant_id_conversation_id_revision_key,
  ADD CONSTRAINT messages_conversation_id_sequence_tenant_id_key UNIQUE (conversation_id, sequence, tenant_id),
  ADD CONSTRAINT messages_conversation_id_revision_tenant_id_key UNIQUE (conversation_id, revision, tenant_id);
ALTER TABLE swarmgate.turns DROP CONSTRAINT turns_tenant_id_message_id_key,
  ADD CONSTRAINT turns_message_id_tenant_id_key UNIQUE (message_id, tenant_id);
ALTER TABLE swarmgate.deliveries DROP CONSTRAINT deliveries_tenant_id_message_id_key,
  ADD CONSTRAINT deliveries_message_id_tenant_id_key UNIQUE (message_id, tenant_id);
DROP INDEX swarmgate.conversation_references_latest_idx;
CREATE INDEX conversation_references_latest_idx ON swarmgate.conversation_references (channel_id, updated_at DESC, tenant_id);
DROP INDEX swarmgate.consent_entries_latest_idx;
CREATE INDEX consent_entries_latest_idx ON swarmgate.consent_entries (sender, recipient, created_at DESC, id DESC, tenant_id);
DROP INDEX swarmgate.files_tenant_id_message_id_idx;
CREATE INDEX files_message_id_tenant_id_idx ON swarmgate.files (message_id, tenant_id);
DROP INDEX swarmgate.delivery_parts_tenant_id_external_id_idx;
CREATE INDEX delivery_parts_external_id_tenant_id_idx ON swarmgate.delivery_parts (external_id, tenant_id);
-- A conversation's row changes with each message, and then every index that holds what has changed: of a participant's
-- conversations the latest is sought among few.
DROP INDEX swarmgate.conversations_tenant_id_participant_id_last_message_at_idx;
CREATE INDEX conversations_participant_id_tenant_id_idx ON swarmgate.conversations (participant_id, tenant_id);

-- A conversation's row changes where it stands, as long as no index holds what has changed and its page has room.
ALTER TABLE swarmgate.conversations SET (fillfactor = 80);

-- A join of two such tables has the same choice, and even a lookup by the whole key becomes a filter in it: so one is looked
-- up for each row of the other. So has a lookup by the key that also asks for a state which a partial index is about: such a
-- state is asked for with coalesce(), which no index answers. And an id that is chosen by coalesce() is chosen before the
-- statement: under row-level security Postgres takes nothing into an index condition that it does not know to be discreet.
CREATE OR REPLACE FUNCTION swarmgate.record_status_v1(
  p_tenant uuid, p_channel uuid, p_delivery uuid, p_part integer, p_external_id text, p_state text, p_error_code text, p_segments integer
) RETURNS text LANGUAGE plpgsql SET role = 'swarmgate_tenant' SET lock_timeout = '2s' AS $$
DECLARE
  v_delivery uuid := p_delivery;
  v_part integer := p_part;
BEGIN
  PERFORM set_config('swarmgate.tenant_id', p_tenant::text, true);
  IF p_delivery IS NULL THEN
    SELECT x.delivery_id, x.number INTO v_delivery, v_part FROM swarmgate.delivery_parts x
      WHERE x.tenant_id = p_tenant AND x.external_id = p_external_id AND p_channel = (
        SELECT d.channel_id FROM swarmgate.deliveries d WHERE d.tenant_id = p_tenant AND d.id = x.delivery_id)
      LIMIT 1;
  END IF;
  PERFORM 1 FROM swarmgate.deliveries d
    WHERE d.tenant_id = p_tenant AND d.id = v_delivery AND d.channel_id = p_channel FOR UPDATE;
  IF NOT FOUND THEN
    RETURN 'unknown';
  END IF;
  INSERT INTO swarmgate.delivery_parts AS x (tenant_id, delivery_id, number, external_id, state, error_code, segments)
    VALUES (p_tenant, v_delivery, v_part, p_external_id, p_state, p_error_code, p_segments)
    ON CONFLICT (tenant_id, delivery_id, number) DO UPDATE
      SET state = EXCLUDED.state, error_code = EXCLUDED.error_code, segments = coalesce(EXCLUDED.segments, x.segments),
        updated_at = clock_timestamp()
      WHERE x.external_id = EXCLUDED.external_id
        AND ((x.state = 'sent' AND EXCLUDED.state <> 'sent') OR (x.state = 'delivered' AND EXCLUDED.state = 'read'));
  IF NOT FOUND THEN
    RETURN 'unchanged';
  END IF;
  PERFORM swarmgate.settle_delivery(p_tenant, v_delivery);
  RETURN 'recorded';
END $$;

CREATE OR REPLACE FUNCTION swarmgate.latest_conversation_v1(p_tenant uuid, p_channel uuid, p_participant_key text) RETURNS uuid
LANGUAGE plpgsql STABLE SET role = 'swarmgate_tenant' AS $$
DECLARE
  v_participant uuid;
  v uuid;
BEGIN
  PERFORM set_config('swarmgate.tenant_id', p_tenant::text, true);
  SELECT p.id INTO v_participant FROM swarmgate.participants p
    WHERE p.tenant_id = p_tenant AND p.channel_id = p_channel AND p.external_id = p_participant_key;
  SELECT c.id INTO v FROM swarmgate.conversations c WHERE c.tenant_id = p_tenant AND c.participant_id = v_participant
    ORDER BY c.last_message_at DESC NULLS LAST LIMIT 1;
  RETURN v;
END $$;

-- What a tenant's plan gives it, or what it was given itself, and whether it may run here at all. In PL/pgSQL, because SQL
-- functions are planned at each call.
DROP FUNCTION swarmgate.turn_terms(uuid);
CREATE FUNCTION swarmgate.turn_terms(p_tenant uuid, OUT weight integer, OUT running_max integer, OUT runs boolean)
LANGUAGE plpgsql STABLE AS $$
BEGIN
  SELECT coalesce(p.weight, f.weight), coalesce(t.running_turns_max, p.running_turns_max, f.running_turns_max),
      t.status = 'active' AND h.cell IS NOT NULL
    INTO weight, running_max, runs
    FROM directory.tenants t
    LEFT JOIN swarmgate.this_cell h ON h.cell = t.cell
    JOIN directory.organizations o ON o.id = t.organization_id
    JOIN directory.plans f ON f.name = 'free'
    LEFT JOIN directory.plans p ON p.name = o.plan
    WHERE t.id = p_tenant;
END $$;

-- ── receiving ───────────────────────────────────────────────────────────────────────────────────────────────────────

CREATE TYPE swarmgate.received AS (
  ordinal integer, outcome text, conversation_id uuid, message_id uuid, sequence bigint, created_at timestamptz,
  weight integer, became_due boolean, sqlstate_of_failure text, failure text
);

-- Takes one verified inbound message, as receive_messages_v3 says.
CREATE FUNCTION swarmgate.receive_message(
  p_ordinal integer, p_tenant uuid, p_channel uuid, p_conversation uuid, p_conversation_key text,
  p_participant uuid, p_participant_key text, p_participant_verified boolean, p_profile text,
  p_message uuid, p_key text, p_client_id text, p_text text, p_content text, p_turn uuid, p_extra text
) RETURNS swarmgate.received LANGUAGE plpgsql AS $$
DECLARE
  v swarmgate.received;
  v_extra jsonb := p_extra::jsonb;
  v_needs_answer boolean := coalesce((v_extra ->> 'needsAnswer')::boolean, true);
  v_runs boolean;
  v_participant uuid;
  v_is_new boolean;
  v_was_due boolean := false;
  v_last bigint;
  v_at timestamptz(3) := clock_timestamp();
BEGIN
  PERFORM set_config('swarmgate.tenant_id', p_tenant::text, true);
  v.ordinal := p_ordinal;
  v.became_due := false;
  SELECT t.status = 'active', coalesce(p.weight, 1) INTO v_runs, v.weight FROM directory.tenants t
    JOIN swarmgate.this_cell h ON h.cell = t.cell
    JOIN directory.organizations o ON o.id = t.organization_id
    LEFT JOIN directory.plans p ON p.name = o.plan
    WHERE t.id = p_tenant;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'tenant % is not in this cell', p_tenant USING ERRCODE = 'SG001';
  END IF;

  SELECT c.id, c.next_sequence, c.due_at IS NOT NULL INTO v.conversation_id, v.sequence, v_was_due FROM swarmgate.conversations c
    WHERE c.tenant_id = p_tenant AND c.channel_id = p_channel AND c.external_id = p_conversation_key FOR UPDATE;
  v_is_new := NOT FOUND;
  IF v_is_new AND (v_extra ->> 'onlyIfKnown')::boolean THEN
    v.outcome := 'ignored';
    RETURN v;
  END IF;

  SELECT p.id INTO v_participant FROM swarmgate.participants p
    WHERE p.tenant_id = p_tenant AND p.channel_id = p_channel AND p.external_id = p_participant_key;
  IF NOT FOUND THEN
    INSERT INTO swarmgate.participants AS p (tenant_id, id, channel_id, external_id, verified, profile)
      VALUES (p_tenant, p_participant, p_channel, p_participant_key, p_participant_verified, p_profile::jsonb)
      ON CONFLICT (tenant_id, channel_id, external_id) DO UPDATE SET updated_at = now()
      RETURNING p.id INTO v_participant;
  END IF;

  -- Most conversations begin with a message that is to be answered: it is written as it stands in the end.
  IF v_is_new THEN
    INSERT INTO swarmgate.conversations (tenant_id, id, channel_id, participant_id, external_id, next_sequence, last_message_at, due_at, waiting_for)
      VALUES (p_tenant, p_conversation, p_channel, v_participant, p_conversation_key, 2, v_at,
        CASE WHEN v_needs_answer AND v_runs THEN clock_timestamp() END, CASE WHEN v_needs_answer AND NOT v_runs THEN 'suspension' END)
      ON CONFLICT (tenant_id, channel_id, external_id) DO NOTHING;
    IF FOUND THEN
      v.conversation_id := p_conversation;
      v.sequence := 1;
    ELSE
      v_is_new := false;
      SELECT c.id, c.next_sequence, c.due_at IS NOT NULL INTO STRICT v.conversation_id, v.sequence, v_was_due FROM swarmgate.conversations c
        WHERE c.tenant_id = p_tenant AND c.channel_id = p_channel AND c.external_id = p_conversation_key FOR UPDATE;
    END IF;
  END IF;

  INSERT INTO swarmgate.inbound_keys (tenant_id, channel_id, key, conversation_id, message_id, sequence, created_at)
    VALUES (p_tenant, p_channel, p_key, v.conversation_id, p_message, v.sequence, v_at)
    ON CONFLICT (tenant_id, channel_id, key) DO NOTHING;
  IF NOT FOUND THEN
    -- It came in another conversation, and this one is not begun.
    IF v_is_new THEN
      DELETE FROM swarmgate.conversations c WHERE c.tenant_id = p_tenant AND c.id = p_conversation;
    END IF;
    SELECT k.conversation_id, k.message_id, k.sequence, k.created_at INTO v.conversation_id, v.message_id, v.sequence, v.created_at
      FROM swarmgate.inbound_keys k WHERE k.tenant_id = p_tenant AND k.channel_id = p_channel AND k.key = p_key;
    v.outcome := 'duplicate';
    RETURN v;
  END IF;

  INSERT INTO swarmgate.messages (tenant_id, id, conversation_id, sequence, revision, role, kind, participant_id, client_id, text, content, created_at)
    VALUES (p_tenant, p_message, v.conversation_id, v.sequence, v.sequence, 'visitor', coalesce(v_extra ->> 'kind', 'message'),
      v_participant, p_client_id, p_text, p_content::jsonb, v_at);
  IF v_needs_answer THEN
    INSERT INTO swarmgate.turns (tenant_id, id, conversation_id, message_id, sequence)
      VALUES (p_tenant, p_turn, v.conversation_id, p_message, v.sequence);
  END IF;
  v_last := v.sequence;
  IF v_extra IS NOT NULL THEN
    v_last := swarmgate.receive_extras(p_tenant, p_channel, v.conversation_id, p_message, v.sequence, v_extra);
  END IF;
  IF v_is_new AND v_last = 1 THEN
    v.became_due := v_needs_answer AND v_runs;
  ELSE
    UPDATE swarmgate.conversations c SET
      next_sequence = v_last + 1,
      last_message_at = v_at,
      status = 'open',
      waiting_for = CASE WHEN NOT v_needs_answer THEN c.waiting_for
        WHEN NOT v_runs THEN 'suspension' ELSE nullif(c.waiting_for, 'suspension') END,
      due_at = CASE
        WHEN NOT v_needs_answer THEN c.due_at
        WHEN NOT v_runs THEN NULL
        WHEN c.waiting_for IS NULL OR c.waiting_for = 'suspension' THEN coalesce(c.due_at, clock_timestamp())
        ELSE c.due_at END
      WHERE c.tenant_id = p_tenant AND c.id = v.conversation_id
      RETURNING c.due_at IS NOT NULL AND NOT v_was_due INTO v.became_due;
  END IF;

  v.outcome := 'received';
  v.message_id := p_message;
  v.created_at := v_at;
  RETURN v;
END $$;

-- As receive_messages_v3, in one go. Only when one of them fails does each get a savepoint of its own, so that it hurts
-- nobody else.
CREATE FUNCTION swarmgate.receive_messages_v4(
  p_tenants uuid[], p_channels uuid[], p_conversations uuid[], p_conversation_keys text[],
  p_participants uuid[], p_participant_keys text[], p_participant_verified boolean[], p_profiles text[],
  p_messages uuid[], p_keys text[], p_client_ids text[], p_texts text[], p_contents text[], p_turns uuid[], p_extras text[]
) RETURNS SETOF swarmgate.received
LANGUAGE plpgsql SET role = 'swarmgate_tenant' SET lock_timeout = '2s' SET plan_cache_mode = 'force_generic_plan' AS $$
DECLARE
  i integer;
  v_all swarmgate.received[] := '{}';
  v swarmgate.received;
BEGIN
  BEGIN
    -- Together they wait for nobody for long.
    PERFORM set_config('lock_timeout', '300ms', true);
    FOR i IN SELECT n FROM generate_subscripts(p_tenants, 1) n ORDER BY p_tenants[n], p_channels[n], p_conversation_keys[n], n LOOP
      v_all := v_all || swarmgate.receive_message(i, p_tenants[i], p_channels[i], p_conversations[i], p_conversation_keys[i],
        p_participants[i], p_participant_keys[i], p_participant_verified[i], p_profiles[i],
        p_messages[i], p_keys[i], p_client_ids[i], p_texts[i], p_contents[i], p_turns[i], p_extras[i]);
    END LOOP;
    RETURN QUERY SELECT (unnest(v_all)).*;
    RETURN;
  EXCEPTION WHEN OTHERS THEN NULL; -- what was set in it is undone
  END;
  FOR i IN SELECT n FROM generate_subscripts(p_tenants, 1) n ORDER BY p_tenants[n], p_channels[n], p_conversation_keys[n], n LOOP
    BEGIN
      v := swarmgate.receive_message(i, p_tenants[i], p_channels[i], p_conversations[i], p_conversation_keys[i],
        p_participants[i], p_participant_keys[i], p_participant_verified[i], p_profiles[i],
        p_messages[i], p_keys[i], p_client_ids[i], p_texts[i], p_contents[i], p_turns[i], p_extras[i]);
    EXCEPTION WHEN OTHERS THEN
      v := ROW(i, 'failed', NULL, NULL, NULL, NULL, NULL, false, SQLSTATE, SQLERRM);
    END;
    RETURN NEXT v;
  END LOOP;
END $$;

-- ── answering ───────────────────────────────────────────────────────────────────────────────────────────────────────

-- How many more turns a tenant may begin beside those of one conversation. What runs is counted up to the ceiling only.
CREATE FUNCTION swarmgate.free_slots(p_tenant uuid, p_beside uuid, p_max integer) RETURNS integer LANGUAGE plpgsql AS $$
BEGIN
  RETURN p_max - (SELECT count(*) FROM (
    SELECT FROM swarmgate.turns t WHERE t.tenant_id = p_tenant AND t.state = 'running' AND t.conversation_id IS DISTINCT FROM p_beside
      LIMIT p_max) r);
END $$;
DROP FUNCTION swarmgate.free_slots(uuid, uuid);

-- Whether a conversation may begin a turn now. Far below the ceiling nobody waits for anybody; near it, or with many at once,
-- beginnings of one tenant come one after the other, so that the count holds. What was asked to stop needs no slot.
CREATE FUNCTION swarmgate.take_slot(p_tenant uuid, p_conversation uuid, p_max integer, p_many boolean) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
  v_free integer;
BEGIN
  IF NOT p_many THEN
    v_free := swarmgate.free_slots(p_tenant, p_conversation, p_max);
  END IF;
  IF p_many OR v_free BETWEEN 1 AND 16 THEN
    PERFORM pg_advisory_xact_lock(hashtextextended('swarmgate/slots/' || p_tenant, 0));
    v_free := swarmgate.free_slots(p_tenant, p_conversation, p_max);
  END IF;
  IF v_free > 0 THEN
    RETURN true;
  END IF;
  RETURN EXISTS (SELECT 1 FROM swarmgate.turns t
    WHERE t.tenant_id = p_tenant AND t.conversation_id = p_conversation AND t.state IN ('pending', 'running', 'waiting')
      AND t.cancel_requested_at IS NOT NULL
      AND NOT EXISTS (SELECT 1 FROM swarmgate.turns e WHERE e.tenant_id = p_tenant AND e.conversation_id = p_conversation
        AND e.state IN ('pending', 'running', 'waiting') AND e.sequence < t.sequence));
END $$;
DROP FUNCTION swarmgate.take_slot(uuid, uuid);

-- As before.
CREATE OR REPLACE FUNCTION swarmgate.give_slots(p_tenant uuid, p_limit integer) RETURNS uuid[] LANGUAGE plpgsql AS $$
DECLARE
  v_free integer;
  v_given uuid[] := '{}';
  v_id uuid;
BEGIN
  PERFORM 1 FROM swarmgate.conversations c WHERE c.tenant_id = p_tenant AND c.waiting_for = 'slot' LIMIT 1;
  IF NOT FOUND THEN
    RETURN '{}';
  END IF;
  v_free := least(swarmgate.free_slots(p_tenant, NULL, (SELECT w.running_max FROM swarmgate.turn_terms(p_tenant) w)), p_limit);
  FOR v_id IN SELECT c.id FROM swarmgate.conversations c WHERE c.tenant_id = p_tenant AND c.waiting_for = 'slot'
      ORDER BY c.waiting_since LIMIT greatest(v_free, 0) FOR UPDATE SKIP LOCKED LOOP
    UPDATE swarmgate.conversations c SET due_at = clock_timestamp(), waiting_for = NULL WHERE c.tenant_id = p_tenant AND c.id = v_id;
    v_given := v_given || v_id;
  END LOOP;
  RETURN v_given;
END $$;

-- Takes the lease of a conversation that is due (only if nobody holds it) and begins its next turn. NULL: nothing to do,
-- or the tenant runs as many turns as it may, and the conversation waits for a slot. The caller has its row. p_many: others of
-- the tenant begin in the same transaction.
CREATE FUNCTION swarmgate.begin_turn(p_tenant uuid, p_conversation uuid, p_holder text, p_lease_ms integer, p_history_max integer, p_many boolean) RETURNS json
LANGUAGE plpgsql AS $$
DECLARE
  v_fence bigint;
  v_terms record;
BEGIN
  v_terms := swarmgate.turn_terms(p_tenant);
  IF v_terms.runs IS NOT TRUE THEN
    UPDATE swarmgate.conversations c SET due_at = NULL, waiting_for = 'suspension'
      WHERE c.tenant_id = p_tenant AND c.id = p_conversation AND c.due_at IS NOT NULL;
    RETURN NULL;
  END IF;
  UPDATE swarmgate.conversations c SET
      lease_number = c.lease_number + 1, lease_holder = p_holder, waiting_for = NULL,
      lease_expires_at = clock_timestamp() + make_interval(secs => p_lease_ms / 1000.0)
    WHERE c.tenant_id = p_tenant AND c.id = p_conversation
      AND coalesce(c.due_at <= clock_timestamp(), false) AND coalesce(c.lease_expires_at <= clock_timestamp(), true)
    RETURNING c.lease_number INTO v_fence;
  IF NOT FOUND THEN
    RETURN NULL;
  END IF;
  IF NOT swarmgate.take_slot(p_tenant, p_conversation, v_terms.running_max, p_many) THEN
    UPDATE swarmgate.conversations c SET due_at = NULL, waiting_for = 'slot', waiting_since = coalesce(c.waiting_since, clock_timestamp()),
        lease_holder = NULL, lease_expires_at = NULL
      WHERE c.tenant_id = p_tenant AND c.id = p_conversation;
    RETURN NULL;
  END IF;
  RETURN swarmgate.next_turn(p_tenant, p_conversation, v_fence, p_history_max, v_terms.weight);
END $$;

-- As before: waits for the conversation's row.
CREATE OR REPLACE FUNCTION swarmgate.begin_turn_v1(p_tenant uuid, p_conversation uuid, p_holder text, p_lease_ms integer, p_history_max integer) RETURNS jsonb
LANGUAGE plpgsql SET role = 'swarmgate_tenant' AS $$
BEGIN
  PERFORM set_config('swarmgate.tenant_id', p_tenant::text, true);
  PERFORM 1 FROM swarmgate.conversations c WHERE c.tenant_id = p_tenant AND c.id = p_conversation FOR UPDATE;
  RETURN swarmgate.begin_turn(p_tenant, p_conversation, p_holder, p_lease_ms, p_history_max, false)::jsonb;
END $$;

-- Begins the turns of a batch of conversations. One row an item: what begin_turn_v1 answers, or `busy`.
CREATE FUNCTION swarmgate.begin_turns_v1(p_tenants uuid[], p_conversations uuid[], p_holder text, p_lease_ms integer, p_history_max integer)
RETURNS TABLE (ordinal integer, busy boolean, result json)
LANGUAGE plpgsql SET role = 'swarmgate_tenant' SET plan_cache_mode = 'force_generic_plan' AS $$
BEGIN
  FOR ordinal IN SELECT n FROM generate_subscripts(p_tenants, 1) n ORDER BY p_tenants[n], p_conversations[n], n LOOP
    PERFORM set_config('swarmgate.tenant_id', p_tenants[ordinal]::text, true);
    PERFORM 1 FROM swarmgate.conversations c WHERE c.tenant_id = p_tenants[ordinal] AND c.id = p_conversations[ordinal] FOR UPDATE SKIP LOCKED;
    busy := NOT FOUND;
    result := CASE WHEN NOT busy THEN
      swarmgate.begin_turn(p_tenants[ordinal], p_conversations[ordinal], p_holder, p_lease_ms, p_history_max,
        (SELECT count(*) FROM unnest(p_tenants) t (id) WHERE t.id = p_tenants[ordinal]) > 1) END;
    RETURN NEXT;
  END LOOP;
END $$;

-- Ends the turns of a batch, each as commit_turn_v1 does, and begins to deliver: with p_claims, a new answer that has no
-- other one of its conversation before it is claimed in the same commit. One row an item: `busy`, or NULL when the lease is
-- lost, or { next, slots, delivery }, where `delivery` is { deliveryId, createdAtMs, lastInboundAtMs } of what was claimed:
-- its first claim and first attempt.
CREATE FUNCTION swarmgate.commit_turns_v1(
  p_tenants uuid[], p_conversations uuid[], p_fences bigint[], p_turns uuid[], p_states text[],
  p_messages uuid[], p_deliveries uuid[], p_roles text[], p_texts text[], p_contents text[],
  p_models text[], p_usages text[], p_error_codes text[], p_error_messages text[],
  p_events uuid[], p_nexts boolean[], p_claims boolean[],
  p_lease_ms integer, p_history_max integer, p_holder text, p_claim_ms integer
) RETURNS TABLE (ordinal integer, busy boolean, result json)
LANGUAGE plpgsql SET role = 'swarmgate_tenant' SET plan_cache_mode = 'force_generic_plan' AS $$
BEGIN
  FOR ordinal IN SELECT n FROM generate_subscripts(p_tenants, 1) n ORDER BY p_tenants[n], p_conversations[n], n LOOP
    PERFORM set_config('swarmgate.tenant_id', p_tenants[ordinal]::text, true);
    PERFORM 1 FROM swarmgate.conversations c WHERE c.tenant_id = p_tenants[ordinal] AND c.id = p_conversations[ordinal] FOR UPDATE SKIP LOCKED;
    busy := NOT FOUND;
    result := CASE WHEN NOT busy THEN
      swarmgate.commit_turn(p_tenants[ordinal], p_conversations[ordinal], p_fences[ordinal], p_turns[ordinal], p_states[ordinal],
        p_messages[ordinal], p_deliveries[ordinal], p_roles[ordinal], p_texts[ordinal], p_contents[ordinal],
        p_models[ordinal], p_usages[ordinal], p_error_codes[ordinal], p_error_messages[ordinal],
        p_events[ordinal], p_nexts[ordinal], p_claims[ordinal], p_lease_ms, p_history_max, p_holder, p_claim_ms) END;
    RETURN NEXT;
  END LOOP;
END $$;

-- As before: waits for the conversation's row, and claims no delivery.
CREATE OR REPLACE FUNCTION swarmgate.commit_turn_v1(
  p_tenant uuid, p_conversation uuid, p_fence bigint, p_turn uuid, p_state text,
  p_message uuid, p_delivery uuid, p_role text, p_text text, p_content text,
  p_model text, p_usage text, p_error_code text, p_error_message text,
  p_event uuid, p_next boolean, p_lease_ms integer, p_history_max integer
) RETURNS jsonb LANGUAGE plpgsql SET role = 'swarmgate_tenant' AS $$
BEGIN
  PERFORM set_config('swarmgate.tenant_id', p_tenant::text, true);
  PERFORM 1 FROM swarmgate.conversations c WHERE c.tenant_id = p_tenant AND c.id = p_conversation FOR UPDATE;
  RETURN swarmgate.commit_turn(p_tenant, p_conversation, p_fence, p_turn, p_state, p_message, p_delivery, p_role, p_text, p_content,
    p_model, p_usage, p_error_code, p_error_message, p_event, p_next, false, p_lease_ms, p_history_max, NULL, 0)::jsonb;
END $$;

-- When anybody last wrote in a conversation, in milliseconds; NULL: nobody has.
CREATE FUNCTION swarmgate.last_inbound_ms(p_tenant uuid, p_conversation uuid) RETURNS numeric LANGUAGE plpgsql STABLE AS $$
BEGIN
  RETURN (SELECT round(extract(epoch FROM i.created_at) * 1000) FROM swarmgate.messages i
    WHERE i.tenant_id = p_tenant AND i.conversation_id = p_conversation AND i.role = 'visitor' AND i.kind IN ('message', 'action')
    ORDER BY i.sequence DESC LIMIT 1);
END $$;

-- Ends a turn. NULL: the lease is lost, nothing was written. The caller has the conversation's row.
CREATE FUNCTION swarmgate.commit_turn(
  p_tenant uuid, p_conversation uuid, p_fence bigint, p_turn uuid, p_state text,
  p_message uuid, p_delivery uuid, p_role text, p_text text, p_content text,
  p_model text, p_usage text, p_error_code text, p_error_message text,
  p_event uuid, p_next boolean, p_claim boolean, p_lease_ms integer, p_history_max integer, p_holder text, p_claim_ms integer
) RETURNS json LANGUAGE plpgsql AS $$
DECLARE
  v_usage jsonb := p_usage::jsonb;
  v_now timestamptz := clock_timestamp();
  v_question uuid;
  v_draft uuid;
  v_channel uuid;
  v_sequence bigint;
  v_is_next boolean;
  v_claims boolean := false;
  v_next json;
  v_slots uuid[] := '{}';
BEGIN
  SELECT t.message_id, t.reply_message_id,
      EXISTS (SELECT 1 FROM swarmgate.turns n WHERE n.tenant_id = p_tenant AND n.conversation_id = p_conversation
        AND n.state IN ('pending', 'running', 'waiting') AND n.id <> p_turn)
    INTO v_question, v_draft, v_is_next
    FROM swarmgate.turns t WHERE t.tenant_id = p_tenant AND t.id = p_turn AND coalesce(t.state = 'running', false) AND t.fence = p_fence;
  IF NOT FOUND THEN
    RETURN NULL;
  END IF;
  -- Whoever goes on with the next one keeps the lease.
  UPDATE swarmgate.conversations c SET next_sequence = c.next_sequence + 1, last_message_at = v_now,
      lease_holder = CASE WHEN v_is_next AND p_next THEN c.lease_holder END,
      lease_expires_at = CASE WHEN v_is_next AND p_next THEN v_now + make_interval(secs => p_lease_ms / 1000.0) END,
      due_at = CASE WHEN v_is_next THEN coalesce(c.due_at, v_now) END,
      waiting_for = CASE WHEN v_is_next THEN c.waiting_for END,
      waiting_since = CASE WHEN v_is_next AND p_next THEN c.waiting_since END
    WHERE c.tenant_id = p_tenant AND c.id = p_conversation AND c.lease_number = p_fence AND c.lease_expires_at > v_now
    RETURNING c.next_sequence - 1, c.channel_id INTO v_sequence, v_channel;
  IF NOT FOUND THEN
    RETURN NULL;
  END IF;

  IF v_draft IS NULL THEN
    v_claims := p_claim AND NOT EXISTS (SELECT 1 FROM swarmgate.deliveries d
      WHERE d.tenant_id = p_tenant AND d.conversation_id = p_conversation AND d.state IN ('pending', 'sending'));
    INSERT INTO swarmgate.messages (tenant_id, id, conversation_id, sequence, revision, role, in_reply_to_id, text, content, created_at)
      VALUES (p_tenant, p_message, p_conversation, v_sequence, v_sequence, p_role, v_question, p_text, p_content::jsonb, v_now);
    INSERT INTO swarmgate.deliveries (tenant_id, id, conversation_id, channel_id, message_id, sequence, state, due_at,
        attempt, claim_number, claim_holder, claim_expires_at)
      SELECT p_tenant, p_delivery, p_conversation, v_channel, p_message, v_sequence, CASE WHEN v_claims THEN 'sending' ELSE 'pending' END, v_now,
        v_claims::integer, v_claims::integer, CASE WHEN v_claims THEN p_holder END,
        CASE WHEN v_claims THEN v_now + make_interval(secs => p_claim_ms / 1000.0) END;
  ELSE
    UPDATE swarmgate.messages m SET state = 'final', sequence = v_sequence, revision = v_sequence, role = p_role,
        text = p_text, content = p_content::jsonb, created_at = v_now
      WHERE m.tenant_id = p_tenant AND m.id = v_draft;
    UPDATE swarmgate.deliveries d SET state = 'pending', sequence = v_sequence, due_at = v_now
      WHERE d.tenant_id = p_tenant AND d.message_id = v_draft;
  END IF;

  UPDATE swarmgate.turns t SET state = p_state, finished_at = v_now, reply_message_id = coalesce(v_draft, p_message),
      error_code = p_error_code, error_message = p_error_message, model = p_model,
      input_tokens = (v_usage ->> 'inputTokens')::integer, output_tokens = (v_usage ->> 'outputTokens')::integer,
      cached_input_tokens = (v_usage ->> 'cachedInputTokens')::integer, reasoning_tokens = (v_usage ->> 'reasoningTokens')::integer
    WHERE t.tenant_id = p_tenant AND t.id = p_turn;
  IF p_state = 'dead' THEN
    INSERT INTO swarmgate.events (tenant_id, id, kind, subject)
      VALUES (p_tenant, p_event, 'turn.dead', jsonb_build_object('conversationId', p_conversation, 'turnId', p_turn, 'error', p_error_code));
  END IF;

  IF p_next AND v_is_next THEN
    v_next := swarmgate.next_turn(p_tenant, p_conversation, p_fence, p_history_max, (SELECT w.weight FROM swarmgate.turn_terms(p_tenant) w));
  END IF;
  IF v_next IS NULL THEN
    v_slots := swarmgate.give_slots(p_tenant, 1);
  END IF;
  RETURN json_build_object('next', v_next, 'slots', to_json(v_slots), 'delivery', CASE WHEN v_claims THEN json_build_object(
    'deliveryId', p_delivery, 'createdAtMs', round(extract(epoch FROM v_now) * 1000),
    'lastInboundAtMs', swarmgate.last_inbound_ms(p_tenant, p_conversation)) END);
END $$;

-- The oldest unanswered message of a conversation that the caller holds; when there is none, the lease is given back.
CREATE FUNCTION swarmgate.next_turn(p_tenant uuid, p_conversation uuid, p_fence bigint, p_history_max integer, p_weight integer) RETURNS json
LANGUAGE plpgsql AS $$
DECLARE
  v_turn uuid;
  v_sequence bigint;
  v_was_begun boolean;
BEGIN
  SELECT o.id, o.sequence, o.started_at IS NOT NULL INTO v_turn, v_sequence, v_was_begun FROM swarmgate.turns o
    WHERE o.tenant_id = p_tenant AND o.conversation_id = p_conversation AND o.state IN ('pending', 'running', 'waiting')
    ORDER BY o.sequence LIMIT 1;
  IF NOT FOUND THEN
    UPDATE swarmgate.conversations c SET due_at = NULL, waiting_for = NULL, waiting_since = NULL, lease_holder = NULL, lease_expires_at = NULL
      WHERE c.tenant_id = p_tenant AND c.id = p_conversation;
    RETURN NULL;
  END IF;
  UPDATE swarmgate.turns t SET state = 'running', attempt = t.attempt + 1, fence = p_fence,
      started_at = coalesce(t.started_at, clock_timestamp())
    WHERE t.tenant_id = p_tenant AND t.id = v_turn;
  RETURN swarmgate.describe_turn(p_tenant, v_turn, p_weight,
    CASE WHEN v_sequence > 1 THEN swarmgate.history_before(p_tenant, p_conversation, v_sequence, p_history_max) ELSE '[]' END,
    CASE WHEN v_was_begun THEN swarmgate.steps_done(p_tenant, v_turn) ELSE '[]' END);
END $$;
DROP FUNCTION swarmgate.next_turn(uuid, uuid, bigint, integer);

-- What was said before a message, answers after what they answer.
CREATE FUNCTION swarmgate.history_before(p_tenant uuid, p_conversation uuid, p_sequence bigint, p_max integer) RETURNS json
LANGUAGE plpgsql STABLE AS $$
BEGIN
  RETURN coalesce((
    SELECT json_agg(json_build_object('role', h.role, 'text', h.text) ORDER BY h.place, h.sequence) FROM (
      SELECT * FROM (
        SELECT e.role, e.text, e.sequence, coalesce((SELECT q.sequence FROM swarmgate.messages q
            WHERE q.tenant_id = p_tenant AND q.id = e.in_reply_to_id), e.sequence) AS place
          FROM swarmgate.messages e
          WHERE e.tenant_id = p_tenant AND e.conversation_id = p_conversation AND e.kind IN ('message', 'action') AND e.state = 'final'
      ) said WHERE said.place < p_sequence ORDER BY said.sequence DESC LIMIT p_max) h), '[]');
END $$;

-- What earlier attempts at a turn have kept.
CREATE FUNCTION swarmgate.steps_done(p_tenant uuid, p_turn uuid) RETURNS json LANGUAGE plpgsql STABLE AS $$
BEGIN
  RETURN coalesce((
    SELECT json_agg(json_build_object('number', s.number, 'kind', s.kind, 'output', s.output) ORDER BY s.number)
      FROM swarmgate.turn_steps s WHERE s.tenant_id = p_tenant AND s.turn_id = p_turn AND s.state = 'done'), '[]');
END $$;

-- Everything a turn needs, as one document. Row by row, each by its whole key: in a join every table may be looked at by its
-- tenant alone, and a plan that was made while a tenant had a few rows is kept when it has a million.
CREATE FUNCTION swarmgate.describe_turn(p_tenant uuid, p_turn uuid, p_weight integer, p_history json, p_steps json) RETURNS json
LANGUAGE plpgsql STABLE AS $$
DECLARE
  t swarmgate.turns;
  m record;
  c record;
  p record;
  ch record;
  a swarmgate.agents;
  v_participant uuid;
  v_agent uuid;
BEGIN
  SELECT * INTO STRICT t FROM swarmgate.turns x WHERE x.tenant_id = p_tenant AND x.id = p_turn;
  SELECT x.id, x.text, x.content, x.participant_id INTO STRICT m FROM swarmgate.messages x WHERE x.tenant_id = p_tenant AND x.id = t.message_id;
  SELECT x.external_id, x.participant_id, x.channel_id, x.agent_id INTO STRICT c FROM swarmgate.conversations x
    WHERE x.tenant_id = p_tenant AND x.id = t.conversation_id;
  v_participant := coalesce(m.participant_id, c.participant_id);
  SELECT x.external_id INTO STRICT p FROM swarmgate.participants x WHERE x.tenant_id = p_tenant AND x.id = v_participant;
  SELECT x.id, x.platform, x.agent_id INTO STRICT ch FROM swarmgate.channels x WHERE x.tenant_id = p_tenant AND x.id = c.channel_id;
  v_agent := coalesce(c.agent_id, ch.agent_id);
  IF v_agent IS NOT NULL THEN
    SELECT * INTO a FROM swarmgate.agents x WHERE x.tenant_id = p_tenant AND x.id = v_agent;
  ELSE
    SELECT * INTO a FROM swarmgate.agents x WHERE x.tenant_id = p_tenant AND x.slug = 'default';
  END IF;
  RETURN json_build_object(
    'turnId', t.id, 'weight', p_weight, 'conversationId', t.conversation_id, 'conversationExternalId', c.external_id, 'fence', t.fence, 'attempt', t.attempt,
    'cancelled', t.cancel_requested_at IS NOT NULL, 'elapsedMs', round(extract(epoch FROM clock_timestamp() - t.started_at) * 1000),
    'message', json_build_object('id', m.id, 'text', m.text, 'content', m.content),
    'participant', json_build_object('externalId', p.external_id),
    'channel', json_build_object('id', ch.id, 'platform', ch.platform),
    'agent', CASE WHEN a.id IS NULL THEN NULL ELSE json_build_object(
      'id', a.id, 'slug', a.slug, 'name', a.name, 'model', a.model, 'instructions', a.instructions, 'settings', a.settings, 'sealed', a.sealed) END,
    'history', p_history, 'steps', p_steps);
END $$;
DROP FUNCTION swarmgate.describe_turn(uuid, uuid, integer);

-- ── delivering ──────────────────────────────────────────────────────────────────────────────────────────────────────

-- Records what became of a batch of deliveries, each as sent_and_next_v2 does. One row an item: NULL when the claim is
-- lost, else { next }.
CREATE FUNCTION swarmgate.record_deliveries_v1(
  p_tenants uuid[], p_conversations uuid[], p_deliveries uuid[], p_claims bigint[], p_states text[], p_external_ids text[],
  p_delays_ms integer[], p_deferred boolean[], p_uncertain boolean[], p_doubled boolean[], p_error_codes text[], p_error_messages text[],
  p_events uuid[], p_nexts boolean[], p_holder text, p_claim_ms integer
) RETURNS TABLE (ordinal integer, result json)
LANGUAGE plpgsql SET role = 'swarmgate_tenant' SET plan_cache_mode = 'force_generic_plan' AS $$
BEGIN
  FOR ordinal IN SELECT n FROM generate_subscripts(p_tenants, 1) n ORDER BY p_tenants[n], p_deliveries[n], n LOOP
    PERFORM set_config('swarmgate.tenant_id', p_tenants[ordinal]::text, true);
    result := swarmgate.record_delivery(p_tenants[ordinal], p_conversations[ordinal], p_deliveries[ordinal], p_claims[ordinal],
      p_states[ordinal], p_external_ids[ordinal]::jsonb, p_delays_ms[ordinal], p_deferred[ordinal], p_uncertain[ordinal],
      p_doubled[ordinal], p_error_codes[ordinal], p_error_messages[ordinal], p_events[ordinal], p_nexts[ordinal], p_holder, p_claim_ms);
    RETURN NEXT;
  END LOOP;
END $$;

CREATE FUNCTION swarmgate.record_delivery(
  p_tenant uuid, p_conversation uuid, p_delivery uuid, p_claim bigint, p_state text, p_external_ids jsonb,
  p_delay_ms integer, p_deferred boolean, p_uncertain boolean, p_doubled boolean, p_error_code text, p_error_message text,
  p_event uuid, p_next boolean, p_holder text, p_claim_ms integer
) RETURNS json LANGUAGE plpgsql AS $$
DECLARE
  v_reported boolean;
BEGIN
  UPDATE swarmgate.deliveries d SET state = p_state, claim_holder = NULL, claim_expires_at = NULL,
      due_at = CASE WHEN p_state = 'pending' THEN clock_timestamp() + make_interval(secs => p_delay_ms / 1000.0) END,
      sent_at = CASE WHEN p_state = 'sent' THEN clock_timestamp() END,
      deferrals = d.deferrals + CASE WHEN p_deferred THEN 1 ELSE 0 END,
      uncertain = (d.uncertain AND p_state = 'pending') OR p_uncertain,
      error_code = p_error_code, error_message = p_error_message
    WHERE d.tenant_id = p_tenant AND d.id = p_delivery AND coalesce(d.state = 'sending', false) AND d.claim_number = p_claim
      AND d.claim_expires_at > clock_timestamp();
  IF NOT FOUND THEN
    RETURN NULL;
  END IF;
  WITH kept AS (
    INSERT INTO swarmgate.delivery_parts AS x (tenant_id, delivery_id, number, external_id)
      SELECT p_tenant, p_delivery, e.n, e.external_id FROM jsonb_array_elements_text(p_external_ids) WITH ORDINALITY AS e (external_id, n)
      ON CONFLICT (tenant_id, delivery_id, number) DO UPDATE SET external_id = EXCLUDED.external_id
      RETURNING x.state
  ) SELECT bool_or(k.state <> 'sent') INTO v_reported FROM kept k;
  -- The platform may have told of a part before we knew it.
  IF p_state = 'sent' AND v_reported THEN
    PERFORM swarmgate.settle_delivery(p_tenant, p_delivery);
  END IF;
  IF p_state = 'failed' OR p_doubled THEN
    INSERT INTO swarmgate.events (tenant_id, id, kind, subject)
      VALUES (p_tenant, p_event, CASE WHEN p_state = 'failed' THEN 'delivery.failed' ELSE 'delivery.doubled' END,
        jsonb_build_object('conversationId', p_conversation, 'deliveryId', p_delivery, 'error', p_error_code));
  END IF;
  RETURN json_build_object('next',
    CASE WHEN p_next THEN swarmgate.next_delivery(p_tenant, p_conversation, p_holder, p_claim_ms) END);
END $$;

-- Gives back a delivery that was claimed in the commit of its answer, when its caller does not know how that ended: it has
-- not been sent. False: it was not claimed, or not by this one.
CREATE FUNCTION swarmgate.give_back_delivery_v1(p_tenant uuid, p_delivery uuid, p_holder text) RETURNS boolean
LANGUAGE plpgsql SET role = 'swarmgate_tenant' AS $$
BEGIN
  PERFORM set_config('swarmgate.tenant_id', p_tenant::text, true);
  UPDATE swarmgate.deliveries d SET state = 'pending', attempt = 0, claim_holder = NULL, claim_expires_at = NULL
    WHERE d.tenant_id = p_tenant AND d.id = p_delivery AND coalesce(d.state = 'sending', false) AND d.claim_number = 1 AND d.claim_holder = p_holder;
  RETURN FOUND;
END $$;

-- As before; what a dead worker has claimed is free.
CREATE OR REPLACE FUNCTION swarmgate.next_delivery(p_tenant uuid, p_conversation uuid, p_holder text, p_claim_ms integer) RETURNS jsonb
LANGUAGE plpgsql AS $$
DECLARE
  v_delivery swarmgate.deliveries;
  v_asker uuid;
  v_turn uuid;
  m record;
  c record;
  p record;
  ch record;
BEGIN
  SELECT * INTO v_delivery FROM swarmgate.deliveries d
    WHERE d.tenant_id = p_tenant AND d.conversation_id = p_conversation AND d.state IN ('pending', 'sending')
    ORDER BY d.sequence LIMIT 1 FOR UPDATE;
  IF NOT FOUND OR v_delivery.due_at > clock_timestamp() THEN
    RETURN NULL;
  END IF;
  IF v_delivery.claim_expires_at > clock_timestamp() THEN
    PERFORM 1 FROM directory.workers w WHERE w.holder = v_delivery.claim_holder AND w.holder <> p_holder
      AND w.alive_until < clock_timestamp() - interval '2 s';
    IF NOT FOUND THEN
      RETURN NULL;
    END IF;
  END IF;
  UPDATE swarmgate.deliveries d SET state = 'sending', attempt = d.attempt + 1, claim_number = d.claim_number + 1, claim_holder = p_holder,
      claim_expires_at = clock_timestamp() + make_interval(secs => p_claim_ms / 1000.0)
    WHERE d.tenant_id = p_tenant AND d.id = v_delivery.id;
  -- Row by row, as describe_turn does.
  SELECT x.id, x.role, x.text, x.content, x.in_reply_to_id INTO STRICT m FROM swarmgate.messages x
    WHERE x.tenant_id = p_tenant AND x.id = v_delivery.message_id;
  SELECT x.id, x.external_id, x.participant_id INTO STRICT c FROM swarmgate.conversations x WHERE x.tenant_id = p_tenant AND x.id = p_conversation;
  IF m.in_reply_to_id IS NOT NULL THEN
    SELECT x.participant_id INTO v_asker FROM swarmgate.messages x WHERE x.tenant_id = p_tenant AND x.id = m.in_reply_to_id;
    SELECT x.id INTO v_turn FROM swarmgate.turns x WHERE x.tenant_id = p_tenant AND x.message_id = m.in_reply_to_id;
  END IF;
  v_asker := coalesce(v_asker, c.participant_id);
  SELECT x.external_id INTO STRICT p FROM swarmgate.participants x WHERE x.tenant_id = p_tenant AND x.id = v_asker;
  SELECT x.id, x.platform INTO STRICT ch FROM swarmgate.channels x WHERE x.tenant_id = p_tenant AND x.id = v_delivery.channel_id;
  RETURN jsonb_build_object(
      'deliveryId', v_delivery.id, 'claim', v_delivery.claim_number + 1, 'attempt', v_delivery.attempt + 1,
      'deferrals', v_delivery.deferrals, 'interrupted', v_delivery.state = 'sending' OR v_delivery.uncertain,
      'queuedAtMs', round(extract(epoch FROM v_delivery.queued_at) * 1000),
      'createdAtMs', round(extract(epoch FROM v_delivery.created_at) * 1000),
      'lastInboundAtMs', swarmgate.last_inbound_ms(p_tenant, p_conversation),
      'message', jsonb_build_object('id', m.id, 'role', m.role, 'text', m.text, 'content', m.content),
      'turnId', v_turn,
      'conversation', jsonb_build_object('id', c.id, 'externalId', c.external_id),
      'participant', jsonb_build_object('externalId', p.external_id),
      'channel', jsonb_build_object('id', ch.id, 'platform', ch.platform),
      'externalIds', coalesce((SELECT jsonb_agg(x.external_id ORDER BY x.number) FROM swarmgate.delivery_parts x
        WHERE x.tenant_id = p_tenant AND x.delivery_id = v_delivery.id), '[]'));
END $$;

-- As before; what a dead worker has claimed is due.
CREATE OR REPLACE FUNCTION swarmgate.due_work_v2(p_grace_ms integer, p_limit integer) RETURNS TABLE (kind text, tenant_id uuid, conversation_id uuid)
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
          AND (d.claim_expires_at IS NULL OR d.claim_expires_at < v_now
            OR EXISTS (SELECT 1 FROM directory.workers h WHERE h.holder = d.claim_holder AND h.alive_until < v_now - interval '2 s'))
          -- Only the first of a conversation may go: those behind one that waits are no work.
          AND NOT EXISTS (SELECT 1 FROM swarmgate.deliveries e
            WHERE e.tenant_id = d.tenant_id AND e.conversation_id = d.conversation_id
              AND e.state IN ('pending', 'sending') AND e.sequence < d.sequence)
        ORDER BY d.due_at LIMIT p_limit) w
    ORDER BY w.place, w.due_at LIMIT p_limit;
END $$;
GRANT SELECT (claim_holder) ON swarmgate.deliveries TO swarmgate_sweeper;

-- ── channels ────────────────────────────────────────────────────────────────────────────────────────────────────────

-- Describes a batch of channels, each as describe_channel_v2 does. One row an item: `channel` is NULL when there is none
-- such; `stamp` names the state that it and everything around it is in.
CREATE FUNCTION swarmgate.describe_channels_v3(p_tenants uuid[], p_channels uuid[])
RETURNS TABLE (ordinal integer, stamp text, channel json)
LANGUAGE plpgsql STABLE SET role = 'swarmgate_tenant' SET plan_cache_mode = 'force_generic_plan' AS $$
BEGIN
  FOR ordinal IN SELECT n FROM generate_subscripts(p_tenants, 1) n LOOP
    PERFORM set_config('swarmgate.tenant_id', p_tenants[ordinal]::text, true);
    SELECT concat_ws('/', c.xmin, t.xmin, o.xmin, a.id, a.xmin), json_build_object(
        'tenantId', c.tenant_id, 'id', c.id, 'platform', c.platform, 'key', c.key, 'version', c.version,
        'status', c.status, 'statusReason', c.status_reason,
        'settings', c.settings, 'sealed', c.sealed,
        'tenantStatus', t.status, 'tenantSettings', t.settings, 'organizationSettings', o.settings,
        'agent', CASE WHEN a.id IS NOT NULL THEN json_build_object('name', a.name, 'model', a.model, 'settings', a.settings) END)
      INTO stamp, channel
      FROM swarmgate.channels c
      JOIN directory.tenants t ON t.id = c.tenant_id
      JOIN directory.organizations o ON o.id = t.organization_id
      LEFT JOIN swarmgate.agents a ON a.tenant_id = c.tenant_id AND (a.id = c.agent_id OR (c.agent_id IS NULL AND a.slug = 'default'))
      WHERE c.tenant_id = p_tenants[ordinal] AND c.id = p_channels[ordinal];
    RETURN NEXT;
  END LOOP;
END $$;

-- Which channels of a list are as the caller knows them, by the stamps of describe_channels_v3. It reads no more of any
-- tenant than which version of each row there is, so it looks at all of them at once.
CREATE POLICY sweeper ON swarmgate.channels FOR SELECT TO swarmgate_sweeper USING (true);
CREATE POLICY sweeper ON swarmgate.agents FOR SELECT TO swarmgate_sweeper USING (true);
CREATE POLICY sweeper ON directory.tenants FOR SELECT TO swarmgate_sweeper USING (true);
CREATE POLICY sweeper ON directory.organizations FOR SELECT TO swarmgate_sweeper USING (true);
GRANT SELECT (tenant_id, id, agent_id, xmin) ON swarmgate.channels TO swarmgate_sweeper;
GRANT SELECT (tenant_id, id, slug, xmin) ON swarmgate.agents TO swarmgate_sweeper;
GRANT SELECT (id, organization_id, xmin) ON directory.tenants TO swarmgate_sweeper;
GRANT SELECT (id, xmin) ON directory.organizations TO swarmgate_sweeper;
CREATE FUNCTION swarmgate.unchanged_channels_v1(p_tenants uuid[], p_channels uuid[], p_stamps text[]) RETURNS TABLE (ordinal integer)
LANGUAGE plpgsql STABLE SET role = 'swarmgate_sweeper' AS $$
BEGIN
  RETURN QUERY SELECT k.n::integer FROM unnest(p_tenants, p_channels, p_stamps) WITH ORDINALITY AS k (tenant_id, channel_id, stamp, n)
    JOIN swarmgate.channels c ON c.tenant_id = k.tenant_id AND c.id = k.channel_id
    JOIN directory.tenants t ON t.id = c.tenant_id
    JOIN directory.organizations o ON o.id = t.organization_id
    LEFT JOIN swarmgate.agents a ON a.tenant_id = c.tenant_id AND (a.id = c.agent_id OR (c.agent_id IS NULL AND a.slug = 'default'))
    WHERE concat_ws('/', c.xmin, t.xmin, o.xmin, a.id, a.xmin) = k.stamp;
END $$;

-- Locates a batch of accounts, each as locate_v1 does. One row for each that is claimed.
CREATE FUNCTION directory.locate_v2(p_platforms text[], p_kinds text[], p_apps text[], p_keys text[])
RETURNS TABLE (ordinal integer, tenant_id uuid, channel_id uuid) LANGUAGE plpgsql STABLE SET role = 'swarmgate_platform' AS $$
BEGIN
  RETURN QUERY SELECT a.n::integer, k.tenant_id, k.channel_id
    FROM unnest(p_platforms, p_kinds, p_apps, p_keys) WITH ORDINALITY AS a (platform, kind, app, key, n)
    JOIN directory.external_keys k ON k.platform = a.platform AND k.kind = a.kind AND k.app = a.app AND k.key = a.key;
END $$;

REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA swarmgate, directory FROM PUBLIC;
GRANT EXECUTE ON FUNCTION
  swarmgate.receive_messages_v4(uuid[], uuid[], uuid[], text[], uuid[], text[], boolean[], text[], uuid[], text[], text[], text[], text[], uuid[], text[]),
  swarmgate.begin_turns_v1(uuid[], uuid[], text, integer, integer),
  swarmgate.commit_turns_v1(uuid[], uuid[], bigint[], uuid[], text[], uuid[], uuid[], text[], text[], text[], text[], text[], text[], text[], uuid[], boolean[], boolean[], integer, integer, text, integer),
  swarmgate.record_deliveries_v1(uuid[], uuid[], uuid[], bigint[], text[], text[], integer[], boolean[], boolean[], boolean[], text[], text[], uuid[], boolean[], text, integer),
  swarmgate.give_back_delivery_v1(uuid, uuid, text),
  swarmgate.describe_channels_v3(uuid[], uuid[]),
  swarmgate.unchanged_channels_v1(uuid[], uuid[], text[]),
  directory.locate_v2(text[], text[], text[], text[]),
  directory.keep_alive_v1(text, integer)
  TO swarmgate_service;
GRANT EXECUTE ON FUNCTION
  swarmgate.receive_message(integer, uuid, uuid, uuid, text, uuid, text, boolean, text, uuid, text, text, text, text, uuid, text),
  swarmgate.commit_turn(uuid, uuid, bigint, uuid, text, uuid, uuid, text, text, text, text, text, text, text, uuid, boolean, boolean, integer, integer, text, integer),
  swarmgate.record_delivery(uuid, uuid, uuid, bigint, text, jsonb, integer, boolean, boolean, boolean, text, text, uuid, boolean, text, integer),
  swarmgate.free_slots(uuid, uuid, integer), swarmgate.take_slot(uuid, uuid, integer, boolean),
  swarmgate.begin_turn(uuid, uuid, text, integer, integer, boolean), swarmgate.last_inbound_ms(uuid, uuid),
  swarmgate.next_turn(uuid, uuid, bigint, integer, integer), swarmgate.describe_turn(uuid, uuid, integer, json, json),
  swarmgate.history_before(uuid, uuid, bigint, integer), swarmgate.steps_done(uuid, uuid), swarmgate.turn_terms(uuid)
  TO swarmgate_tenant;
