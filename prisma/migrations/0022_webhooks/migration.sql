-- Webhooks of tenants: who wants to be told of what, what there is to tell, and what came of telling it. How an event gets
-- here without the journey of a message knowing of it: docs/decisions/0020.
--
-- Lock order: an endpoint's row first, then what hangs on it. Whoever adds to what hangs on it shares its key, and waits for
-- nobody but who removes it.

-- A body is checked under the role that its function steps into, which may not call a function that was there before.
SET LOCAL check_function_bodies = off;

CREATE TABLE swarmgate.webhook_endpoints (
  tenant_id uuid NOT NULL REFERENCES directory.tenants (id) ON DELETE RESTRICT ON UPDATE RESTRICT,
  id uuid NOT NULL,
  url text NOT NULL,
  description text NOT NULL DEFAULT '',
  -- Types of events; `*` is every one.
  event_types text[] NOT NULL CHECK (cardinality(event_types) > 0),
  -- Whether the text of a message goes along, which is told of by its ids otherwise.
  include_text boolean NOT NULL DEFAULT false,
  status text NOT NULL DEFAULT 'enabled' CHECK (status IN ('enabled', 'disabled')),
  disabled_reason text CHECK (disabled_reason IN ('requested', 'gone', 'failing')),
  sealed_secret text NOT NULL,
  -- The one before it, by which what is sent is signed too until then.
  sealed_previous_secret text,
  previous_until timestamptz,
  -- Its receiver wants to be left alone until then.
  not_before timestamptz,
  -- Since when no attempt has gone through.
  failing_since timestamptz,
  version integer NOT NULL DEFAULT 1,
  created_at timestamptz(3) NOT NULL DEFAULT now(),
  updated_at timestamptz(3) NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant_id, id),
  CONSTRAINT webhook_endpoints_disabled_for_a_reason CHECK ((status = 'disabled') = (disabled_reason IS NOT NULL))
);
SELECT swarmgate.enable_tenant_rls('swarmgate.webhook_endpoints');

-- What somebody is told of. `data` is what is sent, ids as on the wire; never anybody's text.
CREATE TABLE swarmgate.webhook_events (
  tenant_id uuid NOT NULL REFERENCES directory.tenants (id) ON DELETE RESTRICT ON UPDATE RESTRICT,
  id uuid NOT NULL,
  type text NOT NULL,
  occurred_at timestamptz(3) NOT NULL,
  data jsonb NOT NULL,
  -- The message whose text goes along where it is wanted, as it is at that moment. It may be gone by then: no foreign key.
  message_id uuid,
  created_at timestamptz(3) NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (tenant_id, id)
);
SELECT swarmgate.enable_tenant_rls('swarmgate.webhook_events');
CREATE INDEX webhook_events_created_at_tenant_id_idx ON swarmgate.webhook_events (created_at, tenant_id);

-- An event on its way to one endpoint.
CREATE TABLE swarmgate.webhook_deliveries (
  tenant_id uuid NOT NULL,
  event_id uuid NOT NULL,
  endpoint_id uuid NOT NULL,
  state text NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'delivered', 'failed')),
  -- All of them, and those since it was told or replayed last.
  attempts integer NOT NULL DEFAULT 0,
  tries integer NOT NULL DEFAULT 0,
  -- NULL: there is nothing to do. While it is being sent: when whoever sends it is given up.
  due_at timestamptz DEFAULT clock_timestamp(),
  claim_number bigint NOT NULL DEFAULT 0,
  claim_expires_at timestamptz,
  -- Of the latest attempt.
  status integer,
  error_code text,
  created_at timestamptz(3) NOT NULL DEFAULT clock_timestamp(),
  finished_at timestamptz(3),
  PRIMARY KEY (tenant_id, event_id, endpoint_id),
  CONSTRAINT webhook_deliveries_tenant_id_endpoint_id_fkey FOREIGN KEY (tenant_id, endpoint_id)
    REFERENCES swarmgate.webhook_endpoints (tenant_id, id) ON DELETE RESTRICT ON UPDATE RESTRICT,
  CONSTRAINT webhook_deliveries_tenant_id_event_id_fkey FOREIGN KEY (tenant_id, event_id)
    REFERENCES swarmgate.webhook_events (tenant_id, id) ON DELETE RESTRICT ON UPDATE RESTRICT,
  CONSTRAINT webhook_deliveries_pending_is_due CHECK ((state = 'pending') = (due_at IS NOT NULL))
) WITH (fillfactor = 80);
SELECT swarmgate.enable_tenant_rls('swarmgate.webhook_deliveries');
CREATE INDEX webhook_deliveries_endpoint_id_event_id_tenant_id_idx ON swarmgate.webhook_deliveries (endpoint_id, event_id, tenant_id);
CREATE INDEX webhook_deliveries_due_idx ON swarmgate.webhook_deliveries (tenant_id, endpoint_id, due_at) WHERE due_at IS NOT NULL;
CREATE INDEX webhook_deliveries_claimed_idx ON swarmgate.webhook_deliveries (tenant_id, endpoint_id, claim_expires_at)
  WHERE claim_expires_at IS NOT NULL;
