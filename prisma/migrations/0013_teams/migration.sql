-- How a conversation is reached again, on platforms whose messages say where answers go (Teams: the address of its
-- service, and its own id of a chat with a person).
CREATE TABLE swarmgate.conversation_references (
  tenant_id uuid NOT NULL,
  channel_id uuid NOT NULL,
  conversation_external_id text NOT NULL,
  -- What the gateway needs; only verified requests bring it.
  reference jsonb NOT NULL,
  -- Why nothing is sent there at the moment: the bot was removed, or the person has blocked it.
  blocked_reason text,
  updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (tenant_id, channel_id, conversation_external_id),
  CONSTRAINT conversation_references_tenant_id_channel_id_fkey FOREIGN KEY (tenant_id, channel_id)
    REFERENCES swarmgate.channels (tenant_id, id) ON DELETE RESTRICT ON UPDATE RESTRICT
);
CREATE INDEX conversation_references_latest_idx ON swarmgate.conversation_references (tenant_id, channel_id, updated_at DESC);
SELECT swarmgate.enable_tenant_rls('swarmgate.conversation_references');

-- Every message brings one, and nearly all say what is known already: those write nothing. What was put off because the
-- conversation was blocked is due once it no longer is.
CREATE FUNCTION swarmgate.keep_reference_v1(
  p_tenant uuid, p_channel uuid, p_conversation text, p_reference text, p_blocked_reason text
) RETURNS void LANGUAGE plpgsql SET role = 'swarmgate_tenant' AS $$
DECLARE
  v_was_blocked boolean;
BEGIN
  PERFORM set_config('swarmgate.tenant_id', p_tenant::text, true);
  SELECT r.blocked_reason IS NOT NULL INTO v_was_blocked FROM swarmgate.conversation_references r
    WHERE r.tenant_id = p_tenant AND r.channel_id = p_channel AND r.conversation_external_id = p_conversation;
  INSERT INTO swarmgate.conversation_references AS r (tenant_id, channel_id, conversation_external_id, reference, blocked_reason)
    VALUES (p_tenant, p_channel, p_conversation, p_reference::jsonb, p_blocked_reason)
    ON CONFLICT (tenant_id, channel_id, conversation_external_id) DO UPDATE
      SET reference = EXCLUDED.reference, blocked_reason = EXCLUDED.blocked_reason, updated_at = clock_timestamp()
      WHERE (r.reference, r.blocked_reason) IS DISTINCT FROM (EXCLUDED.reference, EXCLUDED.blocked_reason);
  IF v_was_blocked AND p_blocked_reason IS NULL THEN
    -- The threads of a channel are reached as the channel is: their ids go on behind a semicolon.
    UPDATE swarmgate.deliveries d SET due_at = clock_timestamp()
      FROM swarmgate.conversations c
      WHERE d.tenant_id = p_tenant AND d.state = 'pending' AND d.due_at > clock_timestamp()
        AND c.tenant_id = p_tenant AND c.id = d.conversation_id AND c.channel_id = p_channel
        AND split_part(c.external_id, ';', 1) = p_conversation;
  END IF;
END $$;

CREATE FUNCTION swarmgate.block_reference_v1(p_tenant uuid, p_channel uuid, p_conversation text, p_reason text) RETURNS void
LANGUAGE plpgsql SET role = 'swarmgate_tenant' AS $$
BEGIN
  PERFORM set_config('swarmgate.tenant_id', p_tenant::text, true);
  UPDATE swarmgate.conversation_references r SET blocked_reason = p_reason, updated_at = clock_timestamp()
    WHERE r.tenant_id = p_tenant AND r.channel_id = p_channel AND r.conversation_external_id = p_conversation;
END $$;

-- The reference of a conversation; without one, the latest of the channel: { reference, blockedReason }.
CREATE FUNCTION swarmgate.find_reference_v1(p_tenant uuid, p_channel uuid, p_conversation text) RETURNS jsonb
LANGUAGE plpgsql STABLE SET role = 'swarmgate_tenant' AS $$
DECLARE
  v jsonb;
BEGIN
  PERFORM set_config('swarmgate.tenant_id', p_tenant::text, true);
  SELECT jsonb_build_object('reference', r.reference, 'blockedReason', r.blocked_reason) INTO v
    FROM swarmgate.conversation_references r
    WHERE r.tenant_id = p_tenant AND r.channel_id = p_channel
      AND (p_conversation IS NULL OR r.conversation_external_id = p_conversation)
    ORDER BY r.updated_at DESC LIMIT 1;
  RETURN v;
END $$;

REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA swarmgate, directory FROM PUBLIC;
GRANT EXECUTE ON FUNCTION
  swarmgate.keep_reference_v1(uuid, uuid, text, text, text),
  swarmgate.block_reference_v1(uuid, uuid, text, text),
  swarmgate.find_reference_v1(uuid, uuid, text)
  TO swarmgate_service;
