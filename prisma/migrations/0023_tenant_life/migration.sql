-- The life of tenants and their channels: channels that are removed, claims that are handed over, tenants that are closed
-- and then deleted, domains that lead to one, audit events that are old enough to go.

-- A channel that was removed keeps its row, because its conversations stay. It has no secrets and claims nothing; whatever
-- looks at `status` finds it paused.
ALTER TABLE swarmgate.channels ADD COLUMN removed_at timestamptz(3);

-- A tenant is closed for a while before it is deleted, so that it can be reopened as it was. While it is deleted it is in no
-- cell: whatever enters a tenant looks for its cell, so nothing but the deletion reaches it any more.
ALTER TABLE directory.tenants ALTER COLUMN cell DROP NOT NULL,
  DROP CONSTRAINT tenants_status_check,
  ADD CONSTRAINT tenants_status_check CHECK (status IN ('active', 'suspended', 'closing', 'deleting')),
  ADD COLUMN closing_since timestamptz(3),
  ADD COLUMN delete_after timestamptz(3),
  -- Who closed it, and so who may reopen it: the tenant itself, an operator, or an operator together with its organization.
  ADD COLUMN closed_by text CHECK (closed_by IN ('tenant', 'operator', 'organization')),
  -- What it is again when it is reopened.
  ADD COLUMN status_before text CHECK (status_before IN ('active', 'suspended')),
  ADD CONSTRAINT tenants_closing_is_whole CHECK (status NOT IN ('closing', 'deleting')
    OR (closing_since IS NOT NULL AND delete_after IS NOT NULL AND closed_by IS NOT NULL AND status_before IS NOT NULL)),
  ADD CONSTRAINT tenants_deleting_in_no_cell CHECK ((status = 'deleting') = (cell IS NULL));
CREATE INDEX tenants_delete_after_idx ON directory.tenants (delete_after) WHERE delete_after IS NOT NULL;

ALTER TABLE directory.organizations
  ADD COLUMN status text NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'closing')),
  ADD COLUMN closing_since timestamptz(3),
  ADD COLUMN delete_after timestamptz(3),
  ADD CONSTRAINT organizations_closing_is_whole CHECK ((status = 'closing') = (delete_after IS NOT NULL AND closing_since IS NOT NULL));

-- Of whom nothing is left: so that no id and no slug comes to mean somebody else. No names.
CREATE TABLE directory.tombstones (
  id uuid PRIMARY KEY,
  kind text NOT NULL CHECK (kind IN ('tenant', 'organization')),
  slug text NOT NULL,
  -- Of a tenant.
  organization_id uuid,
  closed_at timestamptz(3) NOT NULL,
  deleted_at timestamptz(3) NOT NULL DEFAULT clock_timestamp(),
  UNIQUE (kind, slug)
);
ALTER TABLE directory.tombstones ENABLE ROW LEVEL SECURITY;
ALTER TABLE directory.tombstones FORCE ROW LEVEL SECURITY;
CREATE POLICY platform ON directory.tombstones TO swarmgate_platform USING (true) WITH CHECK (true);
GRANT SELECT, INSERT ON directory.tombstones TO swarmgate_platform;
-- The last act of a deletion. Foreign keys refuse it as long as anything of the tenant is left.
GRANT DELETE ON directory.tenants, directory.organizations TO swarmgate_platform;
CREATE POLICY only_what_ends ON directory.tenants AS RESTRICTIVE FOR DELETE TO swarmgate_platform USING (status = 'deleting');
CREATE POLICY only_what_ends ON directory.organizations AS RESTRICTIVE FOR DELETE TO swarmgate_platform
  USING (status = 'closing' AND delete_after <= now());

-- What refers to a message is looked for when the message goes.
CREATE INDEX messages_in_reply_to_id_tenant_id_idx ON swarmgate.messages (in_reply_to_id, tenant_id) WHERE in_reply_to_id IS NOT NULL;
CREATE INDEX messages_target_message_id_tenant_id_idx ON swarmgate.messages (target_message_id, tenant_id) WHERE target_message_id IS NOT NULL;