CREATE INDEX webhook_deliveries_failed_idx ON swarmgate.webhook_deliveries (tenant_id, endpoint_id, created_at) WHERE state = 'failed';

CREATE TABLE swarmgate.webhook_attempts (
  tenant_id uuid NOT NULL,
  event_id uuid NOT NULL,
  endpoint_id uuid NOT NULL,
  number integer NOT NULL,
  started_at timestamptz(3) NOT NULL,
  -- NULL: whoever made it was never heard of again, and nobody knows whether it arrived.
  duration_ms integer,
  outcome text NOT NULL CHECK (outcome IN ('delivered', 'failed', 'interrupted')),
  status integer,
  error_code text,
  -- What the receiver answered, its beginning.
  answer text,
  PRIMARY KEY (tenant_id, event_id, endpoint_id, number),
  CONSTRAINT webhook_attempts_tenant_id_event_id_endpoint_id_fkey FOREIGN KEY (tenant_id, event_id, endpoint_id)
    REFERENCES swarmgate.webhook_deliveries (tenant_id, event_id, endpoint_id) ON DELETE RESTRICT ON UPDATE RESTRICT
);
SELECT swarmgate.enable_tenant_rls('swarmgate.webhook_attempts');

-- ── what there is to tell ───────────────────────────────────────────────────────────────────────────────────────────

-- Whether anybody wants to be told of one of these, in the tenant that was entered.
CREATE FUNCTION swarmgate.has_webhook_for(p_types text[]) RETURNS boolean LANGUAGE plpgsql STABLE AS $$
BEGIN
  RETURN EXISTS (SELECT FROM swarmgate.webhook_endpoints e
    WHERE e.tenant_id = swarmgate.current_tenant() AND e.status = 'enabled' AND e.event_types && p_types);
END $$;

-- A row that somebody wants to be told of says so from its first moment, by the default of a column that no statement of the
-- journey names. Where nobody does, it is in no index of ours.
ALTER TABLE swarmgate.messages ADD COLUMN untold boolean NOT NULL DEFAULT false;
ALTER TABLE swarmgate.messages ALTER COLUMN untold
  SET DEFAULT swarmgate.has_webhook_for(ARRAY['*', 'message.received', 'message.answered', 'conversation.started']);
CREATE INDEX messages_untold_idx ON swarmgate.messages (tenant_id, created_at) WHERE untold AND state <> 'draft';

ALTER TABLE swarmgate.events ADD COLUMN untold boolean NOT NULL DEFAULT false;
ALTER TABLE swarmgate.events ALTER COLUMN untold
  SET DEFAULT swarmgate.has_webhook_for(ARRAY['*', 'turn.failed', 'delivery.failed', 'channel.status_changed']);
CREATE INDEX events_untold_idx ON swarmgate.events (tenant_id, created_at) WHERE untold;

-- An id as it is on the wire.
CREATE FUNCTION swarmgate.wire_id(p_prefix text, p_id text) RETURNS text LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
  RETURN p_prefix || '_' || replace(p_id, '-', '');
END $$;

