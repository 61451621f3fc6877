-- The pace that platforms ask of a credential, shared by all processes where there is no Redis for it.

-- One row a credential, as long as it has been used lately. Unlogged: what a crash takes is a second of patience.
CREATE UNLOGGED TABLE directory.paces (
  -- The platform's name, and ids of ours or of the platform; never a token.
  key text PRIMARY KEY,
  -- When its bucket is full again.
  full_at timestamptz NOT NULL,
  -- Until when those that could not wait have been told to come back, one behind the other.
  line_at timestamptz NOT NULL
);
ALTER TABLE directory.paces ENABLE ROW LEVEL SECURITY;
ALTER TABLE directory.paces FORCE ROW LEVEL SECURITY;
CREATE POLICY platform ON directory.paces TO swarmgate_platform USING (true) WITH CHECK (true);
GRANT SELECT, INSERT, UPDATE, DELETE ON directory.paces TO swarmgate_platform;

-- Takes the place of p_cost calls, p_interval_ms each and p_burst at once after a silence, if that is no longer than
-- p_wait_max_ms ahead: { granted: true, waitMs }. Otherwise { granted: false, waitMs }, a time to come back at that is
-- nobody else's.
CREATE FUNCTION directory.take_pace_v1(p_key text, p_interval_ms double precision, p_cost double precision, p_burst double precision, p_wait_max_ms double precision) RETURNS jsonb
LANGUAGE plpgsql SET role = 'swarmgate_platform' AS $$
DECLARE
  v_now timestamptz;
  v directory.paces;
  v_wait double precision;
BEGIN
  INSERT INTO directory.paces (key, full_at, line_at) VALUES (p_key, '-infinity', '-infinity') ON CONFLICT DO NOTHING;
  SELECT * INTO v FROM directory.paces p WHERE p.key = p_key FOR UPDATE;
  v_now := clock_timestamp();
  v.full_at := greatest(v.full_at, v_now);
  v_wait := extract(epoch FROM v.full_at - v_now) * 1000 - (p_burst - 1) * p_interval_ms;
  IF v_wait <= p_wait_max_ms THEN
    UPDATE directory.paces p SET full_at = v.full_at + make_interval(secs => p_cost * p_interval_ms / 1000) WHERE p.key = p_key;
    RETURN jsonb_build_object('granted', true, 'waitMs', greatest(v_wait, 0));
  END IF;
  v.line_at := greatest(v.line_at, v_now + make_interval(secs => v_wait / 1000));
  UPDATE directory.paces p SET line_at = v.line_at + make_interval(secs => p_cost * p_interval_ms / 1000) WHERE p.key = p_key;
  RETURN jsonb_build_object('granted', false, 'waitMs', extract(epoch FROM v.line_at - v_now) * 1000);
END $$;

-- Gives a place back that was waited for and not used.
CREATE FUNCTION directory.give_back_pace_v1(p_key text, p_ms double precision) RETURNS void
LANGUAGE plpgsql SET role = 'swarmgate_platform' AS $$
BEGIN
  UPDATE directory.paces p SET full_at = p.full_at - make_interval(secs => p_ms / 1000) WHERE p.key = p_key;
END $$;

-- Forgets what is full again and has no line: it is like what was never used.
CREATE FUNCTION directory.forget_paces_v1() RETURNS void
LANGUAGE plpgsql SET role = 'swarmgate_platform' AS $$
BEGIN
  DELETE FROM directory.paces p WHERE p.key IN (
    SELECT q.key FROM directory.paces q WHERE greatest(q.full_at, q.line_at) < clock_timestamp() LIMIT 10000 FOR UPDATE SKIP LOCKED);
END $$;

REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA swarmgate, directory FROM PUBLIC;
GRANT EXECUTE ON FUNCTION
  directory.take_pace_v1(text, double precision, double precision, double precision, double precision),
  directory.give_back_pace_v1(text, double precision),
  directory.forget_paces_v1()
  TO swarmgate_service;