-- Deletes some rows of one table of a tenant that is being deleted, and answers how many it met; 0: there are no more. What of the
-- same table refers to them lets go of them first.
CREATE FUNCTION swarmgate.delete_tenant_rows_v1(p_tenant uuid, p_table text, p_limit integer) RETURNS integer
LANGUAGE plpgsql SET role = 'swarmgate_tenant' AS $$
DECLARE
  v_table regclass := p_table::regclass;
  v_rows tid[];
  v_self record;
BEGIN
  PERFORM set_config('swarmgate.tenant_id', p_tenant::text, true);
  PERFORM 1 FROM directory.tenants t WHERE t.id = p_tenant AND t.status = 'deleting';
  IF NOT FOUND THEN
    RAISE EXCEPTION 'tenant % is not being deleted', p_tenant USING ERRCODE = 'SG001';
  END IF;
  EXECUTE format('SELECT ARRAY(SELECT ctid FROM %s WHERE tenant_id = $1 LIMIT $2)', v_table) INTO v_rows USING p_tenant, p_limit;
  FOR v_self IN SELECT here.attname AS here, there.attname AS there
      FROM pg_catalog.pg_constraint k, unnest(k.conkey, k.confkey) AS pair (here, there)
      JOIN pg_catalog.pg_attribute here ON here.attrelid = v_table AND here.attnum = pair.here
      JOIN pg_catalog.pg_attribute there ON there.attrelid = v_table AND there.attnum = pair.there
      WHERE k.contype = 'f' AND k.conrelid = v_table AND k.confrelid = v_table AND here.attname <> 'tenant_id' LOOP
    EXECUTE format('UPDATE %1$s SET %2$I = NULL WHERE tenant_id = $1 AND %2$I = ANY (ARRAY(SELECT %3$I FROM %1$s WHERE ctid = ANY ($2)))',
      v_table, v_self.here, v_self.there) USING p_tenant, v_rows;
  END LOOP;
  -- A row that has just let go of another one stands elsewhere now, and is met the next time.
  EXECUTE format('DELETE FROM %s WHERE ctid = ANY ($1)', v_table) USING v_rows;
  RETURN cardinality(v_rows);
END $$;

-- Files of a tenant that is being deleted, in the order of their ids: their bytes go before their rows.
CREATE FUNCTION swarmgate.tenant_files_v1(p_tenant uuid, p_after uuid, p_limit integer) RETURNS TABLE (id uuid)
LANGUAGE plpgsql SET role = 'swarmgate_tenant' AS $$
BEGIN
  PERFORM set_config('swarmgate.tenant_id', p_tenant::text, true);
  RETURN QUERY SELECT f.id FROM swarmgate.files f
    WHERE f.tenant_id = p_tenant AND (p_after IS NULL OR f.id > p_after) ORDER BY f.tenant_id, f.id LIMIT p_limit;
END $$;

-- Forgets what the platforms' accounts of a tenant have brought into the directory: which people chose them for their direct
-- messages, what they are called, where the sessions of their sockets stand. Answers how many rows went; 0: none is left.
CREATE FUNCTION directory.forget_accounts_v1(p_tenant uuid, p_limit integer) RETURNS integer
LANGUAGE plpgsql SET role = 'swarmgate_platform' AS $$
DECLARE
  v_all integer := 0;
  v_count integer;
  v_table text;