-- Keeps an event for every endpoint that wants it; nothing where none does. The same event again has no effect.
CREATE FUNCTION swarmgate.tell_webhooks(p_tenant uuid, p_id uuid, p_type text, p_at timestamptz, p_data jsonb, p_message uuid) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
  IF NOT EXISTS (SELECT FROM swarmgate.webhook_endpoints e
      WHERE e.tenant_id = p_tenant AND e.status = 'enabled' AND e.event_types && ARRAY['*', p_type]) THEN
    RETURN;
  END IF;
  INSERT INTO swarmgate.webhook_events (tenant_id, id, type, occurred_at, data, message_id)
    VALUES (p_tenant, p_id, p_type, p_at, p_data, p_message)
    ON CONFLICT (tenant_id, id) DO NOTHING;
  INSERT INTO swarmgate.webhook_deliveries (tenant_id, endpoint_id, event_id)
    SELECT p_tenant, t.id, p_id FROM (
      SELECT e.id FROM swarmgate.webhook_endpoints e
        WHERE e.tenant_id = p_tenant AND e.status = 'enabled' AND e.event_types && ARRAY['*', p_type]
        ORDER BY e.id FOR KEY SHARE) t
    ON CONFLICT (tenant_id, event_id, endpoint_id) DO NOTHING;
END $$;

-- Makes events of what the journey has written: each once, in the commit that says that it was told. Answers how many rows it
-- has looked at. What somebody else has in hand is theirs.
CREATE FUNCTION swarmgate.tell_untold_v1(p_tenant uuid, p_limit integer) RETURNS integer
LANGUAGE plpgsql SET role = 'swarmgate_tenant' SET lock_timeout = '500ms' AS $$
DECLARE
  m record;
  e record;
  v_channel uuid;
  v_data jsonb;
  v_type text;
  v_seen integer := 0;
BEGIN
  PERFORM set_config('swarmgate.tenant_id', p_tenant::text, true);
  FOR m IN SELECT x.id, x.conversation_id, x.sequence, x.role, x.kind, x.in_reply_to_id, x.created_at FROM swarmgate.messages x
      WHERE x.tenant_id = p_tenant AND x.untold AND x.state <> 'draft'
      ORDER BY x.created_at LIMIT p_limit FOR NO KEY UPDATE SKIP LOCKED LOOP
    v_seen := v_seen + 1;
    IF m.kind IN ('message', 'action') THEN
      SELECT c.channel_id INTO v_channel FROM swarmgate.conversations c WHERE c.tenant_id = p_tenant AND c.id = m.conversation_id;
      v_data := jsonb_build_object('conversationId', swarmgate.wire_id('cnv', m.conversation_id::text),
        'channelId', swarmgate.wire_id('chn', v_channel::text));
      -- What begins a conversation is its first message, and has that number.
      IF m.sequence = 1 THEN
        PERFORM swarmgate.tell_webhooks(p_tenant, m.conversation_id, 'conversation.started', m.created_at, v_data, NULL);
      END IF;
      v_data := v_data || jsonb_build_object('messageId', swarmgate.wire_id('msg', m.id::text), 'sequence', m.sequence);
      IF m.role = 'visitor' THEN
        PERFORM swarmgate.tell_webhooks(p_tenant, m.id, 'message.received', m.created_at,
          v_data || jsonb_build_object('kind', m.kind), m.id);
      ELSIF m.role = 'agent' AND m.in_reply_to_id IS NOT NULL THEN
        PERFORM swarmgate.tell_webhooks(p_tenant, m.id, 'message.answered', m.created_at,
          v_data || jsonb_build_object('inReplyToId', swarmgate.wire_id('msg', m.in_reply_to_id::text)), m.id);
      END IF;
    END IF;
    UPDATE swarmgate.messages x SET untold = false WHERE x.tenant_id = p_tenant AND x.id = m.id;
  END LOOP;

  FOR e IN SELECT x.id, x.kind, x.subject, x.created_at FROM swarmgate.events x
      WHERE x.tenant_id = p_tenant AND x.untold
      ORDER BY x.created_at LIMIT p_limit FOR NO KEY UPDATE SKIP LOCKED LOOP
    v_seen := v_seen + 1;
    v_type := CASE WHEN e.kind = 'turn.dead' THEN 'turn.failed' WHEN e.kind = 'delivery.failed' THEN 'delivery.failed'
      WHEN e.kind IN ('channel.paused', 'channel.resumed') THEN 'channel.status_changed' END;
    IF v_type IS NOT NULL THEN
      v_data := CASE WHEN v_type = 'channel.status_changed' THEN jsonb_build_object(
          'channelId', swarmgate.wire_id('chn', e.subject ->> 'channelId'),
          'status', CASE WHEN e.kind = 'channel.paused' THEN 'paused' ELSE 'active' END)
        ELSE jsonb_build_object('conversationId', swarmgate.wire_id('cnv', e.subject ->> 'conversationId'),
            'error', coalesce(e.subject ->> 'error', 'unknown'))
          || CASE WHEN v_type = 'turn.failed' THEN jsonb_build_object('turnId', swarmgate.wire_id('trn', e.subject ->> 'turnId'))
            ELSE jsonb_build_object('deliveryId', swarmgate.wire_id('dlv', e.subject ->> 'deliveryId')) END END;
      PERFORM swarmgate.tell_webhooks(p_tenant, e.id, v_type, e.created_at, v_data, NULL);
    END IF;
    UPDATE swarmgate.events x SET untold = false WHERE x.tenant_id = p_tenant AND x.id = e.id;
  END LOOP;
  RETURN v_seen;
