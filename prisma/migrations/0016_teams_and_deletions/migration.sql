-- A body is checked under the role that its function steps into, which may not call a function that was there before.
SET LOCAL check_function_bodies = off;

-- Keeps an edit, a deletion or a reaction, as before. What a person has deleted is gone: of a deleted message the text of
-- its edits goes too, and an edit that comes after the deletion leaves none.
CREATE OR REPLACE FUNCTION swarmgate.receive_change_v1(
  p_tenant uuid, p_channel uuid, p_key text, p_kind text, p_target_key text, p_target_external_id text,
  p_participant_key text, p_message uuid, p_text text, p_content text
) RETURNS text LANGUAGE plpgsql SET role = 'swarmgate_tenant' SET lock_timeout = '2s' AS $$
DECLARE
  v_target uuid;
  v_is_gone boolean;
  v_conversation uuid;
  v_delivery uuid;
  v_sequence bigint;
  v_numbers integer := 1;
BEGIN
  PERFORM set_config('swarmgate.tenant_id', p_tenant::text, true);
  SELECT k.message_id, k.conversation_id INTO v_target, v_conversation FROM swarmgate.inbound_keys k
    WHERE k.tenant_id = p_tenant AND k.channel_id = p_channel AND k.key = p_target_key;
  IF NOT FOUND THEN
    -- One is looked up for each row of the other: 0014_batches says why.
    FOR v_delivery IN SELECT p.delivery_id FROM swarmgate.delivery_parts p
        WHERE p.tenant_id = p_tenant AND p.external_id = p_target_external_id LOOP
      SELECT d.message_id, d.conversation_id INTO v_target, v_conversation FROM swarmgate.deliveries d
        WHERE d.tenant_id = p_tenant AND d.id = v_delivery AND d.channel_id = p_channel;
      EXIT WHEN FOUND;
    END LOOP;
    IF v_target IS NULL THEN
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
  -- Changes of one message wait for each other at its conversation.
  SELECT m.state = 'deleted' INTO v_is_gone FROM swarmgate.messages m WHERE m.tenant_id = p_tenant AND m.id = v_target;
  INSERT INTO swarmgate.messages (tenant_id, id, conversation_id, sequence, revision, role, kind, target_message_id, participant_id, text, content, created_at)
    SELECT p_tenant, p_message, v_conversation, v_sequence, v_sequence, 'visitor', p_kind, v_target,
      (SELECT p.id FROM swarmgate.participants p WHERE p.tenant_id = p_tenant AND p.channel_id = p_channel AND p.external_id = p_participant_key),
      CASE WHEN p_kind = 'edit' AND v_is_gone THEN '' ELSE p_text END, p_content::jsonb, clock_timestamp();

  IF p_kind = 'edit' THEN
    UPDATE swarmgate.messages m SET text = p_text, revision = v_sequence + 1
      WHERE m.tenant_id = p_tenant AND m.id = v_target AND m.role = 'visitor' AND m.state = 'final';
    v_numbers := 2;
  ELSIF p_kind = 'delete' THEN
    UPDATE swarmgate.messages m SET state = 'deleted', text = '', content = '{}', revision = v_sequence + 1
      WHERE m.tenant_id = p_tenant AND m.id = v_target AND m.state = 'final';
    -- What it said after each edit stands in the row of that edit.
    UPDATE swarmgate.messages m SET text = '', content = '{}'
      WHERE m.tenant_id = p_tenant AND m.conversation_id = v_conversation AND m.target_message_id = v_target AND m.kind = 'edit';
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

-- Notes that nothing can be sent to a conversation for now. One that was never heard of has no row yet; it gets one with
-- `p_reference`, by which it was tried, so that it is not tried again and again.
CREATE FUNCTION swarmgate.block_reference_v2(p_tenant uuid, p_channel uuid, p_conversation text, p_reference text, p_reason text) RETURNS void
LANGUAGE plpgsql SET role = 'swarmgate_tenant' AS $$
BEGIN
  PERFORM set_config('swarmgate.tenant_id', p_tenant::text, true);
  INSERT INTO swarmgate.conversation_references AS r (tenant_id, channel_id, conversation_external_id, reference, blocked_reason)
    VALUES (p_tenant, p_channel, p_conversation, p_reference::jsonb, p_reason)
    ON CONFLICT (tenant_id, channel_id, conversation_external_id) DO UPDATE
      SET blocked_reason = EXCLUDED.blocked_reason, updated_at = clock_timestamp();
END $$;

-- A streamed delivery is in doubt from before its first post until that is kept. Whoever asked for the post may know that
-- there is none: then there is no doubt. False: the lease is lost, and nothing was written.
CREATE FUNCTION swarmgate.clear_stream_doubt_v1(p_tenant uuid, p_conversation uuid, p_fence bigint, p_delivery uuid) RETURNS boolean
LANGUAGE plpgsql SET role = 'swarmgate_tenant' AS $$
BEGIN
  PERFORM set_config('swarmgate.tenant_id', p_tenant::text, true);
  IF NOT swarmgate.hold_lease(p_tenant, p_conversation, p_fence) THEN
    RETURN false;
  END IF;
  UPDATE swarmgate.deliveries d SET uncertain = false
    WHERE d.tenant_id = p_tenant AND d.id = p_delivery AND d.conversation_id = p_conversation AND d.state = 'streaming';
  RETURN true;
END $$;

REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA swarmgate, directory FROM PUBLIC;
GRANT EXECUTE ON FUNCTION
  swarmgate.block_reference_v2(uuid, uuid, text, text, text),
  swarmgate.clear_stream_doubt_v1(uuid, uuid, bigint, uuid)
  TO swarmgate_service;