BEGIN
  FOREACH v_table IN ARRAY ARRAY['direct_choices', 'direct_past_choices', 'direct_sightings', 'account_names'] LOOP
    EXECUTE format('DELETE FROM directory.%1$I WHERE ctid = ANY (ARRAY(SELECT d.ctid FROM directory.%1$I d
        JOIN directory.external_keys k ON k.platform = d.platform AND k.app = d.app AND k.key = d.account
        WHERE k.tenant_id = $1 LIMIT $2))', v_table) USING p_tenant, p_limit;
    GET DIAGNOSTICS v_count = ROW_COUNT;
    v_all := v_all + v_count;
  END LOOP;
  FOREACH v_table IN ARRAY ARRAY['socket_sessions', 'socket_leases'] LOOP
    EXECUTE format('DELETE FROM directory.%I s USING directory.external_keys k
      WHERE k.tenant_id = $1 AND k.kind = ''socket'' AND k.platform = s.platform AND k.key = s.app', v_table) USING p_tenant;
    GET DIAGNOSTICS v_count = ROW_COUNT;
    v_all := v_all + v_count;
  END LOOP;
  RETURN v_all;
END $$;

-- What programs have from sessions for a tenant that is gone is good for nothing; it does not say so any more either.
CREATE FUNCTION identity.forget_tenant_v1(p_tenant uuid) RETURNS void
LANGUAGE plpgsql SET role = 'swarmgate_identity' AS $$
BEGIN
  DELETE FROM identity.refresh_families f WHERE f.for_tenant = p_tenant;
END $$;

REVOKE EXECUTE ON FUNCTION swarmgate.delete_tenant_rows_v1(uuid, text, integer), swarmgate.tenant_files_v1(uuid, uuid, integer), directory.forget_accounts_v1(uuid, integer),
  identity.forget_tenant_v1(uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION swarmgate.delete_tenant_rows_v1(uuid, text, integer), swarmgate.tenant_files_v1(uuid, uuid, integer), directory.forget_accounts_v1(uuid, integer),
  identity.forget_tenant_v1(uuid) TO swarmgate_service;

-- Up to which seal the events of a trail were old enough to go. The seals stay, and prove the rest. It is signed by a key that
-- the database does not have, so that nobody passes off as old what they have taken away.
CREATE TABLE swarmgate.audit_drops (
  -- Of the trail: no foreign key, as the events have none.
  tenant_id uuid NOT NULL,
  to_number bigint NOT NULL CHECK (to_number > 0),
  -- Of that seal.
  hash bytea NOT NULL CHECK (octet_length(hash) = 32),
  dropped_at timestamptz(3) NOT NULL,
  key text NOT NULL,
  signature bytea NOT NULL,
  PRIMARY KEY (tenant_id)
);
SELECT swarmgate.enable_tenant_rls('swarmgate.audit_drops');
REVOKE INSERT, UPDATE, DELETE ON swarmgate.audit_drops FROM swarmgate_tenant;
CREATE POLICY auditor ON swarmgate.audit_drops TO swarmgate_auditor USING (true) WITH CHECK (true);
GRANT SELECT, INSERT, UPDATE ON swarmgate.audit_drops TO swarmgate_auditor;

-- Whoever seals also takes away what is old: behind such a statement only, and nothing younger whatever it says. The events up
-- to a seal are those of earlier transactions than it has.
CREATE POLICY auditor_drops ON swarmgate.audit_events FOR DELETE TO swarmgate_auditor
  USING (at < now() - interval '30 days' AND xid < (SELECT s.to_xid FROM swarmgate.audit_drops d
    JOIN swarmgate.audit_seals s ON s.tenant_id = d.tenant_id AND s.number = d.to_number WHERE d.tenant_id = audit_events.tenant_id));
GRANT DELETE ON swarmgate.audit_events TO swarmgate_auditor;

-- Accounts of the outside world are handed over by whoever has claimed them, to whoever brings what they were given for it.
-- The token names tenant and row, so it is looked for there and nowhere else; good once.
CREATE TABLE swarmgate.claim_offers (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL,
  channel_id uuid NOT NULL,
  -- What the channel had claimed when it was offered: {kind, app, key} each.
  claims jsonb NOT NULL,
  -- The only tenant that may take it; absent: whoever brings the token. No foreign key, which would tell who exists.
  for_tenant uuid,
  secret_hash bytea NOT NULL,
  created_at timestamptz(3) NOT NULL DEFAULT now(),
  expires_at timestamptz(3) NOT NULL,
  accepted_at timestamptz(3),
  accepted_by uuid,
  withdrawn_at timestamptz(3),
  PRIMARY KEY (tenant_id, id),
  CONSTRAINT claim_offers_tenant_id_channel_id_fkey FOREIGN KEY (tenant_id, channel_id)
    REFERENCES swarmgate.channels (tenant_id, id) ON DELETE RESTRICT ON UPDATE RESTRICT
);
SELECT swarmgate.enable_tenant_rls('swarmgate.claim_offers');

-- A channel whose accounts were handed over ends what it has begun, and begins nothing; a while later it is removed.
ALTER TABLE swarmgate.channels ADD COLUMN given_up_at timestamptz(3);
CREATE INDEX channels_given_up_at_tenant_id_idx ON swarmgate.channels (given_up_at, tenant_id)
  WHERE given_up_at IS NOT NULL AND removed_at IS NULL;
GRANT SELECT (given_up_at, removed_at) ON swarmgate.channels TO swarmgate_sweeper;

-- Takes what another tenant has offered away from it, for the tenant of this transaction, which claims it next. The one place
-- where a step is made into another tenant and back: only with the secret of its offer, and for no more than that says.
-- Of those who come at once the first has it; the others find it taken.
CREATE FUNCTION swarmgate.take_claims(p_from uuid, p_offer uuid, p_secret_hash bytea, p_platform text, p_wanted jsonb, p_event jsonb)
RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
  v_to uuid := swarmgate.current_tenant();
  o swarmgate.claim_offers;
  v_outcome text := 'done';
  v_count integer;
BEGIN
  PERFORM set_config('swarmgate.tenant_id', p_from::text, true);
  SELECT * INTO o FROM swarmgate.claim_offers c WHERE c.tenant_id = p_from AND c.id = p_offer AND c.secret_hash = p_secret_hash FOR UPDATE;
  IF NOT FOUND THEN
    v_outcome := 'unknown';
  ELSIF v_to = p_from OR coalesce(o.for_tenant <> v_to, false) THEN
    v_outcome := 'not_for_you';
  ELSIF o.accepted_at IS NOT NULL OR o.withdrawn_at IS NOT NULL OR o.expires_at <= clock_timestamp()
      OR NOT EXISTS (SELECT FROM directory.tenants t JOIN swarmgate.this_cell h ON h.cell = t.cell WHERE t.id = p_from AND t.status = 'active') THEN
    v_outcome := 'ended';
  ELSIF NOT EXISTS (SELECT FROM swarmgate.channels c WHERE c.tenant_id = p_from AND c.id = o.channel_id AND c.platform = p_platform)
      OR p_wanted = '[]' OR NOT (o.claims @> p_wanted) THEN
    v_outcome := 'other_account';
  ELSE
    -- What it does not hold any more it cannot hand over.
    DELETE FROM directory.external_keys k USING jsonb_to_recordset(o.claims) AS c (kind text, app text, key text)
      WHERE k.tenant_id = p_from AND k.channel_id = o.channel_id AND k.platform = p_platform
        AND k.kind = c.kind AND k.app = c.app AND k.key = c.key;
    GET DIAGNOSTICS v_count = ROW_COUNT;
    IF v_count <> jsonb_array_length(o.claims) THEN
      v_outcome := 'ended'; -- and whoever calls undoes this
    ELSE
      UPDATE swarmgate.channels c SET given_up_at = clock_timestamp(), version = c.version + 1, updated_at = now(),
          status_reason = 'its accounts were handed over to another tenant'
        WHERE c.tenant_id = p_from AND c.id = o.channel_id;
      UPDATE swarmgate.claim_offers c SET accepted_at = clock_timestamp(), accepted_by = v_to WHERE c.tenant_id = p_from AND c.id = p_offer;
      INSERT INTO swarmgate.audit_events (tenant_id, id, actor_kind, action, resource_kind, resource_id, outcome, reason, detail)
        VALUES (p_from, (p_event ->> 'id')::uuid, 'nobody', p_event ->> 'action', p_event ->> 'resourceKind', p_event ->> 'resourceId',
          'allowed', p_event ->> 'reason', p_event -> 'detail' || jsonb_build_object('accounts', o.claims));
    END IF;
  END IF;
  PERFORM set_config('swarmgate.tenant_id', v_to::text, true);
  RETURN jsonb_build_object('outcome', v_outcome, 'channelId', o.channel_id, 'claims', o.claims);
END $$;

-- Channels whose accounts were handed over so long ago that what they had begun has ended.
CREATE FUNCTION swarmgate.given_up_channels_v1(p_after_ms integer, p_limit integer) RETURNS TABLE (tenant_id uuid, channel_id uuid)
LANGUAGE plpgsql STABLE SET role = 'swarmgate_sweeper' AS $$
#variable_conflict use_column
BEGIN
  RETURN QUERY SELECT c.tenant_id, c.id FROM swarmgate.channels c
    WHERE c.given_up_at < clock_timestamp() - make_interval(secs => p_after_ms / 1000.0) AND c.removed_at IS NULL
    ORDER BY c.given_up_at LIMIT p_limit;
END $$;

REVOKE EXECUTE ON FUNCTION swarmgate.take_claims(uuid, uuid, bytea, text, jsonb, jsonb), swarmgate.given_up_channels_v1(integer, integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION swarmgate.take_claims(uuid, uuid, bytea, text, jsonb, jsonb) TO swarmgate_tenant;
GRANT EXECUTE ON FUNCTION swarmgate.given_up_channels_v1(integer, integer) TO swarmgate_service;

-- Domains that lead to a tenant. Any tenant may ask for any; it is one tenant's at most once that was proved, by a record in
-- the domain or by an operator's word.
CREATE TABLE directory.domains (
  id uuid PRIMARY KEY,
  tenant_id uuid NOT NULL REFERENCES directory.tenants (id) ON DELETE RESTRICT ON UPDATE RESTRICT,
  domain text NOT NULL CHECK (domain = lower(domain) AND domain <> ''),
  -- What its record has to say.
  challenge text NOT NULL,
  created_at timestamptz(3) NOT NULL DEFAULT now(),
  verified_at timestamptz(3),
  verified_by text CHECK (verified_by IN ('dns', 'operator')),
  UNIQUE (tenant_id, domain),
  CONSTRAINT domains_verified_by_somebody CHECK ((verified_at IS NULL) = (verified_by IS NULL))
);
CREATE UNIQUE INDEX domains_verified_key ON directory.domains (domain) WHERE verified_at IS NOT NULL;
ALTER TABLE directory.domains ENABLE ROW LEVEL SECURITY;
ALTER TABLE directory.domains FORCE ROW LEVEL SECURITY;
CREATE POLICY platform ON directory.domains TO swarmgate_platform USING (true) WITH CHECK (true);
-- A tenant asks for one and lets go of it; that it was proved is not for a tenant to write.
CREATE POLICY own_tenant ON directory.domains TO swarmgate_tenant
  USING (tenant_id = (SELECT swarmgate.current_tenant())) WITH CHECK (tenant_id = (SELECT swarmgate.current_tenant()) AND verified_at IS NULL);
GRANT SELECT, UPDATE ON directory.domains TO swarmgate_platform;
GRANT SELECT, INSERT, DELETE ON directory.domains TO swarmgate_tenant;

-- Whose hosts are: by a domain that was proved, or by the slug of a tenant before the installation's own base domain.
CREATE FUNCTION directory.locate_hosts_v1(p_hosts text[], p_slugs text[]) RETURNS TABLE (ordinal integer, tenant_id uuid)
LANGUAGE plpgsql STABLE SET role = 'swarmgate_platform' AS $$
#variable_conflict use_column
BEGIN
  RETURN QUERY SELECT h.n::integer, t.id
    FROM unnest(p_hosts, p_slugs) WITH ORDINALITY AS h (host, slug, n)
    LEFT JOIN directory.domains d ON d.domain = h.host AND d.verified_at IS NOT NULL
    LEFT JOIN directory.tenants s ON d.id IS NULL AND s.slug = h.slug
    JOIN directory.tenants t ON t.id = coalesce(d.tenant_id, s.id)
    JOIN swarmgate.this_cell here ON here.cell = t.cell;
END $$;

-- The web chat that a tenant's own host leads to: its only one, or the one that is called `default`. NULL: there is none.
CREATE FUNCTION swarmgate.host_web_chat_v1(p_tenant uuid) RETURNS uuid
LANGUAGE plpgsql STABLE SET role = 'swarmgate_tenant' AS $$
DECLARE
  v_all uuid[];
  v_default uuid;
BEGIN
  PERFORM set_config('swarmgate.tenant_id', p_tenant::text, true);
  SELECT array_agg(c.id), max(c.id::text) FILTER (WHERE c.slug = 'default') INTO v_all, v_default
    FROM swarmgate.channels c WHERE c.tenant_id = p_tenant AND c.platform = 'webchat' AND c.removed_at IS NULL;
  RETURN CASE WHEN cardinality(v_all) = 1 THEN v_all[1] ELSE v_default END;
END $$;

REVOKE EXECUTE ON FUNCTION directory.locate_hosts_v1(text[], text[]), swarmgate.host_web_chat_v1(uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION directory.locate_hosts_v1(text[], text[]), swarmgate.host_web_chat_v1(uuid) TO swarmgate_service;