END $$;

-- As note_audit_v1; and tells, in the same commit, what webhooks are to be told of it: an array of events, each of a tenant.
CREATE FUNCTION swarmgate.note_audit_v2(p_events text, p_told text) RETURNS void
LANGUAGE plpgsql SET role = 'swarmgate_tenant' AS $$
DECLARE
  t uuid;
  e record;
BEGIN
  FOR t IN SELECT DISTINCT (x ->> 'tenantId')::uuid FROM jsonb_array_elements(p_events::jsonb) x ORDER BY 1 LOOP
    PERFORM set_config('swarmgate.tenant_id', t::text, true);
    INSERT INTO swarmgate.audit_events (tenant_id, id, actor_kind, actor_id, action, permission, resource_kind, resource_id,
        outcome, reason, request_id, detail, personal)
      SELECT t, x.id, x."actorKind", x."actorId", x.action, x.permission, x."resourceKind", x."resourceId",
          x.outcome, coalesce(x.reason, ''), x."requestId", coalesce(x.detail, '{}'), x.personal
        FROM jsonb_to_recordset(p_events::jsonb) AS x ("tenantId" uuid, id uuid, "actorKind" text, "actorId" uuid, action text,
          permission text, "resourceKind" text, "resourceId" text, outcome text, reason text, "requestId" text, detail jsonb, personal text)
        WHERE x."tenantId" = t;
    FOR e IN SELECT x.id, x.type, x.data FROM jsonb_to_recordset(p_told::jsonb) AS x ("tenantId" uuid, id uuid, type text, data jsonb)
        WHERE x."tenantId" = t LOOP
      PERFORM swarmgate.tell_webhooks(t, e.id, e.type, clock_timestamp(), e.data, NULL);
    END LOOP;
  END LOOP;
END $$;

-- ── sending ─────────────────────────────────────────────────────────────────────────────────────────────────────────

-- How many may be on their way to one endpoint at once, from all processes: one that fails is only tried.
CREATE FUNCTION swarmgate.webhook_width(p_failing_since timestamptz) RETURNS integer LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
  RETURN CASE WHEN p_failing_since IS NULL THEN 4 ELSE 1 END;
END $$;

-- What is to be done, of every tenant: `untold`, tenants whose rows are to be made events of, and `due`, endpoints to which
-- something may go now. Tenant by tenant, the longest waiting first, so that nobody's many stand before another's one. What
-- cannot move is not among it: tenants that the caller has enough of in hand, suspended ones, endpoints that have enough on
-- their way or are to be left alone. Each order is one that only the index of what is due or untold has, so that no plan that was
-- made while there was nothing reads all that was ever said.
CREATE FUNCTION swarmgate.webhook_work_v1(p_beside uuid[], p_limit integer)
RETURNS TABLE (kind text, tenant_id uuid, endpoint_id uuid, is_failing boolean)
LANGUAGE plpgsql STABLE SET role = 'swarmgate_sweeper' AS $$
#variable_conflict use_column
DECLARE
  v_now timestamptz := clock_timestamp();
