-- A body is checked under the role that its function steps into, which may not call a function that was there before.
SET LOCAL check_function_bodies = off;

-- `overwritten_claim`: the claim under which the final text went out while a worker that had lost its lease may have put an
-- unfinished one into the same post. What is sent under it is edited once more; a later claim begins after that anyway.
ALTER TABLE swarmgate.deliveries ADD COLUMN overwritten_claim bigint;

-- As before; what was sent under an overwritten claim is due once more, a little later: what overwrote it may be on its way
-- to the platform still.
CREATE OR REPLACE FUNCTION swarmgate.record_delivery(
  p_tenant uuid, p_conversation uuid, p_delivery uuid, p_claim bigint, p_state text, p_external_ids jsonb,
  p_delay_ms integer, p_deferred boolean, p_uncertain boolean, p_doubled boolean, p_error_code text, p_error_message text,
  p_event uuid, p_next boolean, p_holder text, p_claim_ms integer
) RETURNS json LANGUAGE plpgsql AS $$
DECLARE
  v_reported boolean;
BEGIN
  UPDATE swarmgate.deliveries d SET claim_holder = NULL, claim_expires_at = NULL,
      state = CASE WHEN p_state = 'sent' AND d.overwritten_claim = p_claim THEN 'pending' ELSE p_state END,
      due_at = CASE WHEN p_state = 'pending' THEN clock_timestamp() + make_interval(secs => p_delay_ms / 1000.0)
        WHEN p_state = 'sent' AND d.overwritten_claim = p_claim THEN clock_timestamp() + interval '1 s' END,
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

-- Claims as begin_delivery_v1 does, and also before its time what was put off under a claim of the caller's, unless somebody
-- has claimed it since: what it waited for is there.
CREATE FUNCTION swarmgate.begin_put_off_delivery_v1(
  p_tenant uuid, p_conversation uuid, p_delivery uuid, p_claim bigint, p_holder text, p_claim_ms integer
) RETURNS jsonb LANGUAGE plpgsql SET role = 'swarmgate_tenant' AS $$
BEGIN
  PERFORM set_config('swarmgate.tenant_id', p_tenant::text, true);
  UPDATE swarmgate.deliveries d SET due_at = clock_timestamp()
    WHERE d.tenant_id = p_tenant AND d.id = p_delivery AND coalesce(d.state = 'pending', false) AND d.claim_number = p_claim;
  RETURN swarmgate.next_delivery(p_tenant, p_conversation, p_holder, p_claim_ms);
END $$;

REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA swarmgate, directory FROM PUBLIC;
GRANT EXECUTE ON FUNCTION swarmgate.begin_put_off_delivery_v1(uuid, uuid, uuid, bigint, text, integer) TO swarmgate_service;
