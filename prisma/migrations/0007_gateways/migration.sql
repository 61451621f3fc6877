-- What gateways of platforms with webhooks need beside the journey itself.

-- An attempt of a delivery may end without the platform's answer: the next one looks first whether it had arrived.
-- `deferrals` are the attempts that were put off by a rule or a pace, and were no failure.
ALTER TABLE swarmgate.deliveries
  ADD COLUMN uncertain boolean NOT NULL DEFAULT false,
  ADD COLUMN deferrals integer NOT NULL DEFAULT 0;

-- What became of each part, and how many segments an SMS was billed as.
ALTER TABLE swarmgate.delivery_parts
  ADD COLUMN state text NOT NULL DEFAULT 'sent' CHECK (state IN ('sent', 'delivered', 'read', 'failed')),
  ADD COLUMN error_code text,
  ADD COLUMN segments integer,
  ADD COLUMN updated_at timestamptz(3) NOT NULL DEFAULT now();
-- From the platform's id of a post to what it is a part of.
CREATE INDEX delivery_parts_tenant_id_external_id_idx ON swarmgate.delivery_parts (tenant_id, external_id);

-- Who wants no messages from which sender, and wants them again. A ledger: entries are added, the latest one holds.
CREATE TABLE swarmgate.consent_entries (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL,
  channel_id uuid NOT NULL,
  sender text NOT NULL,
  recipient text NOT NULL,
  state text NOT NULL CHECK (state IN ('opted_out', 'opted_in')),
  source text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (tenant_id, id),
  CONSTRAINT consent_entries_tenant_id_channel_id_fkey FOREIGN KEY (tenant_id, channel_id)
    REFERENCES swarmgate.channels (tenant_id, id) ON DELETE RESTRICT ON UPDATE RESTRICT
);
CREATE INDEX consent_entries_latest_idx ON swarmgate.consent_entries (tenant_id, sender, recipient, created_at DESC, id DESC);
SELECT swarmgate.enable_tenant_rls('swarmgate.consent_entries');

-- Files that came along with messages or go along with them. A remote one is still at its platform; `source` is what the
-- channel's gateway fetches it by.
CREATE TABLE swarmgate.files (
  tenant_id uuid NOT NULL REFERENCES directory.tenants (id) ON DELETE RESTRICT ON UPDATE RESTRICT,
  id uuid NOT NULL,
  message_id uuid,
  channel_id uuid,
  name text NOT NULL,
  content_type text NOT NULL,
  size_bytes bigint,
  sha256 text,
  state text NOT NULL CHECK (state IN ('remote', 'stored', 'failed', 'deleted')),
  source jsonb NOT NULL DEFAULT '{}',
  failure text,
  created_at timestamptz(3) NOT NULL DEFAULT now(),
  stored_at timestamptz(3),
  deleted_at timestamptz(3),
  PRIMARY KEY (tenant_id, id),
  CONSTRAINT files_stored_is_known CHECK (state <> 'stored' OR (size_bytes IS NOT NULL AND sha256 IS NOT NULL)),
  CONSTRAINT files_tenant_id_message_id_fkey FOREIGN KEY (tenant_id, message_id)
    REFERENCES swarmgate.messages (tenant_id, id) ON DELETE RESTRICT ON UPDATE RESTRICT,
  CONSTRAINT files_tenant_id_channel_id_fkey FOREIGN KEY (tenant_id, channel_id)
    REFERENCES swarmgate.channels (tenant_id, id) ON DELETE RESTRICT ON UPDATE RESTRICT
);
CREATE INDEX files_tenant_id_message_id_idx ON swarmgate.files (tenant_id, message_id);
SELECT swarmgate.enable_tenant_rls('swarmgate.files');

-- Installations that somebody has begun at a platform: one use each, by the hash of what the platform gives back.
CREATE TABLE swarmgate.install_states (
  tenant_id uuid NOT NULL,
  state_hash text NOT NULL,
  channel_id uuid NOT NULL,
  expires_at timestamptz(3) NOT NULL,
  used_at timestamptz(3),
  created_at timestamptz(3) NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant_id, state_hash),
  CONSTRAINT install_states_tenant_id_channel_id_fkey FOREIGN KEY (tenant_id, channel_id)
    REFERENCES swarmgate.channels (tenant_id, id) ON DELETE RESTRICT ON UPDATE RESTRICT
);
SELECT swarmgate.enable_tenant_rls('swarmgate.install_states');

-- Accounts that verified requests named and that no channel claims. No content: what they sent was not kept.
CREATE TABLE directory.quarantine (
  platform text NOT NULL,
  kind text NOT NULL,
  app text NOT NULL,
  key text NOT NULL,
  reason text NOT NULL,
  seen bigint NOT NULL DEFAULT 1,
  first_seen_at timestamptz(3) NOT NULL DEFAULT now(),
  last_seen_at timestamptz(3) NOT NULL DEFAULT now(),
  PRIMARY KEY (platform, kind, app, key)
);
ALTER TABLE directory.quarantine ENABLE ROW LEVEL SECURITY;
ALTER TABLE directory.quarantine FORCE ROW LEVEL SECURITY;
CREATE POLICY platform ON directory.quarantine TO swarmgate_platform USING (true) WITH CHECK (true);
GRANT SELECT, INSERT, UPDATE, DELETE ON directory.quarantine TO swarmgate_platform;

-- Which process holds the one socket of an app (Slack's Socket Mode, Discord's gateway).
CREATE TABLE directory.socket_leases (
  platform text NOT NULL,
  app text NOT NULL,
  holder text NOT NULL,
  expires_at timestamptz NOT NULL,
  PRIMARY KEY (platform, app)
);
ALTER TABLE directory.socket_leases ENABLE ROW LEVEL SECURITY;
ALTER TABLE directory.socket_leases FORCE ROW LEVEL SECURITY;
CREATE POLICY platform ON directory.socket_leases TO swarmgate_platform USING (true) WITH CHECK (true);
GRANT SELECT, INSERT, UPDATE, DELETE ON directory.socket_leases TO swarmgate_platform;