BEGIN
  RETURN QUERY WITH RECURSIVE tenant (id) AS (
    (SELECT m.tenant_id FROM swarmgate.messages m ORDER BY m.tenant_id, m.created_at LIMIT 1)
    UNION ALL
    SELECT (SELECT m.tenant_id FROM swarmgate.messages m WHERE m.tenant_id > t.id ORDER BY m.tenant_id, m.created_at LIMIT 1)
      FROM tenant t WHERE t.id IS NOT NULL
  ), other (id) AS (
    (SELECT e.tenant_id FROM swarmgate.events e ORDER BY e.tenant_id, e.created_at LIMIT 1)
    UNION ALL
    SELECT (SELECT e.tenant_id FROM swarmgate.events e WHERE e.tenant_id > o.id ORDER BY e.tenant_id, e.created_at LIMIT 1)
      FROM other o WHERE o.id IS NOT NULL
  ) SELECT 'untold'::text, a.id, NULL::uuid, false FROM (SELECT t.id FROM tenant t UNION SELECT o.id FROM other o) a
    WHERE a.id IS NOT NULL LIMIT p_limit;
  RETURN QUERY WITH RECURSIVE waiting (tenant_id, endpoint_id) AS (
    (SELECT d.tenant_id, d.endpoint_id FROM swarmgate.webhook_deliveries d WHERE d.due_at IS NOT NULL
      ORDER BY d.tenant_id, d.endpoint_id, d.due_at LIMIT 1)
    UNION ALL
    SELECT n.tenant_id, n.endpoint_id FROM waiting w CROSS JOIN LATERAL (
      SELECT d.tenant_id, d.endpoint_id FROM swarmgate.webhook_deliveries d
        WHERE d.due_at IS NOT NULL AND (d.tenant_id, d.endpoint_id) > (w.tenant_id, w.endpoint_id)
        ORDER BY d.tenant_id, d.endpoint_id, d.due_at LIMIT 1) n
  ) SELECT 'due'::text, f.tenant_id, f.endpoint_id, f.is_failing FROM (
      SELECT w.tenant_id, w.endpoint_id, d.due_at, p.failing_since IS NOT NULL AS is_failing,
          row_number() OVER (PARTITION BY w.tenant_id ORDER BY d.due_at) AS place
        FROM waiting w
        JOIN swarmgate.webhook_endpoints p ON p.tenant_id = w.tenant_id AND p.id = w.endpoint_id
        JOIN directory.tenants t ON t.id = w.tenant_id
        CROSS JOIN LATERAL (
          SELECT x.due_at FROM swarmgate.webhook_deliveries x
            WHERE x.tenant_id = w.tenant_id AND x.endpoint_id = w.endpoint_id AND x.due_at <= v_now
            ORDER BY x.due_at LIMIT 1) d
        WHERE w.tenant_id <> ALL (p_beside) AND t.status = 'active' AND p.status = 'enabled' AND coalesce(p.not_before <= v_now, true)
          AND (SELECT count(*) FROM swarmgate.webhook_deliveries c
            WHERE c.tenant_id = w.tenant_id AND c.endpoint_id = w.endpoint_id AND c.claim_expires_at > v_now)
            < swarmgate.webhook_width(p.failing_since)) f
    ORDER BY f.place, f.due_at LIMIT p_limit;
END $$;

-- Claims what is due to one endpoint, with all that sending it takes. `interrupted`: whoever had it before did not say what
-- came of it, and it may have arrived.
CREATE FUNCTION swarmgate.claim_webhooks_v1(p_tenant uuid, p_endpoint uuid, p_claim_ms integer, p_limit integer)
RETURNS TABLE (event_id uuid, claim bigint, tries integer, interrupted boolean, url text, sealed_secret text, sealed_previous_secret text,
  type text, occurred_at timestamptz, data jsonb, message_text text)
LANGUAGE plpgsql SET role = 'swarmgate_tenant' SET lock_timeout = '500ms' AS $$
#variable_conflict use_column
DECLARE
  v_now timestamptz := clock_timestamp();
  v_endpoint swarmgate.webhook_endpoints;
  v_free bigint;
  v_message uuid;
  d record;
