-- Turns and deliveries that were given up can be looked at, tried once more, and put away.

-- A body is checked under the role that its function steps into, which may not call a function that was there before.
SET LOCAL check_function_bodies = off;

-- `replays`: how often an operator had it tried once more. `purged_at`: put away; its row and its end stay.
ALTER TABLE swarmgate.turns
  ADD COLUMN replays integer NOT NULL DEFAULT 0,
  ADD COLUMN purged_at timestamptz(3);
-- `queued_at`: since when it has been trying, which is not given up before a day has passed.
ALTER TABLE swarmgate.deliveries
  ADD COLUMN replays integer NOT NULL DEFAULT 0,
  ADD COLUMN purged_at timestamptz(3),
  ADD COLUMN queued_at timestamptz(3) NOT NULL DEFAULT now();
UPDATE swarmgate.deliveries SET queued_at = created_at;

CREATE INDEX turns_dead_idx ON swarmgate.turns (tenant_id, finished_at) WHERE state = 'dead' AND purged_at IS NULL;
CREATE INDEX deliveries_failed_idx ON swarmgate.deliveries (tenant_id, queued_at) WHERE state = 'failed' AND purged_at IS NULL;

-- As before, with the time since when it has been trying.
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
      'queuedAtMs', round(extract(epoch FROM v_delivery.queued_at) * 1000),
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
