-- Passkeys: what authenticators of people's hold the private part of, and the ceremonies with them that are under way.

CREATE TABLE identity.passkeys (
  id uuid PRIMARY KEY,
  user_id uuid NOT NULL REFERENCES identity.users (id) ON DELETE CASCADE ON UPDATE RESTRICT,
  -- As the authenticator calls it. One credential is one person's, and theirs once.
  credential_id bytea NOT NULL UNIQUE,
  -- A COSE_Key (RFC 9052 §7), as the authenticator gave it.
  public_key bytea NOT NULL,
  -- What the authenticator has counted of its signatures; 0 from those that do not count. When it does not grow, a copy signs.
  sign_count bigint NOT NULL,
  -- What its owner calls it.
  name text NOT NULL,
  -- How browsers reach the authenticator: internal, hybrid, usb, nfc, ble, …
  transports text[] NOT NULL,
  is_backed_up boolean NOT NULL,
  -- The organization's provider in whose session it was made: it signs in where that does, and goes with it. Otherwise whoever
  -- runs the provider could make one for a day on which its owner belongs elsewhere.
  connection_id uuid REFERENCES identity.sign_on_connections (id) ON DELETE CASCADE ON UPDATE RESTRICT,
  created_at timestamptz(3) NOT NULL DEFAULT now(),
  last_used_at timestamptz(3)
);
CREATE INDEX passkeys_connection_id_idx ON identity.passkeys (connection_id);
CREATE INDEX passkeys_user_id_idx ON identity.passkeys (user_id);

-- A question that was put to an authenticator. Its answer takes the row away, so each is answered once, by any process.
CREATE TABLE identity.passkey_ceremonies (
  -- SHA-256 of the secret that whoever asked for it has; and the challenge that the authenticator signs.
  token_hash bytea PRIMARY KEY,
  purpose text NOT NULL CHECK (purpose IN ('registration', 'sign_in', 'second_factor', 'step_up')),
  -- What it belongs to, and ends with. A sign-in without a name belongs to nobody yet.
  challenge_hash bytea REFERENCES identity.sign_in_challenges (token_hash) ON DELETE CASCADE ON UPDATE RESTRICT,
  session_id uuid REFERENCES identity.web_sessions (id) ON DELETE CASCADE ON UPDATE RESTRICT,
  expires_at timestamptz(3) NOT NULL,
  CONSTRAINT passkey_ceremonies_belonging CHECK (
    (challenge_hash IS NOT NULL) = (purpose = 'second_factor')
    AND (session_id IS NOT NULL) = (purpose IN ('registration', 'step_up')))
);
CREATE INDEX passkey_ceremonies_challenge_hash_idx ON identity.passkey_ceremonies (challenge_hash);
CREATE INDEX passkey_ceremonies_session_id_idx ON identity.passkey_ceremonies (session_id);
CREATE INDEX passkey_ceremonies_expires_at_idx ON identity.passkey_ceremonies (expires_at);

-- A link may also be one that the service itself prints at its start, for whoever sits at its machine.
ALTER TABLE identity.sign_in_links DROP CONSTRAINT sign_in_links_purpose_check;
ALTER TABLE identity.sign_in_links ADD CONSTRAINT sign_in_links_purpose_check
  CHECK (purpose IN ('sign_in', 'set_password', 'this_machine'));

DO $$
DECLARE
  name text;
BEGIN
  FOREACH name IN ARRAY ARRAY['passkeys', 'passkey_ceremonies'] LOOP
    EXECUTE format('ALTER TABLE identity.%I ENABLE ROW LEVEL SECURITY', name);
    EXECUTE format('ALTER TABLE identity.%I FORCE ROW LEVEL SECURITY', name);
    EXECUTE format('CREATE POLICY identity ON identity.%I TO swarmgate_identity USING (true) WITH CHECK (true)', name);
    EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON identity.%I TO swarmgate_identity', name);
  END LOOP;
END $$;

-- What nobody answered in time.
CREATE FUNCTION identity.forget_passkey_ceremonies_v1() RETURNS void
LANGUAGE plpgsql SET role = 'swarmgate_identity' AS $$
BEGIN
  DELETE FROM identity.passkey_ceremonies WHERE expires_at < clock_timestamp();
END $$;

REVOKE EXECUTE ON FUNCTION identity.forget_passkey_ceremonies_v1() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION identity.forget_passkey_ceremonies_v1() TO swarmgate_service;