BEGIN
  PERFORM set_config('swarmgate.tenant_id', p_tenant::text, true);
  PERFORM 1 FROM directory.tenants t JOIN swarmgate.this_cell h ON h.cell = t.cell WHERE t.id = p_tenant AND t.status = 'active';
  IF NOT FOUND THEN
    RETURN;
  END IF;
  -- Those who claim for one endpoint come one after the other, so that its width holds.
  SELECT * INTO v_endpoint FROM swarmgate.webhook_endpoints x
    WHERE x.tenant_id = p_tenant AND x.id = p_endpoint FOR NO KEY UPDATE;
  IF NOT FOUND OR v_endpoint.status <> 'enabled' OR coalesce(v_endpoint.not_before > v_now, false) THEN
    RETURN;
  END IF;
  SELECT swarmgate.webhook_width(v_endpoint.failing_since) - count(*) INTO v_free FROM swarmgate.webhook_deliveries x
    WHERE x.tenant_id = p_tenant AND x.endpoint_id = p_endpoint AND x.claim_expires_at > v_now;
  url := v_endpoint.url;
  sealed_secret := v_endpoint.sealed_secret;
  sealed_previous_secret := CASE WHEN v_endpoint.previous_until > v_now THEN v_endpoint.sealed_previous_secret END;
  FOR d IN SELECT x.event_id, x.attempts, x.tries, x.claim_number, x.claim_expires_at FROM swarmgate.webhook_deliveries x
      WHERE x.tenant_id = p_tenant AND x.endpoint_id = p_endpoint AND x.due_at <= v_now
      ORDER BY x.due_at LIMIT greatest(least(v_free, p_limit), 0) FOR NO KEY UPDATE SKIP LOCKED LOOP
    event_id := d.event_id;
    claim := d.claim_number + 1;
    tries := d.tries + 1;
    interrupted := d.claim_expires_at IS NOT NULL;
    IF interrupted THEN
      INSERT INTO swarmgate.webhook_attempts (tenant_id, endpoint_id, event_id, number, started_at, outcome)
        VALUES (p_tenant, p_endpoint, d.event_id, d.attempts,
          d.claim_expires_at - make_interval(secs => p_claim_ms / 1000.0), 'interrupted')
        ON CONFLICT (tenant_id, event_id, endpoint_id, number) DO NOTHING;
    END IF;
    UPDATE swarmgate.webhook_deliveries x SET attempts = d.attempts + 1, tries = d.tries + 1, claim_number = d.claim_number + 1,
        claim_expires_at = v_now + make_interval(secs => p_claim_ms / 1000.0), due_at = v_now + make_interval(secs => p_claim_ms / 1000.0)
      WHERE x.tenant_id = p_tenant AND x.endpoint_id = p_endpoint AND x.event_id = d.event_id;
    SELECT x.type, x.occurred_at, x.data, x.message_id INTO STRICT type, occurred_at, data, v_message FROM swarmgate.webhook_events x
      WHERE x.tenant_id = p_tenant AND x.id = d.event_id;
    message_text := NULL;
    IF v_endpoint.include_text AND v_message IS NOT NULL THEN
      SELECT x.text INTO message_text FROM swarmgate.messages x WHERE x.tenant_id = p_tenant AND x.id = v_message AND x.state = 'final';
    END IF;
    RETURN NEXT;
  END LOOP;
END $$;

-- Records what came of an attempt. `p_delay_ms`: it is tried again after so long; NULL: it is done, or given up. `p_rest_ms`:
-- how long its endpoint is to be left alone. 'recorded'; 'failing' when the endpoint has taken nothing for `p_failing_ms`; NULL
-- when the claim is lost: whoever has it now records what comes of it.
CREATE FUNCTION swarmgate.record_webhook_v1(
  p_tenant uuid, p_endpoint uuid, p_event uuid, p_claim bigint, p_outcome text, p_duration_ms integer, p_status integer,
  p_error_code text, p_answer text, p_delay_ms integer, p_rest_ms integer, p_failing_ms bigint
) RETURNS text LANGUAGE plpgsql SET role = 'swarmgate_tenant' AS $$
DECLARE
  v_now timestamptz := clock_timestamp();
  v_failing_since timestamptz;
  v_attempts integer;
