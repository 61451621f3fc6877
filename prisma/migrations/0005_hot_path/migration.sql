-- The journey of a message as functions: one statement, one round trip, one transaction each.
--
-- Each one called from outside names the restricted role in its own SET clause and sets the tenant inside, so that
-- row-level security holds even when the caller is a superuser (LANGUAGE sql would not hold). Names carry a version:
-- an old process keeps its functions while a new one is rolled out.
--
-- Lock order: a conversation's row first, then what hangs on it. Every write of a turn goes through hold_lease.

-- Tells whether the caller still owns the conversation, and keeps it so until the transaction ends.
-- A lease that has run out does not count, even when nobody else has taken it yet.
CREATE FUNCTION swarmgate.hold_lease(p_tenant uuid, p_conversation uuid, p_fence bigint) RETURNS boolean
LANGUAGE plpgsql AS $$
BEGIN
  PERFORM 1 FROM swarmgate.conversations c
    WHERE c.tenant_id = p_tenant AND c.id = p_conversation
      AND c.lease_number = p_fence AND c.lease_expires_at > clock_timestamp()
    FOR UPDATE;
  RETURN FOUND;
END $$;

-- Takes a batch of verified inbound messages: dedupe key, participant, conversation, message, turn, due time.
-- In tenant and conversation order, so that two batches cannot deadlock; a savepoint each and a bound on how long it waits
-- for a row that somebody else holds, so that one bad row hurts nobody. Answers one row per input: 'received', 'duplicate' (with what the first one got) or 'failed' with its SQLSTATE.
CREATE FUNCTION swarmgate.receive_messages_v1(
  p_tenants uuid[], p_channels uuid[], p_conversations uuid[], p_conversation_keys text[],
  p_participants uuid[], p_participant_keys text[], p_participant_verified boolean[], p_profiles text[],
  p_messages uuid[], p_keys text[], p_client_ids text[], p_texts text[], p_contents text[], p_turns uuid[]
) RETURNS TABLE (
  ordinal integer, outcome text, conversation_id uuid, message_id uuid, sequence bigint, created_at timestamptz,
  sqlstate_of_failure text, failure text
) LANGUAGE plpgsql SET role = 'swarmgate_tenant' SET lock_timeout = '2s' AS $$
#variable_conflict use_column
DECLARE
  i integer;
  v_status text;
  v_participant uuid;
  v_conversation uuid;
  v_sequence bigint;
  v_at timestamptz(3);
