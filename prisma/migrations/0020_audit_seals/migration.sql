-- Seals: what makes the audit trail show that it was changed. Every second whatever can no longer be added to is hashed,
-- trail by trail, and each seal holds the hash of the one before it. docs/security/audit.md describes the bytes.

GRANT USAGE ON SCHEMA swarmgate TO swarmgate_auditor;

CREATE TABLE swarmgate.audit_seals (
  -- Of the trail: a tenant, or the zero UUID for the installation. No foreign key, as the events have none.
  tenant_id uuid NOT NULL,
  -- 1, 2, 3 … in each trail.
  number bigint NOT NULL CHECK (number > 0),
  sealed_at timestamptz(3) NOT NULL,
  -- Which events, in the order of their hashes. By them one that is missing or was changed is named.
  event_ids uuid[] NOT NULL CHECK (cardinality(event_ids) > 0),
  event_hashes bytea NOT NULL CHECK (octet_length(event_hashes) = 32 * cardinality(event_ids)),
  hash bytea NOT NULL CHECK (octet_length(hash) = 32),
  -- Whatever was written by an earlier transaction than this one is sealed. Only to find what comes next: it is no part
  -- of what is hashed, because a restored database counts its transactions anew.
  to_xid xid8 NOT NULL,
  PRIMARY KEY (tenant_id, number)
);
SELECT swarmgate.enable_tenant_rls('swarmgate.audit_seals');
REVOKE INSERT, UPDATE, DELETE ON swarmgate.audit_seals FROM swarmgate_tenant;
CREATE INDEX audit_seals_to_xid_tenant_id_idx ON swarmgate.audit_seals (to_xid, tenant_id);

CREATE POLICY installation ON swarmgate.audit_seals TO swarmgate_identity
  USING (tenant_id = '00000000-0000-0000-0000-000000000000') WITH CHECK (tenant_id = '00000000-0000-0000-0000-000000000000');
GRANT SELECT ON swarmgate.audit_seals TO swarmgate_identity;

-- Who seals and verifies: reads every trail, adds seals, and can do nothing else anywhere.
CREATE POLICY auditor ON swarmgate.audit_events FOR SELECT TO swarmgate_auditor USING (true);
CREATE POLICY auditor ON swarmgate.audit_seals TO swarmgate_auditor USING (true) WITH CHECK (true);
GRANT SELECT ON swarmgate.audit_events TO swarmgate_auditor;
GRANT SELECT, INSERT ON swarmgate.audit_seals TO swarmgate_auditor;

-- A value as Postgres sends one to its clients: length in four bytes, -1 for NULL, and then UTF-8.
CREATE FUNCTION swarmgate.audit_field(value text) RETURNS bytea LANGUAGE sql STABLE PARALLEL SAFE AS $$
  SELECT CASE WHEN value IS NULL THEN int4send(-1)
    ELSE int4send(octet_length(convert_to(value, 'UTF8'))) || convert_to(value, 'UTF8') END
$$;

CREATE FUNCTION swarmgate.audit_milliseconds(value timestamptz) RETURNS text LANGUAGE sql STABLE PARALLEL SAFE AS $$
  SELECT (extract(epoch FROM value) * 1000)::bigint::text
$$;

CREATE FUNCTION swarmgate.audit_event_hash(e swarmgate.audit_events) RETURNS bytea LANGUAGE sql STABLE PARALLEL SAFE AS $$
  SELECT sha256(swarmgate.audit_field('swarmgate.audit-event.v1')
    || swarmgate.audit_field(e.tenant_id::text) || swarmgate.audit_field(e.id::text)
    || swarmgate.audit_field(swarmgate.audit_milliseconds(e.at))
    || swarmgate.audit_field(e.actor_kind) || swarmgate.audit_field(e.actor_id::text)
    || swarmgate.audit_field(e.action) || swarmgate.audit_field(e.permission)
    || swarmgate.audit_field(e.resource_kind) || swarmgate.audit_field(e.resource_id)
    || swarmgate.audit_field(e.outcome) || swarmgate.audit_field(e.reason) || swarmgate.audit_field(e.request_id)
    || swarmgate.audit_field(e.detail::text) || swarmgate.audit_field(e.personal))
$$;

CREATE FUNCTION swarmgate.audit_seal_hash(tenant uuid, number bigint, sealed_at timestamptz, previous bytea, hashes bytea)
RETURNS bytea LANGUAGE sql STABLE PARALLEL SAFE AS $$
  SELECT sha256(swarmgate.audit_field('swarmgate.audit-seal.v1')
    || swarmgate.audit_field(tenant::text) || swarmgate.audit_field(number::text)
    || swarmgate.audit_field(swarmgate.audit_milliseconds(sealed_at))
    || coalesce(previous, decode(repeat('00', 32), 'hex')) || sha256(hashes))
$$;

-- Seals what can no longer be added to: rows of transactions older than every one that still runs, so that a late commit
-- never slips behind a seal. At most `p_limit` rows, or one transaction that has more. One caller at a time; to the others
-- it only tells how far the seals are behind. `is_rewound`: the database counts its transactions anew (see rebase_audit).
CREATE FUNCTION swarmgate.seal_audit_v1(p_limit integer)
RETURNS TABLE (is_sealer boolean, is_rewound boolean, has_more boolean, sealed_events integer, lag_seconds double precision)
LANGUAGE plpgsql SET role = 'swarmgate_auditor' AS $$
DECLARE
  v_from xid8;
  v_to xid8;
  v_first xid8;
  v_beyond xid8;
  v_at timestamptz(3);