BEGIN
  PERFORM set_config('swarmgate.tenant_id', p_tenant::text, true);
  SELECT e.failing_since INTO v_failing_since FROM swarmgate.webhook_endpoints e
    WHERE e.tenant_id = p_tenant AND e.id = p_endpoint FOR NO KEY UPDATE;
  UPDATE swarmgate.webhook_deliveries d SET
      state = CASE WHEN p_outcome = 'delivered' THEN 'delivered' WHEN p_delay_ms IS NULL THEN 'failed' ELSE 'pending' END,
      due_at = CASE WHEN p_outcome <> 'delivered' THEN v_now + make_interval(secs => p_delay_ms / 1000.0) END,
      finished_at = CASE WHEN p_outcome = 'delivered' OR p_delay_ms IS NULL THEN v_now END,
      claim_expires_at = NULL, status = p_status, error_code = p_error_code
    WHERE d.tenant_id = p_tenant AND d.endpoint_id = p_endpoint AND d.event_id = p_event
      AND d.claim_number = p_claim AND coalesce(d.claim_expires_at > v_now, false)
    RETURNING d.attempts INTO v_attempts;
  IF NOT FOUND THEN
    RETURN NULL;
  END IF;
  INSERT INTO swarmgate.webhook_attempts (tenant_id, endpoint_id, event_id, number, started_at, duration_ms, outcome, status, error_code, answer)
    VALUES (p_tenant, p_endpoint, p_event, v_attempts, v_now - make_interval(secs => p_duration_ms / 1000.0), p_duration_ms,
      p_outcome, p_status, p_error_code, p_answer);
  IF p_outcome = 'delivered' THEN
    IF v_failing_since IS NOT NULL THEN
      UPDATE swarmgate.webhook_endpoints e SET failing_since = NULL, not_before = NULL WHERE e.tenant_id = p_tenant AND e.id = p_endpoint;
    END IF;
    RETURN 'recorded';
  END IF;
  IF v_failing_since IS NULL OR p_rest_ms IS NOT NULL THEN
    UPDATE swarmgate.webhook_endpoints e SET failing_since = coalesce(e.failing_since, v_now),
        not_before = greatest(e.not_before, v_now + make_interval(secs => p_rest_ms / 1000.0))
      WHERE e.tenant_id = p_tenant AND e.id = p_endpoint;
  END IF;
  RETURN CASE WHEN v_failing_since < v_now - make_interval(secs => p_failing_ms / 1000.0) THEN 'failing' ELSE 'recorded' END;
END $$;

-- How much is due, and for how long the longest of it has been: of what may go, as webhook_work_v1 has it.
CREATE FUNCTION swarmgate.webhook_backlog_v1() RETURNS TABLE (kind text, depth bigint, oldest_seconds double precision)
LANGUAGE plpgsql STABLE SET role = 'swarmgate_sweeper' AS $$
DECLARE
  v_now timestamptz := clock_timestamp();
BEGIN
  RETURN QUERY SELECT 'webhook'::text, count(*), coalesce(extract(epoch FROM v_now - min(d.due_at)), 0)::double precision
    FROM swarmgate.webhook_deliveries d
    JOIN swarmgate.webhook_endpoints p ON p.tenant_id = d.tenant_id AND p.id = d.endpoint_id
    JOIN directory.tenants t ON t.id = d.tenant_id
    WHERE d.due_at <= v_now AND t.status = 'active' AND p.status = 'enabled' AND coalesce(p.not_before <= v_now, true);
END $$;

-- ── forgetting ──────────────────────────────────────────────────────────────────────────────────────────────────────

-- Tenants that have events from before a time.
CREATE FUNCTION swarmgate.old_webhooks_v1(p_before timestamptz, p_limit integer) RETURNS TABLE (tenant_id uuid)
LANGUAGE plpgsql STABLE SET role = 'swarmgate_sweeper' AS $$
BEGIN
  RETURN QUERY SELECT DISTINCT o.tenant_id FROM (
    SELECT e.tenant_id FROM swarmgate.webhook_events e WHERE e.created_at < p_before ORDER BY e.created_at LIMIT p_limit) o;
END $$;