BEGIN
  FOR i IN SELECT n FROM generate_subscripts(p_tenants, 1) n ORDER BY p_tenants[n], p_conversation_keys[n], n LOOP
    BEGIN
      PERFORM set_config('swarmgate.tenant_id', p_tenants[i]::text, true);
      SELECT t.status INTO v_status FROM directory.tenants t JOIN swarmgate.this_cell h ON h.cell = t.cell WHERE t.id = p_tenants[i];
      IF NOT FOUND THEN
        RAISE EXCEPTION 'tenant % is not in this cell', p_tenants[i] USING ERRCODE = 'SG001';
      END IF;

      SELECT p.id INTO v_participant FROM swarmgate.participants p
        WHERE p.tenant_id = p_tenants[i] AND p.channel_id = p_channels[i] AND p.external_id = p_participant_keys[i];
      IF NOT FOUND THEN
        INSERT INTO swarmgate.participants AS p (tenant_id, id, channel_id, external_id, verified, profile)
          VALUES (p_tenants[i], p_participants[i], p_channels[i], p_participant_keys[i], p_participant_verified[i], p_profiles[i]::jsonb)
          ON CONFLICT (tenant_id, channel_id, external_id) DO UPDATE SET updated_at = now()
          RETURNING p.id INTO v_participant;
      END IF;

      SELECT c.id, c.next_sequence INTO v_conversation, v_sequence FROM swarmgate.conversations c
        WHERE c.tenant_id = p_tenants[i] AND c.channel_id = p_channels[i] AND c.external_id = p_conversation_keys[i] FOR UPDATE;
      IF NOT FOUND THEN
        INSERT INTO swarmgate.conversations (tenant_id, id, channel_id, participant_id, external_id)
          VALUES (p_tenants[i], p_conversations[i], p_channels[i], v_participant, p_conversation_keys[i])
          ON CONFLICT (tenant_id, channel_id, external_id) DO NOTHING;
        SELECT c.id, c.next_sequence INTO STRICT v_conversation, v_sequence FROM swarmgate.conversations c
          WHERE c.tenant_id = p_tenants[i] AND c.channel_id = p_channels[i] AND c.external_id = p_conversation_keys[i] FOR UPDATE;
      END IF;

      v_at := clock_timestamp();
      INSERT INTO swarmgate.inbound_keys (tenant_id, channel_id, key, conversation_id, message_id, sequence, created_at)
        VALUES (p_tenants[i], p_channels[i], p_keys[i], v_conversation, p_messages[i], v_sequence, v_at)
        ON CONFLICT (tenant_id, channel_id, key) DO NOTHING;
      IF NOT FOUND THEN
        RETURN QUERY SELECT i, 'duplicate', k.conversation_id, k.message_id, k.sequence, k.created_at::timestamptz, NULL::text, NULL::text
          FROM swarmgate.inbound_keys k WHERE k.tenant_id = p_tenants[i] AND k.channel_id = p_channels[i] AND k.key = p_keys[i];
        CONTINUE;
      END IF;

      INSERT INTO swarmgate.messages (tenant_id, id, conversation_id, sequence, revision, role, participant_id, client_id, text, content, created_at)
        VALUES (p_tenants[i], p_messages[i], v_conversation, v_sequence, v_sequence, 'visitor', v_participant, p_client_ids[i], p_texts[i], p_contents[i]::jsonb, v_at);
      INSERT INTO swarmgate.turns (tenant_id, id, conversation_id, message_id, sequence)
        VALUES (p_tenants[i], p_turns[i], v_conversation, p_messages[i], v_sequence);
      UPDATE swarmgate.conversations c SET
        next_sequence = v_sequence + 1,
        last_message_at = v_at,
        status = 'open',
        waiting_for = CASE WHEN v_status <> 'active' THEN 'suspension' ELSE nullif(c.waiting_for, 'suspension') END,
        due_at = CASE
          WHEN v_status <> 'active' THEN NULL
          WHEN c.waiting_for IS NULL OR c.waiting_for = 'suspension' THEN coalesce(c.due_at, clock_timestamp())
          ELSE c.due_at END
        WHERE c.tenant_id = p_tenants[i] AND c.id = v_conversation;

      RETURN QUERY SELECT i, 'received', v_conversation, p_messages[i], v_sequence, v_at::timestamptz, NULL::text, NULL::text;
    EXCEPTION WHEN OTHERS THEN
      RETURN QUERY SELECT i, 'failed', NULL::uuid, NULL::uuid, NULL::bigint, NULL::timestamptz, SQLSTATE, SQLERRM;
    END;
  END LOOP;
END $$;

-- Everything a turn needs, as one document. The newest p_history_max messages before it, oldest first, each answer behind
-- what it answers: of quick messages, the answer to the first one comes after the second in the transcript.
CREATE FUNCTION swarmgate.describe_turn(p_tenant uuid, p_turn uuid, p_history_max integer) RETURNS jsonb
LANGUAGE plpgsql STABLE AS $$
DECLARE
  v jsonb;
BEGIN
  SELECT jsonb_build_object(
    'turnId', t.id, 'conversationId', t.conversation_id, 'conversationExternalId', c.external_id, 'fence', t.fence, 'attempt', t.attempt,
    'cancelled', t.cancel_requested_at IS NOT NULL, 'elapsedMs', round(extract(epoch FROM clock_timestamp() - t.started_at) * 1000),
    'message', jsonb_build_object('id', m.id, 'text', m.text),
    'channel', jsonb_build_object('id', ch.id, 'platform', ch.platform),
    'agent', CASE WHEN a.id IS NULL THEN NULL ELSE jsonb_build_object(
      'id', a.id, 'slug', a.slug, 'name', a.name, 'model', a.model, 'instructions', a.instructions, 'settings', a.settings, 'sealed', a.sealed) END,
    'history', coalesce((
      SELECT jsonb_agg(jsonb_build_object('role', h.role, 'text', h.text) ORDER BY h.place, h.sequence) FROM (
        SELECT e.role, e.text, e.sequence, coalesce(q.sequence, e.sequence) AS place FROM swarmgate.messages e
          LEFT JOIN swarmgate.messages q ON q.tenant_id = p_tenant AND q.id = e.in_reply_to_id
          WHERE e.tenant_id = p_tenant AND e.conversation_id = t.conversation_id AND e.kind = 'message' AND e.state = 'final'
            AND coalesce(q.sequence, e.sequence) < m.sequence
          ORDER BY e.sequence DESC LIMIT p_history_max) h), '[]'),
    'steps', coalesce((
      SELECT jsonb_agg(jsonb_build_object('number', s.number, 'kind', s.kind, 'output', s.output) ORDER BY s.number)
        FROM swarmgate.turn_steps s WHERE s.tenant_id = p_tenant AND s.turn_id = t.id AND s.state = 'done'), '[]'))
  INTO v
  FROM swarmgate.turns t
  JOIN swarmgate.messages m ON m.tenant_id = p_tenant AND m.id = t.message_id
  JOIN swarmgate.conversations c ON c.tenant_id = p_tenant AND c.id = t.conversation_id
  JOIN swarmgate.channels ch ON ch.tenant_id = p_tenant AND ch.id = c.channel_id
  LEFT JOIN LATERAL (
    SELECT x.* FROM swarmgate.agents x WHERE x.tenant_id = p_tenant
      AND (x.id = coalesce(c.agent_id, ch.agent_id) OR (coalesce(c.agent_id, ch.agent_id) IS NULL AND x.slug = 'default'))
  ) a ON true
  WHERE t.tenant_id = p_tenant AND t.id = p_turn;
  RETURN v;
