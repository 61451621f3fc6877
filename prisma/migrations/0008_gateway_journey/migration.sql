-- The journey of a message between platforms with webhooks, as functions. What 0005_hot_path says of its own holds here.

-- Takes a batch of verified inbound messages, as receive_messages_v1 does. `p_extras` holds, as a JSON document each and
-- NULL on the usual path, what few messages have: { kind, needsAnswer, onlyIfKnown, files, consent, systemReply }.
-- Beside the outcomes of v1 there is 'ignored': the message was for a conversation that is not there.
CREATE FUNCTION swarmgate.receive_messages_v2(
  p_tenants uuid[], p_channels uuid[], p_conversations uuid[], p_conversation_keys text[],
  p_participants uuid[], p_participant_keys text[], p_participant_verified boolean[], p_profiles text[],
  p_messages uuid[], p_keys text[], p_client_ids text[], p_texts text[], p_contents text[], p_turns uuid[], p_extras text[]
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
  v_extra jsonb;
  v_needs_answer boolean;
BEGIN
  FOR i IN SELECT n FROM generate_subscripts(p_tenants, 1) n ORDER BY p_tenants[n], p_channels[n], p_conversation_keys[n], n LOOP
    BEGIN
      v_extra := p_extras[i]::jsonb;
      v_needs_answer := coalesce((v_extra ->> 'needsAnswer')::boolean, true);
      PERFORM set_config('swarmgate.tenant_id', p_tenants[i]::text, true);
      SELECT t.status INTO v_status FROM directory.tenants t JOIN swarmgate.this_cell h ON h.cell = t.cell WHERE t.id = p_tenants[i];
      IF NOT FOUND THEN
        RAISE EXCEPTION 'tenant % is not in this cell', p_tenants[i] USING ERRCODE = 'SG001';
      END IF;

      SELECT c.id, c.next_sequence INTO v_conversation, v_sequence FROM swarmgate.conversations c
        WHERE c.tenant_id = p_tenants[i] AND c.channel_id = p_channels[i] AND c.external_id = p_conversation_keys[i] FOR UPDATE;
      IF NOT FOUND AND (v_extra ->> 'onlyIfKnown')::boolean THEN
        RETURN QUERY SELECT i, 'ignored', NULL::uuid, NULL::uuid, NULL::bigint, NULL::timestamptz, NULL::text, NULL::text;
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
        WHERE c.tenant_id = p_tenants[i] AND c.id = v_conversation;

      RETURN QUERY SELECT i, 'received', v_conversation, p_messages[i], k.sequence, v_at::timestamptz, NULL::text, NULL::text
        FROM swarmgate.inbound_keys k WHERE k.tenant_id = p_tenants[i] AND k.channel_id = p_channels[i] AND k.key = p_keys[i];
    EXCEPTION WHEN OTHERS THEN
      RETURN QUERY SELECT i, 'failed', NULL::uuid, NULL::uuid, NULL::bigint, NULL::timestamptz, SQLSTATE, SQLERRM;
    END;
  END LOOP;
END $$;

-- What few messages bring along: files that stay at their platform for now, a word about consent, an answer that needs no
-- agent. Answers the last sequence that is taken.
CREATE FUNCTION swarmgate.receive_extras(
  p_tenant uuid, p_channel uuid, p_conversation uuid, p_message uuid, p_sequence bigint, p_extra jsonb
) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
  v_reply jsonb := p_extra -> 'systemReply';
  v_consent jsonb := p_extra -> 'consent';
BEGIN
  INSERT INTO swarmgate.files (tenant_id, id, message_id, channel_id, name, content_type, size_bytes, state, source)
    SELECT p_tenant, (f ->> 'id')::uuid, p_message, p_channel, f ->> 'name', f ->> 'contentType', (f ->> 'sizeBytes')::bigint, 'remote', f -> 'source'
      FROM jsonb_array_elements(p_extra -> 'files') f;
  IF v_consent IS NOT NULL THEN
    INSERT INTO swarmgate.consent_entries (tenant_id, id, channel_id, sender, recipient, state, source)
      VALUES (p_tenant, (v_consent ->> 'id')::uuid, p_channel, v_consent ->> 'sender', v_consent ->> 'recipient',
        v_consent ->> 'state', v_consent ->> 'source');
  END IF;
  IF v_reply IS NULL THEN
    RETURN p_sequence;
  END IF;
  INSERT INTO swarmgate.messages (tenant_id, id, conversation_id, sequence, revision, role, in_reply_to_id, text, content, created_at)
    VALUES (p_tenant, (v_reply ->> 'messageId')::uuid, p_conversation, p_sequence + 1, p_sequence + 1, 'system', p_message,
      v_reply ->> 'text', v_reply -> 'content', clock_timestamp());
  INSERT INTO swarmgate.deliveries (tenant_id, id, conversation_id, channel_id, message_id, sequence, state, due_at)
    VALUES (p_tenant, (v_reply ->> 'deliveryId')::uuid, p_conversation, p_channel, (v_reply ->> 'messageId')::uuid, p_sequence + 1,
      'pending', clock_timestamp());
  RETURN p_sequence + 1;
END $$;

-- Keeps an edit, a deletion or a reaction: a row of its own in the mailbox, and what it does to the message that it names.
-- That message is one that was received under p_target_key, or one of whose parts the platform calls p_target_external_id.
-- 'received', 'duplicate' or 'unknown' (it names none of ours; nothing is kept).
CREATE FUNCTION swarmgate.receive_change_v1(
  p_tenant uuid, p_channel uuid, p_key text, p_kind text, p_target_key text, p_target_external_id text,
  p_participant_key text, p_message uuid, p_text text, p_content text
) RETURNS text LANGUAGE plpgsql SET role = 'swarmgate_tenant' SET lock_timeout = '2s' AS $$
DECLARE
  v_target uuid;
  v_conversation uuid;
  v_sequence bigint;
  v_numbers integer := 1;
BEGIN
  PERFORM set_config('swarmgate.tenant_id', p_tenant::text, true);
  SELECT k.message_id, k.conversation_id INTO v_target, v_conversation FROM swarmgate.inbound_keys k
    WHERE k.tenant_id = p_tenant AND k.channel_id = p_channel AND k.key = p_target_key;
  IF NOT FOUND THEN
    SELECT d.message_id, d.conversation_id INTO v_target, v_conversation FROM swarmgate.delivery_parts p
      JOIN swarmgate.deliveries d ON d.tenant_id = p_tenant AND d.id = p.delivery_id
      WHERE p.tenant_id = p_tenant AND p.external_id = p_target_external_id AND d.channel_id = p_channel LIMIT 1;
    IF NOT FOUND THEN
      RETURN 'unknown';
    END IF;
  END IF;
  SELECT c.next_sequence INTO v_sequence FROM swarmgate.conversations c
    WHERE c.tenant_id = p_tenant AND c.id = v_conversation FOR UPDATE;
  INSERT INTO swarmgate.inbound_keys (tenant_id, channel_id, key, conversation_id, message_id, sequence, created_at)
    VALUES (p_tenant, p_channel, p_key, v_conversation, p_message, v_sequence, clock_timestamp())
    ON CONFLICT (tenant_id, channel_id, key) DO NOTHING;
  IF NOT FOUND THEN
    RETURN 'duplicate';
  END IF;
  INSERT INTO swarmgate.messages (tenant_id, id, conversation_id, sequence, revision, role, kind, target_message_id, participant_id, text, content, created_at)
    SELECT p_tenant, p_message, v_conversation, v_sequence, v_sequence, 'visitor', p_kind, v_target,
      (SELECT p.id FROM swarmgate.participants p WHERE p.tenant_id = p_tenant AND p.channel_id = p_channel AND p.external_id = p_participant_key),
      p_text, p_content::jsonb, clock_timestamp();

  IF p_kind = 'edit' THEN
    UPDATE swarmgate.messages m SET text = p_text, revision = v_sequence + 1
      WHERE m.tenant_id = p_tenant AND m.id = v_target AND m.role = 'visitor' AND m.state = 'final';
    v_numbers := 2;
  ELSIF p_kind = 'delete' THEN
    UPDATE swarmgate.messages m SET state = 'deleted', text = '', content = '{}', revision = v_sequence + 1
      WHERE m.tenant_id = p_tenant AND m.id = v_target AND m.state = 'final';
    -- What was taken back before anybody answered it needs no answer; an answer that is being written stops.
    UPDATE swarmgate.turns t SET state = 'done', finished_at = clock_timestamp(), error_code = 'message_deleted'
      WHERE t.tenant_id = p_tenant AND t.message_id = v_target AND t.state = 'pending' AND t.reply_message_id IS NULL;
    UPDATE swarmgate.turns t SET cancel_requested_at = coalesce(t.cancel_requested_at, clock_timestamp())
      WHERE t.tenant_id = p_tenant AND t.message_id = v_target AND t.state IN ('pending', 'running', 'waiting');
    -- Those whose bytes may be kept are deleted for good by the file store, which notes when it is done.
    UPDATE swarmgate.files f SET state = 'deleted', deleted_at = CASE WHEN f.state = 'remote' THEN clock_timestamp() END
      WHERE f.tenant_id = p_tenant AND f.message_id = v_target AND f.state <> 'deleted';
    v_numbers := 2;
  END IF;
  UPDATE swarmgate.conversations c SET next_sequence = v_sequence + v_numbers
    WHERE c.tenant_id = p_tenant AND c.id = v_conversation;
  RETURN 'received';
END $$;

-- Everything a turn needs, as one document. Since this version: who asks, what came along, and buttons that were pressed
-- in the history.
CREATE OR REPLACE FUNCTION swarmgate.describe_turn(p_tenant uuid, p_turn uuid, p_history_max integer) RETURNS jsonb
LANGUAGE plpgsql STABLE AS $$
DECLARE
  v jsonb;
BEGIN
  SELECT jsonb_build_object(
    'turnId', t.id, 'conversationId', t.conversation_id, 'conversationExternalId', c.external_id, 'fence', t.fence, 'attempt', t.attempt,
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

-- The first delivery of a conversation that is not out yet, if it is due and nobody is sending it. `interrupted` says
-- that an earlier attempt ended without a record or without the platform's answer: the platform may have got it.
CREATE OR REPLACE FUNCTION swarmgate.next_delivery(p_tenant uuid, p_conversation uuid, p_holder text, p_claim_ms integer) RETURNS jsonb
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
      'deferrals', v_delivery.deferrals, 'interrupted', v_delivery.state = 'sending' OR v_delivery.uncertain,
      'createdAtMs', round(extract(epoch FROM v_delivery.created_at) * 1000),
      'lastInboundAtMs', (SELECT round(extract(epoch FROM i.created_at) * 1000) FROM swarmgate.messages i
        WHERE i.tenant_id = p_tenant AND i.conversation_id = p_conversation AND i.role = 'visitor' AND i.kind IN ('message', 'action')
        ORDER BY i.sequence DESC LIMIT 1),
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
    LEFT JOIN swarmgate.messages q ON q.tenant_id = p_tenant AND q.id = m.in_reply_to_id
    JOIN swarmgate.participants p ON p.tenant_id = p_tenant AND p.id = coalesce(q.participant_id, c.participant_id)
    JOIN swarmgate.channels ch ON ch.tenant_id = p_tenant AND ch.id = v_delivery.channel_id
    LEFT JOIN swarmgate.turns t ON t.tenant_id = p_tenant AND t.message_id = m.in_reply_to_id
    WHERE m.tenant_id = p_tenant AND m.id = v_delivery.message_id;
  RETURN v;
END $$;

-- Makes the draft and the streaming delivery of an answer, as open_stream_v1 does, and says whether they were there
-- before ('begun'). Until the platform's id of the post is kept, nobody knows whether there is one: the delivery is uncertain.
CREATE FUNCTION swarmgate.open_stream_v2(
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
    INSERT INTO swarmgate.messages (tenant_id, id, conversation_id, role, state, in_reply_to_id)
      SELECT p_tenant, p_message, p_conversation, 'agent', 'draft', t.message_id
        FROM swarmgate.turns t WHERE t.tenant_id = p_tenant AND t.id = p_turn;
    INSERT INTO swarmgate.deliveries (tenant_id, id, conversation_id, channel_id, message_id, state, uncertain)
      SELECT p_tenant, p_delivery, p_conversation, c.channel_id, p_message, 'streaming', true
        FROM swarmgate.conversations c WHERE c.tenant_id = p_tenant AND c.id = p_conversation;
    UPDATE swarmgate.turns t SET reply_message_id = p_message WHERE t.tenant_id = p_tenant AND t.id = p_turn;
  END IF;
  SELECT jsonb_build_object('messageId', d.message_id, 'deliveryId', d.id, 'begun', v_reply IS NOT NULL, 'externalIds', coalesce((
      SELECT jsonb_agg(p.external_id ORDER BY p.number) FROM swarmgate.delivery_parts p
        WHERE p.tenant_id = p_tenant AND p.delivery_id = d.id), '[]'))
    INTO v FROM swarmgate.deliveries d WHERE d.tenant_id = p_tenant AND d.message_id = coalesce(v_reply, p_message);
  RETURN v;
END $$;

-- Keeps the platform's id of a part of a streaming delivery, as keep_stream_part_v1 does; from then on it is known where
-- the post is.
CREATE FUNCTION swarmgate.keep_stream_part_v2(
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
  UPDATE swarmgate.deliveries d SET uncertain = false WHERE d.tenant_id = p_tenant AND d.id = p_delivery;
  RETURN true;
END $$;

-- Keeps the platform's id of a part before the platform hears more. False: the claim is lost, nothing was written.
CREATE FUNCTION swarmgate.keep_delivery_part_v1(
  p_tenant uuid, p_delivery uuid, p_claim bigint, p_number integer, p_external_id text, p_segments integer
) RETURNS boolean LANGUAGE plpgsql SET role = 'swarmgate_tenant' AS $$
BEGIN
  PERFORM set_config('swarmgate.tenant_id', p_tenant::text, true);
  PERFORM 1 FROM swarmgate.deliveries d
    WHERE d.tenant_id = p_tenant AND d.id = p_delivery AND d.state = 'sending' AND d.claim_number = p_claim
      AND d.claim_expires_at > clock_timestamp() FOR UPDATE;
  IF NOT FOUND THEN
    RETURN false;
  END IF;
  INSERT INTO swarmgate.delivery_parts AS x (tenant_id, delivery_id, number, external_id, segments)
    VALUES (p_tenant, p_delivery, p_number, p_external_id, p_segments)
    ON CONFLICT (tenant_id, delivery_id, number) DO UPDATE
      SET external_id = EXCLUDED.external_id, segments = coalesce(EXCLUDED.segments, x.segments);
  RETURN true;
END $$;

-- What a delivery has come to, from what its parts have: failed when one of them has, delivered or read when all have.
CREATE FUNCTION swarmgate.settle_delivery(p_tenant uuid, p_delivery uuid) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
  v_error text;
  v_failed boolean;
  v_read boolean;
  v_delivered boolean;
BEGIN
  SELECT bool_or(x.state = 'failed'), bool_and(x.state = 'read'), bool_and(x.state IN ('delivered', 'read')),
      max(x.error_code) FILTER (WHERE x.state = 'failed')
    INTO v_failed, v_read, v_delivered, v_error
    FROM swarmgate.delivery_parts x WHERE x.tenant_id = p_tenant AND x.delivery_id = p_delivery;
  IF v_failed IS NULL OR NOT (v_failed OR v_delivered) THEN
    RETURN;
  END IF;
  UPDATE swarmgate.deliveries d SET
      state = CASE WHEN v_failed THEN 'failed' WHEN v_read THEN 'read' ELSE 'delivered' END,
      error_code = CASE WHEN v_failed THEN coalesce(v_error, 'unknown') ELSE d.error_code END
    WHERE d.tenant_id = p_tenant AND d.id = p_delivery AND d.state IN ('sent', 'delivered');
END $$;

-- Records what became of a delivery ('sent', 'failed', or 'pending' to try again after p_delay_ms) with the platform's
-- ids of its parts and, with p_next, claims the conversation's next one. p_deferred: it was put off, which is no failure. p_uncertain:
-- this attempt ended without the platform's answer. p_doubled: an earlier one may have arrived too, and the platform
-- could not tell. NULL: the claim is lost, nothing was written.
CREATE FUNCTION swarmgate.sent_and_next_v2(
  p_tenant uuid, p_conversation uuid, p_delivery uuid, p_claim bigint, p_state text, p_external_ids text[],
  p_delay_ms integer, p_deferred boolean, p_uncertain boolean, p_doubled boolean, p_error_code text, p_error_message text,
  p_event uuid, p_next boolean, p_holder text, p_claim_ms integer
) RETURNS jsonb LANGUAGE plpgsql SET role = 'swarmgate_tenant' AS $$
BEGIN
  PERFORM set_config('swarmgate.tenant_id', p_tenant::text, true);
  UPDATE swarmgate.deliveries d SET state = p_state, claim_holder = NULL, claim_expires_at = NULL,
      due_at = CASE WHEN p_state = 'pending' THEN clock_timestamp() + make_interval(secs => p_delay_ms / 1000.0) END,
      sent_at = CASE WHEN p_state = 'sent' THEN clock_timestamp() END,
      deferrals = d.deferrals + CASE WHEN p_deferred THEN 1 ELSE 0 END,
      uncertain = (d.uncertain AND p_state = 'pending') OR p_uncertain,
      error_code = p_error_code, error_message = p_error_message
    WHERE d.tenant_id = p_tenant AND d.id = p_delivery AND d.state = 'sending' AND d.claim_number = p_claim
      AND d.claim_expires_at > clock_timestamp();
  IF NOT FOUND THEN
    RETURN NULL;
  END IF;
  INSERT INTO swarmgate.delivery_parts (tenant_id, delivery_id, number, external_id)
    SELECT p_tenant, p_delivery, x.n, x.external_id FROM unnest(p_external_ids) WITH ORDINALITY AS x (external_id, n)
    ON CONFLICT (tenant_id, delivery_id, number) DO UPDATE SET external_id = EXCLUDED.external_id;
  IF p_state = 'sent' THEN
    PERFORM swarmgate.settle_delivery(p_tenant, p_delivery);
  END IF;
  IF p_state = 'failed' OR p_doubled THEN
    INSERT INTO swarmgate.events (tenant_id, id, kind, subject)
      VALUES (p_tenant, p_event, CASE WHEN p_state = 'failed' THEN 'delivery.failed' ELSE 'delivery.doubled' END,
        jsonb_build_object('conversationId', p_conversation, 'deliveryId', p_delivery, 'error', p_error_code));
  END IF;
  RETURN jsonb_build_object('next',
    CASE WHEN p_next THEN swarmgate.next_delivery(p_tenant, p_conversation, p_holder, p_claim_ms) END);
END $$;

-- Records what the platform says became of a part: by delivery and number where it can tell (it may know before our own
-- record), else by its id. A state never goes back. 'recorded', 'unchanged' or 'unknown'.
CREATE FUNCTION swarmgate.record_status_v1(
  p_tenant uuid, p_channel uuid, p_delivery uuid, p_part integer, p_external_id text, p_state text, p_error_code text, p_segments integer
) RETURNS text LANGUAGE plpgsql SET role = 'swarmgate_tenant' SET lock_timeout = '2s' AS $$
DECLARE
  v_delivery uuid;
  v_part integer := p_part;
BEGIN
  PERFORM set_config('swarmgate.tenant_id', p_tenant::text, true);
  IF p_delivery IS NULL THEN
    SELECT d.id, x.number INTO v_delivery, v_part FROM swarmgate.delivery_parts x
      JOIN swarmgate.deliveries d ON d.tenant_id = p_tenant AND d.id = x.delivery_id
      WHERE x.tenant_id = p_tenant AND x.external_id = p_external_id AND d.channel_id = p_channel LIMIT 1;
  END IF;
  PERFORM 1 FROM swarmgate.deliveries d
    WHERE d.tenant_id = p_tenant AND d.id = coalesce(p_delivery, v_delivery) AND d.channel_id = p_channel FOR UPDATE;
  IF NOT FOUND THEN
    RETURN 'unknown';
  END IF;
  v_delivery := coalesce(p_delivery, v_delivery);
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

-- Begins to say something of our own accord: conversation, message and delivery in one commit. The same p_key again
-- answers what the first one got.
CREATE FUNCTION swarmgate.send_message_v1(
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
  RETURN jsonb_build_object('outcome', 'accepted', 'conversationId', v_conversation, 'messageId', p_message);
END $$;

-- Whether somebody wants no messages from a sender, by any of its names: the latest word of theirs.
CREATE FUNCTION swarmgate.is_opted_out_v1(p_tenant uuid, p_senders text[], p_recipient text) RETURNS boolean
LANGUAGE plpgsql STABLE SET role = 'swarmgate_tenant' AS $$
DECLARE
  v_state text;
BEGIN
  PERFORM set_config('swarmgate.tenant_id', p_tenant::text, true);
  SELECT e.state INTO v_state FROM swarmgate.consent_entries e
    WHERE e.tenant_id = p_tenant AND e.sender = ANY (p_senders) AND e.recipient = p_recipient
    ORDER BY e.created_at DESC, e.id DESC LIMIT 1;
  RETURN coalesce(v_state = 'opted_out', false);
END $$;

CREATE FUNCTION swarmgate.record_consent_v1(
  p_tenant uuid, p_id uuid, p_channel uuid, p_sender text, p_recipient text, p_state text, p_source text
) RETURNS void LANGUAGE plpgsql SET role = 'swarmgate_tenant' AS $$
BEGIN
  PERFORM set_config('swarmgate.tenant_id', p_tenant::text, true);
  INSERT INTO swarmgate.consent_entries (tenant_id, id, channel_id, sender, recipient, state, source)
    VALUES (p_tenant, p_id, p_channel, p_sender, p_recipient, p_state, p_source);
END $$;

-- Closes a channel until somebody has mended what is wrong. False: it was closed already, and the first reason stays; or
-- it was changed since p_version, and may be mended already.
CREATE FUNCTION swarmgate.pause_channel_v1(p_tenant uuid, p_channel uuid, p_version integer, p_reason text, p_event uuid) RETURNS boolean
LANGUAGE plpgsql SET role = 'swarmgate_tenant' AS $$
BEGIN
  PERFORM set_config('swarmgate.tenant_id', p_tenant::text, true);
  UPDATE swarmgate.channels c SET status = 'paused', status_reason = p_reason, version = c.version + 1, updated_at = clock_timestamp()
    WHERE c.tenant_id = p_tenant AND c.id = p_channel AND c.version = p_version AND c.status = 'active';
  IF NOT FOUND THEN
    RETURN false;
  END IF;
  INSERT INTO swarmgate.events (tenant_id, id, kind, subject)
    VALUES (p_tenant, p_event, 'channel.paused', jsonb_build_object('channelId', p_channel));
  RETURN true;
END $$;

-- A channel as its gateway needs it, as describe_channel_v1 has it, and with the number of its changes.
CREATE FUNCTION swarmgate.describe_channel_v2(p_tenant uuid, p_channel uuid) RETURNS jsonb
LANGUAGE plpgsql STABLE SET role = 'swarmgate_tenant' AS $$
DECLARE
  v jsonb;
BEGIN
  PERFORM set_config('swarmgate.tenant_id', p_tenant::text, true);
  SELECT jsonb_build_object(
      'tenantId', c.tenant_id, 'id', c.id, 'platform', c.platform, 'key', c.key, 'version', c.version,
      'status', c.status, 'statusReason', c.status_reason,
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

-- An installation that somebody begins, and the one time that it may end. Old ones go when a new one begins.
CREATE FUNCTION swarmgate.begin_install_v1(p_tenant uuid, p_channel uuid, p_state_hash text, p_ttl_ms integer) RETURNS void
LANGUAGE plpgsql SET role = 'swarmgate_tenant' AS $$
BEGIN
  PERFORM set_config('swarmgate.tenant_id', p_tenant::text, true);
  DELETE FROM swarmgate.install_states s WHERE s.tenant_id = p_tenant AND s.expires_at < clock_timestamp() - interval '1 day';
  INSERT INTO swarmgate.install_states (tenant_id, state_hash, channel_id, expires_at)
    VALUES (p_tenant, p_state_hash, p_channel, clock_timestamp() + make_interval(secs => p_ttl_ms / 1000.0));
END $$;

CREATE FUNCTION swarmgate.use_install_v1(p_tenant uuid, p_state_hash text) RETURNS uuid
LANGUAGE plpgsql SET role = 'swarmgate_tenant' AS $$
DECLARE
  v_channel uuid;
BEGIN
  PERFORM set_config('swarmgate.tenant_id', p_tenant::text, true);
  UPDATE swarmgate.install_states s SET used_at = clock_timestamp()
    WHERE s.tenant_id = p_tenant AND s.state_hash = p_state_hash AND s.used_at IS NULL AND s.expires_at > clock_timestamp()
    RETURNING s.channel_id INTO v_channel;
  RETURN v_channel;
END $$;

-- Notes an account that nobody claims. Its first reason and time stay.
CREATE FUNCTION directory.quarantine_v1(p_platform text, p_kind text, p_app text, p_key text, p_reason text) RETURNS void
LANGUAGE plpgsql SET role = 'swarmgate_platform' AS $$
BEGIN
  -- Who has an app of its own can name as many accounts as it likes: the latest are enough to see that.
  DELETE FROM directory.quarantine q WHERE q.platform = p_platform AND q.app = p_app AND (q.kind, q.key) IN (
    SELECT o.kind, o.key FROM directory.quarantine o WHERE o.platform = p_platform AND o.app = p_app
      ORDER BY o.last_seen_at DESC OFFSET 500);
  INSERT INTO directory.quarantine AS q (platform, kind, app, key, reason) VALUES (p_platform, p_kind, p_app, p_key, p_reason)
    ON CONFLICT (platform, kind, app, key) DO UPDATE SET seen = q.seen + 1, last_seen_at = clock_timestamp();
END $$;

-- Every account of a kind that is claimed: ids only.
CREATE FUNCTION directory.list_claims_v1(p_platform text, p_kind text) RETURNS TABLE (tenant_id uuid, channel_id uuid, app text, key text)
LANGUAGE plpgsql STABLE SET role = 'swarmgate_platform' AS $$
BEGIN
  RETURN QUERY SELECT k.tenant_id, k.channel_id, k.app, k.key FROM directory.external_keys k
    WHERE k.platform = p_platform AND k.kind = p_kind;
END $$;

-- Takes or keeps the one socket of an app. False: another process holds it.
CREATE FUNCTION directory.take_socket_v1(p_platform text, p_app text, p_holder text, p_lease_ms integer) RETURNS boolean
LANGUAGE plpgsql SET role = 'swarmgate_platform' AS $$
BEGIN
  INSERT INTO directory.socket_leases AS l (platform, app, holder, expires_at)
    VALUES (p_platform, p_app, p_holder, clock_timestamp() + make_interval(secs => p_lease_ms / 1000.0))
    ON CONFLICT (platform, app) DO UPDATE SET holder = EXCLUDED.holder, expires_at = EXCLUDED.expires_at
      WHERE l.holder = EXCLUDED.holder OR l.expires_at < clock_timestamp();
  RETURN FOUND;
END $$;

CREATE FUNCTION directory.release_socket_v1(p_platform text, p_app text, p_holder text) RETURNS void
LANGUAGE plpgsql SET role = 'swarmgate_platform' AS $$
BEGIN
  DELETE FROM directory.socket_leases l WHERE l.platform = p_platform AND l.app = p_app AND l.holder = p_holder;
END $$;

REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA swarmgate, directory FROM PUBLIC;
GRANT EXECUTE ON FUNCTION
  swarmgate.receive_messages_v2(uuid[], uuid[], uuid[], text[], uuid[], text[], boolean[], text[], uuid[], text[], text[], text[], text[], uuid[], text[]),
  swarmgate.receive_change_v1(uuid, uuid, text, text, text, text, text, uuid, text, text),
  swarmgate.open_stream_v2(uuid, uuid, bigint, uuid, uuid, uuid),
  swarmgate.keep_stream_part_v2(uuid, uuid, bigint, uuid, integer, text),
  swarmgate.keep_delivery_part_v1(uuid, uuid, bigint, integer, text, integer),
  swarmgate.sent_and_next_v2(uuid, uuid, uuid, bigint, text, text[], integer, boolean, boolean, boolean, text, text, uuid, boolean, text, integer),
  swarmgate.record_status_v1(uuid, uuid, uuid, integer, text, text, text, integer),
  swarmgate.send_message_v1(uuid, uuid, text, uuid, text, uuid, text, uuid, uuid, text, text, text),
  swarmgate.is_opted_out_v1(uuid, text[], text),
  swarmgate.record_consent_v1(uuid, uuid, uuid, text, text, text, text),
  swarmgate.describe_channel_v2(uuid, uuid),
  swarmgate.pause_channel_v1(uuid, uuid, integer, text, uuid),
  swarmgate.begin_install_v1(uuid, uuid, text, integer),
  swarmgate.use_install_v1(uuid, text),
  directory.quarantine_v1(text, text, text, text, text),
  directory.list_claims_v1(text, text),
  directory.take_socket_v1(text, text, text, integer),
  directory.release_socket_v1(text, text, text)
  TO swarmgate_service;
GRANT EXECUTE ON FUNCTION
  swarmgate.receive_extras(uuid, uuid, uuid, uuid, bigint, jsonb), swarmgate.settle_delivery(uuid, uuid)
  TO swarmgate_tenant;
