-- Who cannot find a slot stands in line from the first. Until now a message made its conversation due and woke it, however
-- many of the tenant were due before it; each of them was then taken from the queue, asked for a slot, and was turned away.
-- After a tenant's storm that cost everybody seconds of the workers and of the database.
SET LOCAL check_function_bodies = off;

-- Whether a tenant's conversations stand in line for a slot, or would if one more became due: as many as may run at once are
-- due or run. A turn that ends hands its slot on to the line, and the sweeper does so where nothing runs.
CREATE FUNCTION swarmgate.has_line(p_tenant uuid, p_running_max integer) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
  v_now timestamptz := clock_timestamp();
BEGIN
  PERFORM FROM swarmgate.conversations c WHERE c.tenant_id = p_tenant AND c.waiting_for = 'slot' LIMIT 1;
  IF FOUND THEN
    RETURN true;
  END IF;
  -- To count further would cost each message more than to be turned away does.
  IF p_running_max > 1000 THEN
    RETURN false;
  END IF;
  PERFORM FROM swarmgate.conversations c WHERE c.tenant_id = p_tenant AND c.due_at IS NOT NULL AND c.due_at <= v_now
    LIMIT 1 OFFSET p_running_max - 1;
  RETURN FOUND;
END $$;

-- As before, and a conversation that would become due stands in the line of its tenant, when there is one.
CREATE OR REPLACE FUNCTION swarmgate.receive_message(
  p_ordinal integer, p_tenant uuid, p_channel uuid, p_conversation uuid, p_conversation_key text,
  p_participant uuid, p_participant_key text, p_participant_verified boolean, p_profile text,
  p_message uuid, p_key text, p_client_id text, p_text text, p_content text, p_turn uuid, p_extra text
) RETURNS swarmgate.received LANGUAGE plpgsql AS $$
DECLARE
  v swarmgate.received;
  v_extra jsonb := p_extra::jsonb;
  v_needs_answer boolean := coalesce((v_extra ->> 'needsAnswer')::boolean, true);
  v_runs boolean;
  v_running_max integer;
  v_stands_in_line boolean;
  v_participant uuid;
  v_is_new boolean;
  v_was_due boolean := false;
  v_last bigint;
  v_at timestamptz(3) := clock_timestamp();
BEGIN
  PERFORM set_config('swarmgate.tenant_id', p_tenant::text, true);
  v.ordinal := p_ordinal;
  v.became_due := false;
  SELECT t.status = 'active', coalesce(p.weight, f.weight), coalesce(t.running_turns_max, p.running_turns_max, f.running_turns_max)
    INTO v_runs, v.weight, v_running_max FROM directory.tenants t
    JOIN swarmgate.this_cell h ON h.cell = t.cell
    JOIN directory.organizations o ON o.id = t.organization_id
    JOIN directory.plans f ON f.name = 'free'
    LEFT JOIN directory.plans p ON p.name = o.plan
    WHERE t.id = p_tenant;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'tenant % is not in this cell', p_tenant USING ERRCODE = 'SG001';
  END IF;

  SELECT c.id, c.next_sequence, c.due_at IS NOT NULL INTO v.conversation_id, v.sequence, v_was_due FROM swarmgate.conversations c
    WHERE c.tenant_id = p_tenant AND c.channel_id = p_channel AND c.external_id = p_conversation_key FOR UPDATE;
  v_is_new := NOT FOUND;
  v_was_due := v_was_due IS TRUE;
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

  v_stands_in_line := v_needs_answer AND v_runs AND NOT v_was_due AND swarmgate.has_line(p_tenant, v_running_max);

  -- Most conversations begin with a message that is to be answered: it is written as it stands in the end.
  IF v_is_new THEN
    INSERT INTO swarmgate.conversations (tenant_id, id, channel_id, participant_id, external_id, next_sequence, last_message_at, due_at, waiting_for, waiting_since)
      VALUES (p_tenant, p_conversation, p_channel, v_participant, p_conversation_key, 2, v_at,
        CASE WHEN v_needs_answer AND v_runs AND NOT v_stands_in_line THEN clock_timestamp() END,
        CASE WHEN v_stands_in_line THEN 'slot' WHEN v_needs_answer AND NOT v_runs THEN 'suspension' END,
        CASE WHEN v_stands_in_line THEN clock_timestamp() END)
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
    v.became_due := v_needs_answer AND v_runs AND NOT v_stands_in_line;
  ELSE
    UPDATE swarmgate.conversations c SET
      next_sequence = v_last + 1,
      last_message_at = v_at,
      status = 'open',
      waiting_for = CASE WHEN NOT v_needs_answer THEN c.waiting_for
        WHEN NOT v_runs THEN 'suspension'
        WHEN v_stands_in_line THEN coalesce(nullif(c.waiting_for, 'suspension'), 'slot')
        ELSE nullif(c.waiting_for, 'suspension') END,
      waiting_since = CASE WHEN v_stands_in_line THEN coalesce(c.waiting_since, clock_timestamp()) ELSE c.waiting_since END,
      due_at = CASE
        WHEN NOT v_needs_answer THEN c.due_at
        WHEN NOT v_runs THEN NULL
        WHEN v_stands_in_line THEN c.due_at
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

REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA swarmgate FROM PUBLIC;
GRANT EXECUTE ON FUNCTION swarmgate.has_line(uuid, integer) TO swarmgate_tenant;