END $$;

-- The oldest unanswered message of a conversation that the caller holds; when there is none, the lease is given back.
CREATE FUNCTION swarmgate.next_turn(p_tenant uuid, p_conversation uuid, p_fence bigint, p_history_max integer) RETURNS jsonb
LANGUAGE plpgsql AS $$
DECLARE
  v_turn uuid;
BEGIN
  SELECT t.id INTO v_turn FROM swarmgate.turns t
    WHERE t.tenant_id = p_tenant AND t.conversation_id = p_conversation AND t.state IN ('pending', 'running', 'waiting')
    ORDER BY t.sequence LIMIT 1;
  IF NOT FOUND THEN
    UPDATE swarmgate.conversations c SET due_at = NULL, waiting_for = NULL, lease_holder = NULL, lease_expires_at = NULL
      WHERE c.tenant_id = p_tenant AND c.id = p_conversation;
    RETURN NULL;
  END IF;
  UPDATE swarmgate.turns t SET state = 'running', attempt = t.attempt + 1, fence = p_fence,
      started_at = coalesce(t.started_at, clock_timestamp())
    WHERE t.tenant_id = p_tenant AND t.id = v_turn;
  RETURN swarmgate.describe_turn(p_tenant, v_turn, p_history_max);
END $$;

-- Takes the lease of a conversation that is due (only if nobody holds it) and begins its next turn. NULL: nothing to do.
CREATE FUNCTION swarmgate.begin_turn_v1(p_tenant uuid, p_conversation uuid, p_holder text, p_lease_ms integer, p_history_max integer) RETURNS jsonb
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
  RETURN swarmgate.next_turn(p_tenant, p_conversation, v_fence, p_history_max);
END $$;

-- The heartbeat: 'held', 'cancelled' (held, and somebody asked the turn to stop) or 'lost'.
CREATE FUNCTION swarmgate.extend_lease_v1(p_tenant uuid, p_conversation uuid, p_fence bigint, p_turn uuid, p_lease_ms integer) RETURNS text
LANGUAGE plpgsql SET role = 'swarmgate_tenant' AS $$
DECLARE
  v_cancelled boolean;
BEGIN
  PERFORM set_config('swarmgate.tenant_id', p_tenant::text, true);
  UPDATE swarmgate.conversations c SET lease_expires_at = clock_timestamp() + make_interval(secs => p_lease_ms / 1000.0)
    WHERE c.tenant_id = p_tenant AND c.id = p_conversation AND c.lease_number = p_fence AND c.lease_expires_at > clock_timestamp();
  IF NOT FOUND THEN
    RETURN 'lost';
  END IF;
  SELECT t.cancel_requested_at IS NOT NULL INTO v_cancelled FROM swarmgate.turns t WHERE t.tenant_id = p_tenant AND t.id = p_turn;
  RETURN CASE WHEN v_cancelled THEN 'cancelled' ELSE 'held' END;
END $$;

-- Keeps a step's result before the next step starts. False: the lease is lost, nothing was written.
CREATE FUNCTION swarmgate.commit_step_v1(
  p_tenant uuid, p_conversation uuid, p_fence bigint, p_turn uuid, p_number integer, p_kind text, p_state text, p_output text
) RETURNS boolean LANGUAGE plpgsql SET role = 'swarmgate_tenant' AS $$
BEGIN
  PERFORM set_config('swarmgate.tenant_id', p_tenant::text, true);
  IF NOT swarmgate.hold_lease(p_tenant, p_conversation, p_fence) THEN
    RETURN false;
  END IF;
  INSERT INTO swarmgate.turn_steps (tenant_id, turn_id, number, kind, state, key, output, finished_at)
    VALUES (p_tenant, p_turn, p_number, p_kind, p_state, p_turn::text || '/' || p_number::text, p_output::jsonb,
      CASE WHEN p_state = 'intended' THEN NULL ELSE clock_timestamp() END)
    ON CONFLICT (tenant_id, turn_id, number) DO UPDATE SET state = EXCLUDED.state, output = EXCLUDED.output, finished_at = EXCLUDED.finished_at;
  RETURN true;