BEGIN
  is_sealer := pg_try_advisory_xact_lock(727073691);
  -- Before the rows are looked at: what is older than this has ended by then, and is seen.
  v_to := pg_snapshot_xmin(pg_current_snapshot());
  SELECT s.to_xid INTO v_from FROM swarmgate.audit_seals s ORDER BY s.to_xid DESC LIMIT 1;
  v_from := coalesce(v_from, '0');
  is_rewound := v_from > v_to;
  has_more := false;
  sealed_events := 0;

  IF is_sealer AND NOT is_rewound THEN
    SELECT e.xid INTO v_first FROM swarmgate.audit_events e WHERE e.xid >= v_from AND e.xid < v_to ORDER BY e.xid LIMIT 1;
    SELECT e.xid INTO v_beyond FROM swarmgate.audit_events e WHERE e.xid >= v_from AND e.xid < v_to
      ORDER BY e.xid OFFSET p_limit LIMIT 1;
    IF v_beyond IS NOT NULL THEN
      has_more := true;
      v_to := greatest(v_beyond, (v_first::text::bigint + 1)::text::xid8);
    END IF;
    IF v_first IS NOT NULL THEN
      v_at := clock_timestamp();
      WITH fresh AS (
        SELECT e.tenant_id, e.id, swarmgate.audit_event_hash(e) AS hash
          FROM swarmgate.audit_events e WHERE e.xid >= v_from AND e.xid < v_to
      ), batches AS (
        SELECT f.tenant_id, array_agg(f.id ORDER BY f.id) AS ids, string_agg(f.hash, ''::bytea ORDER BY f.id) AS hashes
          FROM fresh f GROUP BY f.tenant_id
      ), seals AS (
        INSERT INTO swarmgate.audit_seals (tenant_id, number, sealed_at, event_ids, event_hashes, hash, to_xid)
          SELECT b.tenant_id, coalesce(head.number, 0) + 1, v_at, b.ids, b.hashes,
              swarmgate.audit_seal_hash(b.tenant_id, coalesce(head.number, 0) + 1, v_at, head.hash, b.hashes), v_to
            FROM batches b LEFT JOIN LATERAL (
              SELECT s.number, s.hash FROM swarmgate.audit_seals s WHERE s.tenant_id = b.tenant_id
                ORDER BY s.number DESC LIMIT 1) head ON true
          RETURNING cardinality(event_ids) AS size
      )
      SELECT coalesce(sum(s.size), 0) INTO sealed_events FROM seals s;
      v_from := v_to;
    END IF;
  END IF;

  -- In the order of transactions, which is nearly that of time: the oldest may be a little older.
  SELECT greatest(extract(epoch FROM clock_timestamp() - e.at), 0) INTO lag_seconds
    FROM swarmgate.audit_events e WHERE e.xid >= v_from ORDER BY e.xid LIMIT 1;
  lag_seconds := coalesce(lag_seconds, 0);
  RETURN NEXT;
END $$;

-- After a dump was restored into another cluster, whose transactions have lower numbers than those of the dump: marks what
-- is sealed as old and the rest as new, so that sealing goes on. For the owner; changes nothing that is hashed.
CREATE FUNCTION swarmgate.rebase_audit() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  -- The owner is bound by row-level security too, and has no scope.
  ALTER TABLE swarmgate.audit_events NO FORCE ROW LEVEL SECURITY;
  ALTER TABLE swarmgate.audit_seals NO FORCE ROW LEVEL SECURITY;
  UPDATE swarmgate.audit_events SET xid = pg_current_xact_id();
  UPDATE swarmgate.audit_events e SET xid = '1'
    FROM swarmgate.audit_seals s CROSS JOIN LATERAL unnest(s.event_ids) AS sealed (id)
    WHERE e.tenant_id = s.tenant_id AND e.id = sealed.id;
  UPDATE swarmgate.audit_seals SET to_xid = '2';
  ALTER TABLE swarmgate.audit_events FORCE ROW LEVEL SECURITY;
  ALTER TABLE swarmgate.audit_seals FORCE ROW LEVEL SECURITY;
END $$;

-- Entering the scope of auditing: every trail and its seals, and nothing else.
CREATE FUNCTION swarmgate.enter_audit() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  PERFORM set_config('role', 'swarmgate_auditor', true);
END $$;

REVOKE EXECUTE ON FUNCTION swarmgate.audit_field(text), swarmgate.audit_milliseconds(timestamptz),
  swarmgate.audit_event_hash(swarmgate.audit_events),
  swarmgate.audit_seal_hash(uuid, bigint, timestamptz, bytea, bytea), swarmgate.seal_audit_v1(integer),
  swarmgate.rebase_audit(), swarmgate.enter_audit() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION swarmgate.audit_field(text), swarmgate.audit_milliseconds(timestamptz),
  swarmgate.audit_event_hash(swarmgate.audit_events),
  swarmgate.audit_seal_hash(uuid, bigint, timestamptz, bytea, bytea) TO swarmgate_auditor;
GRANT EXECUTE ON FUNCTION swarmgate.seal_audit_v1(integer), swarmgate.enter_audit() TO swarmgate_service;