-- Forgets a tenant's events from before a time, with all that came of them. What still waits stays.
CREATE FUNCTION swarmgate.forget_webhooks_v1(p_tenant uuid, p_before timestamptz, p_limit integer) RETURNS integer
LANGUAGE plpgsql SET role = 'swarmgate_tenant' AS $$
DECLARE
  v_ids uuid[];
BEGIN
  PERFORM set_config('swarmgate.tenant_id', p_tenant::text, true);
  SELECT coalesce(array_agg(o.id), '{}') INTO v_ids FROM (
    SELECT e.id FROM swarmgate.webhook_events e
      WHERE e.tenant_id = p_tenant AND e.created_at < p_before AND NOT EXISTS (
        SELECT FROM swarmgate.webhook_deliveries d WHERE d.tenant_id = p_tenant AND d.event_id = e.id AND coalesce(d.due_at IS NOT NULL, false))
      ORDER BY e.created_at LIMIT p_limit FOR UPDATE SKIP LOCKED) o;
  DELETE FROM swarmgate.webhook_attempts a USING swarmgate.webhook_deliveries d
    WHERE d.tenant_id = p_tenant AND d.event_id = ANY (v_ids)
      AND a.tenant_id = p_tenant AND a.endpoint_id = d.endpoint_id AND a.event_id = d.event_id;
  DELETE FROM swarmgate.webhook_deliveries d WHERE d.tenant_id = p_tenant AND d.event_id = ANY (v_ids);
  DELETE FROM swarmgate.webhook_events e WHERE e.tenant_id = p_tenant AND e.id = ANY (v_ids);
  RETURN cardinality(v_ids);
END $$;

-- ── the sweeper's door ──────────────────────────────────────────────────────────────────────────────────────────────

-- Whose rows are to be told, where something is due, and whether it may go there; no address, no secret, nothing that was said.
CREATE POLICY sweeper ON swarmgate.messages FOR SELECT TO swarmgate_sweeper USING (untold AND state <> 'draft');
CREATE POLICY sweeper ON swarmgate.events FOR SELECT TO swarmgate_sweeper USING (untold);
CREATE POLICY sweeper ON swarmgate.webhook_endpoints FOR SELECT TO swarmgate_sweeper USING (true);
CREATE POLICY sweeper ON swarmgate.webhook_events FOR SELECT TO swarmgate_sweeper USING (true);
CREATE POLICY sweeper ON swarmgate.webhook_deliveries FOR SELECT TO swarmgate_sweeper USING (due_at IS NOT NULL);
GRANT SELECT (tenant_id, created_at) ON swarmgate.messages TO swarmgate_sweeper;
GRANT SELECT (tenant_id, created_at) ON swarmgate.events TO swarmgate_sweeper;
GRANT SELECT (tenant_id, id, status, not_before, failing_since) ON swarmgate.webhook_endpoints TO swarmgate_sweeper;
GRANT SELECT (tenant_id, created_at) ON swarmgate.webhook_events TO swarmgate_sweeper;
GRANT SELECT (tenant_id, endpoint_id, due_at, claim_expires_at) ON swarmgate.webhook_deliveries TO swarmgate_sweeper;
GRANT SELECT (status) ON directory.tenants TO swarmgate_sweeper;

REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA swarmgate, directory FROM PUBLIC;
GRANT EXECUTE ON FUNCTION swarmgate.has_webhook_for(text[]), swarmgate.wire_id(text, text),
  swarmgate.tell_webhooks(uuid, uuid, text, timestamptz, jsonb, uuid) TO swarmgate_tenant;
GRANT EXECUTE ON FUNCTION swarmgate.webhook_width(timestamptz) TO swarmgate_tenant, swarmgate_sweeper;
GRANT EXECUTE ON FUNCTION
  swarmgate.tell_untold_v1(uuid, integer),
  swarmgate.note_audit_v2(text, text),
  swarmgate.webhook_work_v1(uuid[], integer),
  swarmgate.claim_webhooks_v1(uuid, uuid, integer, integer),
  swarmgate.record_webhook_v1(uuid, uuid, uuid, bigint, text, integer, integer, text, text, integer, integer, bigint),
  swarmgate.webhook_backlog_v1(),
  swarmgate.old_webhooks_v1(timestamptz, integer),
  swarmgate.forget_webhooks_v1(uuid, timestamptz, integer)
  TO swarmgate_service;