END $$;

-- Makes the draft and the streaming delivery of an answer, before the first call to the platform. A rerun finds the same
-- two. NULL: the lease is lost.
CREATE FUNCTION swarmgate.open_stream_v1(
  p_tenant uuid, p_conversation uuid, p_fence bigint, p_turn uuid, p_message uuid, p_delivery uuid
) RETURNS jsonb LANGUAGE plpgsql SET role = 'swarmgate_tenant' AS $$
DECLARE
  v_reply uuid;
  v jsonb;
BEGIN
  PERFORM set_config('swarmgate.tenant_id', p_tenant::text, true);
  IF NOT swarmgate.hold_lease(p_tenant, p_conversation, p_fence) THEN
    RETURN NULL;
  END IF;
  SELECT t.reply_message_id INTO v_reply FROM swarmgate.turns t
    WHERE t.tenant_id = p_tenant AND t.id = p_turn AND t.state = 'running' AND t.fence = p_fence;
  IF NOT FOUND THEN
    RETURN NULL;
  END IF;
  IF v_reply IS NULL THEN
    v_reply := p_message;
    INSERT INTO swarmgate.messages (tenant_id, id, conversation_id, role, state, in_reply_to_id)
      SELECT p_tenant, p_message, p_conversation, 'agent', 'draft', t.message_id
        FROM swarmgate.turns t WHERE t.tenant_id = p_tenant AND t.id = p_turn;
    INSERT INTO swarmgate.deliveries (tenant_id, id, conversation_id, channel_id, message_id, state)
      SELECT p_tenant, p_delivery, p_conversation, c.channel_id, p_message, 'streaming'
        FROM swarmgate.conversations c WHERE c.tenant_id = p_tenant AND c.id = p_conversation;
    UPDATE swarmgate.turns t SET reply_message_id = p_message WHERE t.tenant_id = p_tenant AND t.id = p_turn;
  END IF;
  SELECT jsonb_build_object('messageId', d.message_id, 'deliveryId', d.id, 'externalIds', coalesce((
      SELECT jsonb_agg(p.external_id ORDER BY p.number) FROM swarmgate.delivery_parts p
        WHERE p.tenant_id = p_tenant AND p.delivery_id = d.id), '[]'))
    INTO v FROM swarmgate.deliveries d WHERE d.tenant_id = p_tenant AND d.message_id = v_reply;
  RETURN v;
END $$;

-- Keeps the platform's id of a part of a streaming delivery, before the platform is called again. False: the lease is lost.
CREATE FUNCTION swarmgate.keep_stream_part_v1(
  p_tenant uuid, p_conversation uuid, p_fence bigint, p_delivery uuid, p_number integer, p_external_id text
) RETURNS boolean LANGUAGE plpgsql SET role = 'swarmgate_tenant' AS $$
BEGIN
  PERFORM set_config('swarmgate.tenant_id', p_tenant::text, true);
  IF NOT swarmgate.hold_lease(p_tenant, p_conversation, p_fence) THEN
    RETURN false;
  END IF;
  INSERT INTO swarmgate.delivery_parts (tenant_id, delivery_id, number, external_id)
    VALUES (p_tenant, p_delivery, p_number, p_external_id)
    ON CONFLICT (tenant_id, delivery_id, number) DO UPDATE SET external_id = EXCLUDED.external_id;
  RETURN true;
END $$;

-- Ends a turn ('done' or 'dead') with its one answer, and begins the next one if the caller wants it (p_next).
-- NULL: the lease is lost, nothing was written. Otherwise { sequence, next }.
CREATE FUNCTION swarmgate.commit_turn_v1(
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
    UPDATE swarmgate.conversations c SET lease_holder = NULL, lease_expires_at = NULL,
        due_at = CASE WHEN EXISTS (SELECT 1 FROM swarmgate.turns t WHERE t.tenant_id = p_tenant AND t.conversation_id = p_conversation
          AND t.state IN ('pending', 'running', 'waiting')) THEN clock_timestamp() ELSE NULL END
      WHERE c.tenant_id = p_tenant AND c.id = p_conversation;
  END IF;
  RETURN jsonb_build_object('sequence', v_sequence, 'messageId', coalesce(v_draft, p_message), 'next', v_next);
END $$;

-- Puts a turn back: it runs again after p_delay_ms, and the conversation waits for it (order is kept). Gives the lease
-- back. p_counts is false when the attempt is not the turn's fault (a shutdown). False: the lease is lost.
CREATE FUNCTION swarmgate.retry_turn_v1(
  p_tenant uuid, p_conversation uuid, p_fence bigint, p_turn uuid, p_delay_ms integer, p_counts boolean, p_error_code text, p_error_message text
) RETURNS boolean LANGUAGE plpgsql SET role = 'swarmgate_tenant' AS $$
BEGIN
  PERFORM set_config('swarmgate.tenant_id', p_tenant::text, true);
  IF NOT swarmgate.hold_lease(p_tenant, p_conversation, p_fence) THEN
    RETURN false;
  END IF;
  UPDATE swarmgate.turns t SET state = 'pending', attempt = CASE WHEN p_counts THEN t.attempt ELSE t.attempt - 1 END,
      error_code = coalesce(p_error_code, t.error_code), error_message = coalesce(p_error_message, t.error_message)
    WHERE t.tenant_id = p_tenant AND t.id = p_turn AND t.state = 'running' AND t.fence = p_fence;
  UPDATE swarmgate.conversations c SET lease_holder = NULL, lease_expires_at = NULL,
      due_at = clock_timestamp() + make_interval(secs => p_delay_ms / 1000.0),
      waiting_for = CASE WHEN p_delay_ms > 0 THEN 'backoff' END
    WHERE c.tenant_id = p_tenant AND c.id = p_conversation;
  RETURN true;
END $$;

-- Asks a turn to stop. False: the conversation has no such turn that is still to be answered. One that waits to be tried
-- again is due at once: it will not be.
CREATE FUNCTION swarmgate.cancel_turn_v1(p_tenant uuid, p_conversation uuid, p_turn uuid) RETURNS boolean
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
    WHERE c.tenant_id = p_tenant AND c.id = p_conversation AND c.waiting_for = 'backoff'
      AND NOT EXISTS (SELECT 1 FROM swarmgate.turns t WHERE t.tenant_id = p_tenant AND t.conversation_id = p_conversation
        AND t.state IN ('pending', 'running', 'waiting') AND t.sequence < v_sequence);
  RETURN true;
END $$;

-- The first delivery of a conversation that is not out yet, if it is due and nobody is sending it. `interrupted` says
-- that an earlier claim ended without a record: the platform may have got it.
CREATE FUNCTION swarmgate.next_delivery(p_tenant uuid, p_conversation uuid, p_holder text, p_claim_ms integer) RETURNS jsonb
LANGUAGE plpgsql AS $$
DECLARE
  v_delivery swarmgate.deliveries;
  v jsonb;
BEGIN
  SELECT * INTO v_delivery FROM swarmgate.deliveries d
    WHERE d.tenant_id = p_tenant AND d.conversation_id = p_conversation AND d.state IN ('pending', 'sending')
    ORDER BY d.sequence LIMIT 1 FOR UPDATE;
  IF NOT FOUND OR v_delivery.due_at > clock_timestamp() OR v_delivery.claim_expires_at > clock_timestamp() THEN
    RETURN NULL;
  END IF;
  UPDATE swarmgate.deliveries d SET state = 'sending', attempt = d.attempt + 1, claim_number = d.claim_number + 1, claim_holder = p_holder,
      claim_expires_at = clock_timestamp() + make_interval(secs => p_claim_ms / 1000.0)
    WHERE d.tenant_id = p_tenant AND d.id = v_delivery.id;
  SELECT jsonb_build_object(
      'deliveryId', v_delivery.id, 'claim', v_delivery.claim_number + 1, 'attempt', v_delivery.attempt + 1,
      'interrupted', v_delivery.state = 'sending',
      'message', jsonb_build_object('id', m.id, 'role', m.role, 'text', m.text, 'content', m.content),
      'turnId', t.id,
      'conversation', jsonb_build_object('id', c.id, 'externalId', c.external_id),
      'participant', jsonb_build_object('externalId', p.external_id),
      'channel', jsonb_build_object('id', ch.id, 'platform', ch.platform),
      'externalIds', coalesce((SELECT jsonb_agg(x.external_id ORDER BY x.number) FROM swarmgate.delivery_parts x
        WHERE x.tenant_id = p_tenant AND x.delivery_id = v_delivery.id), '[]'))
    INTO v
    FROM swarmgate.messages m
    JOIN swarmgate.conversations c ON c.tenant_id = p_tenant AND c.id = p_conversation
    JOIN swarmgate.participants p ON p.tenant_id = p_tenant AND p.id = c.participant_id
    JOIN swarmgate.channels ch ON ch.tenant_id = p_tenant AND ch.id = v_delivery.channel_id
    LEFT JOIN swarmgate.turns t ON t.tenant_id = p_tenant AND t.message_id = m.in_reply_to_id
    WHERE m.tenant_id = p_tenant AND m.id = v_delivery.message_id;
  RETURN v;
END $$;

CREATE FUNCTION swarmgate.begin_delivery_v1(p_tenant uuid, p_conversation uuid, p_holder text, p_claim_ms integer) RETURNS jsonb
LANGUAGE plpgsql SET role = 'swarmgate_tenant' AS $$
BEGIN
  PERFORM set_config('swarmgate.tenant_id', p_tenant::text, true);
  RETURN swarmgate.next_delivery(p_tenant, p_conversation, p_holder, p_claim_ms);
END $$;

-- Records what became of a delivery ('sent', 'failed', or 'pending' to try again after p_delay_ms) with the platform's
-- ids of its parts, and claims the conversation's next one. NULL: the claim is lost, nothing was written.
CREATE FUNCTION swarmgate.sent_and_next_v1(
  p_tenant uuid, p_conversation uuid, p_delivery uuid, p_claim bigint, p_state text, p_external_ids text[],
  p_delay_ms integer, p_error_code text, p_error_message text, p_holder text, p_claim_ms integer
) RETURNS jsonb LANGUAGE plpgsql SET role = 'swarmgate_tenant' AS $$
BEGIN
  PERFORM set_config('swarmgate.tenant_id', p_tenant::text, true);
  UPDATE swarmgate.deliveries d SET state = p_state, claim_holder = NULL, claim_expires_at = NULL,
      due_at = CASE WHEN p_state = 'pending' THEN clock_timestamp() + make_interval(secs => p_delay_ms / 1000.0) END,
      sent_at = CASE WHEN p_state = 'sent' THEN clock_timestamp() END,
      error_code = p_error_code, error_message = p_error_message
    WHERE d.tenant_id = p_tenant AND d.id = p_delivery AND d.state = 'sending' AND d.claim_number = p_claim
      AND d.claim_expires_at > clock_timestamp();
  IF NOT FOUND THEN
    RETURN NULL;
  END IF;
  INSERT INTO swarmgate.delivery_parts (tenant_id, delivery_id, number, external_id)
    SELECT p_tenant, p_delivery, x.n, x.external_id FROM unnest(p_external_ids) WITH ORDINALITY AS x (external_id, n)
    ON CONFLICT (tenant_id, delivery_id, number) DO UPDATE SET external_id = EXCLUDED.external_id;
  RETURN jsonb_build_object('next', swarmgate.next_delivery(p_tenant, p_conversation, p_holder, p_claim_ms));
END $$;

-- A piece of the transcript for a reader: what comes after a sequence (oldest first) or before one (newest first).
CREATE FUNCTION swarmgate.read_messages_v1(p_tenant uuid, p_conversation uuid, p_after bigint, p_before bigint, p_limit integer) RETURNS jsonb
LANGUAGE plpgsql STABLE SET role = 'swarmgate_tenant' AS $$
DECLARE
  v jsonb;
BEGIN
  PERFORM set_config('swarmgate.tenant_id', p_tenant::text, true);
  SELECT coalesce(jsonb_agg(to_jsonb(x) ORDER BY x.sequence), '[]') INTO v FROM (
    SELECT m.id, m.sequence, m.revision, m.role, m.state, m.text, m.content, m.client_id, m.in_reply_to_id, m.created_at
      FROM swarmgate.messages m
      WHERE m.tenant_id = p_tenant AND m.conversation_id = p_conversation AND m.kind = 'message' AND m.state <> 'draft'
        AND (p_after IS NULL OR m.sequence > p_after) AND (p_before IS NULL OR m.sequence < p_before)
      ORDER BY CASE WHEN p_after IS NULL THEN -m.sequence ELSE m.sequence END
      LIMIT p_limit) x;
  RETURN v;
END $$;

-- What has changed in a conversation since a revision, in the order in which it changed, and the number of its latest
-- change ('head', 0 when there is no such conversation yet). Without a revision only the head.
CREATE FUNCTION swarmgate.read_changes_v1(p_tenant uuid, p_conversation uuid, p_after_revision bigint, p_limit integer) RETURNS jsonb
LANGUAGE plpgsql STABLE SET role = 'swarmgate_tenant' AS $$
DECLARE
  v_changes jsonb := '[]';
  v_head bigint;
BEGIN
  PERFORM set_config('swarmgate.tenant_id', p_tenant::text, true);
  SELECT c.next_sequence - 1 INTO v_head FROM swarmgate.conversations c WHERE c.tenant_id = p_tenant AND c.id = p_conversation;
  IF p_after_revision IS NOT NULL THEN
    SELECT coalesce(jsonb_agg(to_jsonb(x) ORDER BY x.revision), '[]') INTO v_changes FROM (
      SELECT m.id, m.sequence, m.revision, m.role, m.state, m.text, m.content, m.client_id, m.in_reply_to_id, m.created_at
        FROM swarmgate.messages m
        WHERE m.tenant_id = p_tenant AND m.conversation_id = p_conversation AND m.kind = 'message' AND m.revision > p_after_revision
        ORDER BY m.revision LIMIT p_limit) x;
  END IF;
  RETURN jsonb_build_object('head', coalesce(v_head, 0), 'changes', v_changes);
END $$;

-- The conversation in which a participant of a channel spoke last.
CREATE FUNCTION swarmgate.latest_conversation_v1(p_tenant uuid, p_channel uuid, p_participant_key text) RETURNS uuid
LANGUAGE plpgsql STABLE SET role = 'swarmgate_tenant' AS $$
DECLARE
  v uuid;
BEGIN
  PERFORM set_config('swarmgate.tenant_id', p_tenant::text, true);
  SELECT c.id INTO v FROM swarmgate.participants p
    JOIN swarmgate.conversations c ON c.tenant_id = p_tenant AND c.participant_id = p.id
    WHERE p.tenant_id = p_tenant AND p.channel_id = p_channel AND p.external_id = p_participant_key
    ORDER BY c.last_message_at DESC NULLS LAST LIMIT 1;
  RETURN v;
END $$;

-- Full-text look-up in one tenant's knowledge. How many of its passages hold each stem of the question tells rare words
-- from common ones; the ranking itself is the caller's.
CREATE FUNCTION swarmgate.search_knowledge_v1(p_tenant uuid, p_question text, p_limit integer) RETURNS jsonb
LANGUAGE plpgsql STABLE SET role = 'swarmgate_tenant' AS $$
DECLARE
  -- Each stem is looked for in each passage, so a long text must not ask for every word that it has: its first ones do.
  v_stems text[] := ARRAY(SELECT t.lexeme FROM unnest(to_tsvector('english', p_question)) t ORDER BY t.positions[1] LIMIT 48);
  v_query tsquery;
  v jsonb;
BEGIN
  PERFORM set_config('swarmgate.tenant_id', p_tenant::text, true);
  SELECT string_agg(quote_literal(s), ' | ')::tsquery INTO v_query FROM unnest(v_stems) s;
  SELECT jsonb_build_object(
    'passageCount', (SELECT count(*) FROM swarmgate.knowledge_passages k WHERE k.tenant_id = p_tenant),
    'stems', coalesce((SELECT jsonb_agg(jsonb_build_object('stem', s, 'passages',
        (SELECT count(*) FROM swarmgate.knowledge_passages k WHERE k.tenant_id = p_tenant AND k.search @@ quote_literal(s)::tsquery)))
      FROM unnest(v_stems) s), '[]'),
    'passages', coalesce((SELECT jsonb_agg(to_jsonb(x) ORDER BY x.rank DESC) FROM (
      SELECT k.document_id AS "documentId", d.title, k.heading, d.url, k.anchor, k.text, ts_rank_cd(k.search, v_query, 1) AS rank,
          ARRAY(SELECT s FROM unnest(v_stems) s WHERE k.search @@ quote_literal(s)::tsquery) AS "matchedStems"
        FROM swarmgate.knowledge_passages k
        JOIN swarmgate.knowledge_documents d ON d.tenant_id = p_tenant AND d.id = k.document_id
        WHERE k.tenant_id = p_tenant AND k.search @@ v_query
        ORDER BY rank DESC LIMIT p_limit) x), '[]'))
  INTO v;
  RETURN v;
END $$;

-- Where a channel key leads. NULL: nobody has claimed it.
CREATE FUNCTION directory.locate_v1(p_platform text, p_kind text, p_app text, p_key text) RETURNS jsonb
LANGUAGE plpgsql STABLE SET role = 'swarmgate_platform' AS $$
DECLARE
  v jsonb;
BEGIN
  SELECT jsonb_build_object('tenantId', k.tenant_id, 'channelId', k.channel_id, 'cell', k.cell) INTO v
    FROM directory.external_keys k WHERE k.platform = p_platform AND k.kind = p_kind AND k.app = p_app AND k.key = p_key;
  RETURN v;
END $$;

-- A channel as its gateway needs it, with the settings of its tenant and organization.
CREATE FUNCTION swarmgate.describe_channel_v1(p_tenant uuid, p_channel uuid) RETURNS jsonb
LANGUAGE plpgsql STABLE SET role = 'swarmgate_tenant' AS $$
DECLARE
  v jsonb;
BEGIN
  PERFORM set_config('swarmgate.tenant_id', p_tenant::text, true);
  SELECT jsonb_build_object(
      'tenantId', c.tenant_id, 'id', c.id, 'platform', c.platform, 'key', c.key, 'status', c.status, 'statusReason', c.status_reason,
      'settings', c.settings, 'sealed', c.sealed, 'tenantStatus', t.status, 'tenantSettings', t.settings, 'organizationSettings', o.settings,
      'agent', (SELECT jsonb_build_object('name', a.name, 'model', a.model, 'settings', a.settings) FROM swarmgate.agents a
        WHERE a.tenant_id = p_tenant AND (a.id = c.agent_id OR (c.agent_id IS NULL AND a.slug = 'default'))))
    INTO v
    FROM swarmgate.channels c
    JOIN directory.tenants t ON t.id = c.tenant_id
    JOIN directory.organizations o ON o.id = t.organization_id
    WHERE c.tenant_id = p_tenant AND c.id = p_channel;
  RETURN v;
END $$;

-- What is due and has nobody at work on it: ids only, oldest first, a bounded batch of each kind. What has just become due
-- has a wake-up on the way and p_grace_ms for it; what was put back to be tried again at an appointed time has none.
CREATE FUNCTION swarmgate.due_work_v1(p_grace_ms integer, p_limit integer) RETURNS TABLE (kind text, tenant_id uuid, conversation_id uuid)
LANGUAGE plpgsql STABLE SET role = 'swarmgate_sweeper' AS $$
#variable_conflict use_column
DECLARE
  v_now timestamptz := clock_timestamp();
  v_before timestamptz := v_now - make_interval(secs => p_grace_ms / 1000.0);
BEGIN
  RETURN QUERY (SELECT 'turn'::text, c.tenant_id, c.id FROM swarmgate.conversations c
    WHERE c.due_at <= v_now AND (c.due_at <= v_before OR c.waiting_for = 'backoff')
      AND (c.lease_expires_at IS NULL OR c.lease_expires_at < v_now)
    ORDER BY c.due_at LIMIT p_limit);
  RETURN QUERY (SELECT 'delivery'::text, d.tenant_id, d.conversation_id FROM swarmgate.deliveries d
    WHERE d.due_at <= v_now AND (d.due_at <= v_before OR d.attempt > 0)
      AND (d.claim_expires_at IS NULL OR d.claim_expires_at < v_now)
      -- Only the first of a conversation may go: those behind one that waits are no work.
      AND NOT EXISTS (SELECT 1 FROM swarmgate.deliveries e
        WHERE e.tenant_id = d.tenant_id AND e.conversation_id = d.conversation_id
          AND e.state IN ('pending', 'sending') AND e.sequence < d.sequence)
    ORDER BY d.due_at LIMIT p_limit);
END $$;

-- How much waits, and since when, over all tenants: for the metrics.
CREATE FUNCTION swarmgate.backlog_v1() RETURNS TABLE (kind text, depth bigint, oldest_seconds double precision)
LANGUAGE plpgsql STABLE SET role = 'swarmgate_sweeper' AS $$
BEGIN
  RETURN QUERY SELECT 'turn'::text, count(*), coalesce(extract(epoch FROM clock_timestamp() - min(c.due_at)), 0)::double precision
    FROM swarmgate.conversations c WHERE c.due_at <= clock_timestamp();
  RETURN QUERY SELECT 'delivery'::text, count(*), coalesce(extract(epoch FROM clock_timestamp() - min(d.due_at)), 0)::double precision
    FROM swarmgate.deliveries d WHERE d.due_at <= clock_timestamp();
END $$;

-- Nobody calls a function by default. The service enters scopes and calls the functions with a version, each of which
-- steps into a role of its own. The steps inside are for that role, and from inside a tenant no other scope is entered.
REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA swarmgate, directory FROM PUBLIC;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA swarmgate, directory TO swarmgate_service;
REVOKE EXECUTE ON FUNCTION swarmgate.enable_tenant_rls(regclass, text) FROM swarmgate_service;
REVOKE EXECUTE ON FUNCTION
  swarmgate.current_tenant(), swarmgate.hold_lease(uuid, uuid, bigint), swarmgate.describe_turn(uuid, uuid, integer),
  swarmgate.next_turn(uuid, uuid, bigint, integer), swarmgate.next_delivery(uuid, uuid, text, integer)
  FROM swarmgate_service;
GRANT EXECUTE ON FUNCTION
  swarmgate.current_tenant(), swarmgate.hold_lease(uuid, uuid, bigint), swarmgate.describe_turn(uuid, uuid, integer),
  swarmgate.next_turn(uuid, uuid, bigint, integer), swarmgate.next_delivery(uuid, uuid, text, integer)
  TO swarmgate_tenant;
REVOKE EXECUTE ON FUNCTION swarmgate.current_organization() FROM swarmgate_service;
GRANT EXECUTE ON FUNCTION swarmgate.current_organization() TO swarmgate_organization;
GRANT EXECUTE ON FUNCTION swarmgate.enter_tenant(uuid) TO swarmgate_platform;
