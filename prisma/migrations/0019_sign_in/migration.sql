-- What people sign in with, what they have while they are signed in, and how others are asked to join.
-- Of every secret that is handed out there is the SHA-256 only: they are random enough to need no slow hash. What must be
-- read again (the secret of a second factor, a signing key) is sealed by the master keys.

CREATE TABLE identity.passwords (
  user_id uuid PRIMARY KEY REFERENCES identity.users (id) ON DELETE CASCADE ON UPDATE RESTRICT,
  -- argon2id in its own text form, which says the parameters that it was made with.
  hash text NOT NULL,
  changed_at timestamptz(3) NOT NULL DEFAULT now()
);

CREATE TABLE identity.totp (
  user_id uuid PRIMARY KEY REFERENCES identity.users (id) ON DELETE CASCADE ON UPDATE RESTRICT,
  sealed_secret text NOT NULL,
  created_at timestamptz(3) NOT NULL DEFAULT now(),
  -- Until a code was shown nobody is asked for one.
  confirmed_at timestamptz(3),
  -- A code is good once, and none before it afterwards.
  last_used_step bigint NOT NULL DEFAULT 0
);

CREATE TABLE identity.recovery_codes (
  user_id uuid NOT NULL REFERENCES identity.users (id) ON DELETE CASCADE ON UPDATE RESTRICT,
  code_hash bytea NOT NULL,
  created_at timestamptz(3) NOT NULL DEFAULT now(),
  used_at timestamptz(3),
  PRIMARY KEY (user_id, code_hash)
);

CREATE TABLE identity.web_sessions (
  id uuid PRIMARY KEY,
  user_id uuid NOT NULL REFERENCES identity.users (id) ON DELETE CASCADE ON UPDATE RESTRICT,
  -- Changes when the session gets more rights than it had, which also ends its refresh families; its id does not.
  token_hash bytea NOT NULL UNIQUE,
  created_at timestamptz(3) NOT NULL DEFAULT now(),
  last_seen_at timestamptz(3) NOT NULL DEFAULT now(),
  -- The nearer end moves while the session is in use, the farther one does not.
  idle_expires_at timestamptz(3) NOT NULL,
  expires_at timestamptz(3) NOT NULL,
  -- When the first factor was shown, and the second one.
  authenticated_at timestamptz(3) NOT NULL DEFAULT now(),
  mfa_at timestamptz(3),
  -- Authentication methods (RFC 8176): pwd, otp, …
  amr text[] NOT NULL,
  -- Address and browser, for the person to know their sessions by.
  sealed_client text,
  revoked_at timestamptz(3)
);
CREATE INDEX web_sessions_user_id_idx ON identity.web_sessions (user_id);
CREATE INDEX web_sessions_expires_at_idx ON identity.web_sessions (expires_at);

-- Between the first factor and the second.
CREATE TABLE identity.sign_in_challenges (
  token_hash bytea PRIMARY KEY,
  user_id uuid NOT NULL REFERENCES identity.users (id) ON DELETE CASCADE ON UPDATE RESTRICT,
  amr text[] NOT NULL,
  created_at timestamptz(3) NOT NULL DEFAULT now(),
  expires_at timestamptz(3) NOT NULL,
  used_at timestamptz(3)
);
CREATE INDEX sign_in_challenges_user_id_idx ON identity.sign_in_challenges (user_id);
CREATE INDEX sign_in_challenges_expires_at_idx ON identity.sign_in_challenges (expires_at);

-- Links that an operator hands to somebody, to sign in by or to set a password with; good once.
CREATE TABLE identity.sign_in_links (
  token_hash bytea PRIMARY KEY,
  user_id uuid NOT NULL REFERENCES identity.users (id) ON DELETE CASCADE ON UPDATE RESTRICT,
  purpose text NOT NULL CHECK (purpose IN ('sign_in', 'set_password')),
  created_at timestamptz(3) NOT NULL DEFAULT now(),
  expires_at timestamptz(3) NOT NULL,
  used_at timestamptz(3)
);
CREATE INDEX sign_in_links_user_id_idx ON identity.sign_in_links (user_id);
CREATE INDEX sign_in_links_expires_at_idx ON identity.sign_in_links (expires_at);

-- Attempts at a secret that somebody could guess, for each thing that they are counted by (an account, a network). Outlives
-- a restart and an emptied Redis, so that neither gives a guesser new tries.
CREATE TABLE identity.attempts (
  -- HMAC of what is counted by: no list of addresses, also not of those that are nobody's account.
  key bytea PRIMARY KEY,
  -- Attempts that have not ended well. One under way counts as failed until it has ended well.
  failures integer NOT NULL,
  blocked_until timestamptz(3),
  forget_at timestamptz(3) NOT NULL
);
CREATE INDEX attempts_forget_at_idx ON identity.attempts (forget_at);

-- What a program has from a session, to go on with without its cookie: one refresh token after another, all of one family.
CREATE TABLE identity.refresh_families (
  id uuid PRIMARY KEY,
  session_id uuid NOT NULL REFERENCES identity.web_sessions (id) ON DELETE CASCADE ON UPDATE RESTRICT,
  -- The tenant that its tokens are for, and what they are limited to; absent: whatever the person may do. (Not `tenant_id`:
  -- the row is the person's, not the tenant's.)
  for_tenant uuid,
  scope text[],
  created_at timestamptz(3) NOT NULL DEFAULT now(),
  ended_at timestamptz(3),
  end_reason text CHECK (end_reason IN ('reuse', 'revoked'))
);
CREATE INDEX refresh_families_session_id_idx ON identity.refresh_families (session_id);

CREATE TABLE identity.refresh_tokens (
  token_hash bytea PRIMARY KEY,
  family_id uuid NOT NULL REFERENCES identity.refresh_families (id) ON DELETE CASCADE ON UPDATE RESTRICT,
  created_at timestamptz(3) NOT NULL DEFAULT now(),
  -- Kept when it was used: that one comes again is how a theft shows.
  used_at timestamptz(3)
);
CREATE INDEX refresh_tokens_family_id_idx ON identity.refresh_tokens (family_id);

-- Keys that sign access tokens, one after the other. Each is published before it signs, and after, until its tokens end.
CREATE TABLE identity.signing_keys (
  kid text PRIMARY KEY,
  public_jwk jsonb NOT NULL,
  sealed_private_jwk text NOT NULL,
  created_at timestamptz(3) NOT NULL DEFAULT now(),
  -- From when and until when it signs.
  not_before timestamptz(3) NOT NULL,
  not_after timestamptz(3) NOT NULL
);

-- Somebody who is asked to become a member. The token names tenant and row, so it is looked for there and nowhere else.
CREATE TABLE identity.invitations (
  tenant_id uuid NOT NULL REFERENCES directory.tenants (id) ON DELETE RESTRICT ON UPDATE RESTRICT,
  id uuid NOT NULL,
  -- Whom it is for, as `identity.users` has it: nobody else can take it.
  email text NOT NULL CHECK (email = lower(btrim(email)) AND email <> ''),
  builtin_role text CHECK (builtin_role IN ('owner', 'admin', 'member', 'viewer')),
  role_id uuid,
  secret_hash bytea NOT NULL,
  -- The member who asked, and whose rights bound what it gives; absent: an operator of the installation.
  invited_by uuid,
  created_at timestamptz(3) NOT NULL DEFAULT now(),
  expires_at timestamptz(3) NOT NULL,
  accepted_at timestamptz(3),
  revoked_at timestamptz(3),
  PRIMARY KEY (tenant_id, id),
  -- A role to which somebody is invited is not removed; invitations that have ended go with theirs.
  FOREIGN KEY (tenant_id, role_id) REFERENCES swarmgate.roles (tenant_id, id) ON DELETE CASCADE ON UPDATE RESTRICT,
  CONSTRAINT invitations_one_role CHECK ((builtin_role IS NULL) <> (role_id IS NULL))
);
SELECT swarmgate.enable_tenant_rls('identity.invitations');
CREATE POLICY identity ON identity.invitations TO swarmgate_identity USING (true) WITH CHECK (true);
GRANT SELECT, UPDATE ON identity.invitations TO swarmgate_identity;

DO $$
DECLARE
  name text;
BEGIN
  FOREACH name IN ARRAY ARRAY['passwords', 'totp', 'recovery_codes', 'web_sessions', 'sign_in_challenges', 'sign_in_links',
      'attempts', 'refresh_families', 'refresh_tokens', 'signing_keys'] LOOP
    EXECUTE format('ALTER TABLE identity.%I ENABLE ROW LEVEL SECURITY', name);
    EXECUTE format('ALTER TABLE identity.%I FORCE ROW LEVEL SECURITY', name);
    EXECUTE format('CREATE POLICY identity ON identity.%I TO swarmgate_identity USING (true) WITH CHECK (true)', name);
    EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON identity.%I TO swarmgate_identity', name);
  END LOOP;
END $$;

-- A session that is good now, and whose it is. NULL: there is none, or it has ended.
CREATE FUNCTION identity.describe_session(p_id uuid) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
  RETURN (SELECT jsonb_build_object('id', s.id, 'userId', s.user_id, 'isOperator', u.is_operator, 'amr', s.amr,
      'authenticatedAtMs', round(extract(epoch FROM s.authenticated_at) * 1000),
      'mfaAtMs', round(extract(epoch FROM s.mfa_at) * 1000),
      'expiresAtMs', round(extract(epoch FROM s.expires_at) * 1000))
    FROM identity.web_sessions s JOIN identity.users u ON u.id = s.user_id
    WHERE s.id = p_id AND s.revoked_at IS NULL AND u.status = 'active'
      AND s.expires_at > clock_timestamp() AND s.idle_expires_at > clock_timestamp());
END $$;

-- The session of a token. That it was used is noted once a minute at most, and then moves its nearer end.
CREATE FUNCTION identity.find_session_v1(p_token_hash bytea, p_idle_ms bigint) RETURNS jsonb
LANGUAGE plpgsql SET role = 'swarmgate_identity' AS $$
DECLARE
  found_id uuid;
  session jsonb;
BEGIN
  SELECT s.id INTO found_id FROM identity.web_sessions s WHERE s.token_hash = p_token_hash;
  session := identity.describe_session(found_id);
  IF session IS NOT NULL THEN
    UPDATE identity.web_sessions s
      SET last_seen_at = clock_timestamp(), idle_expires_at = clock_timestamp() + p_idle_ms * interval '1 millisecond'
      WHERE s.id = found_id AND s.last_seen_at < clock_timestamp() - interval '1 minute';
  END IF;
  RETURN session;
END $$;

-- The session that an access token goes back to, as long as the family that it came with (if it came with one) lives.
CREATE FUNCTION identity.find_token_session_v1(p_session uuid, p_family uuid) RETURNS jsonb
LANGUAGE plpgsql SET role = 'swarmgate_identity' AS $$
DECLARE
  session jsonb;
BEGIN
  -- The session first: one that has got more rights since then has ended the family.
  session := identity.describe_session(p_session);
  IF p_family IS NOT NULL AND NOT EXISTS (SELECT 1 FROM identity.refresh_families f
      WHERE f.id = p_family AND f.session_id = p_session AND f.ended_at IS NULL) THEN
    RETURN NULL;
  END IF;
  RETURN session;
END $$;

-- Takes one attempt from each of some counters, or from none when one of them is blocked; then answers for how many
-- milliseconds. Attempts that run at the same moment wait for each other here, so that no more pass than may.
-- `p_rules` is an array of {key (hex), freeFailures, firstDelayMs, delayMsMax, forgetMs}, in the order of its keys.
CREATE FUNCTION identity.take_attempt_v1(p_rules text) RETURNS bigint
LANGUAGE plpgsql SET role = 'swarmgate_identity' AS $$
DECLARE
  rule record;
  now_at timestamptz;
  blocked timestamptz;
BEGIN
  FOR rule IN SELECT * FROM jsonb_to_recordset(p_rules::jsonb)
      AS r (key text, "freeFailures" integer, "firstDelayMs" bigint, "delayMsMax" bigint, "forgetMs" bigint) ORDER BY r.key LOOP
    INSERT INTO identity.attempts AS a (key, failures, forget_at) VALUES (decode(rule.key, 'hex'), 0, clock_timestamp())
      ON CONFLICT (key) DO UPDATE SET failures = CASE WHEN a.forget_at < clock_timestamp() THEN 0 ELSE a.failures END,
        blocked_until = CASE WHEN a.forget_at < clock_timestamp() THEN NULL ELSE a.blocked_until END;
  END LOOP;
  now_at := clock_timestamp();
  SELECT max(a.blocked_until) INTO blocked FROM identity.attempts a
    JOIN jsonb_to_recordset(p_rules::jsonb) AS r (key text) ON a.key = decode(r.key, 'hex') WHERE a.blocked_until > now_at;
  IF blocked IS NOT NULL THEN
    RETURN greatest(1, ceil(extract(epoch FROM blocked - now_at) * 1000));
  END IF;
  UPDATE identity.attempts a SET failures = a.failures + 1, forget_at = now_at + r."forgetMs" * interval '1 millisecond',
      blocked_until = CASE WHEN a.failures + 1 >= r."freeFailures" THEN now_at + interval '1 millisecond'
        * least(r."delayMsMax", r."firstDelayMs" * power(2, least(30, a.failures + 1 - r."freeFailures"))) END
    FROM jsonb_to_recordset(p_rules::jsonb)
      AS r (key text, "freeFailures" integer, "firstDelayMs" bigint, "delayMsMax" bigint, "forgetMs" bigint)
    WHERE a.key = decode(r.key, 'hex');
  RETURN 0;
END $$;

-- An attempt ended well: what it was counted by begins anew or, where others are counted with it (`onSuccess` is `return`),
-- gets back the one that it was charged. A block that others earned meanwhile stays.
CREATE FUNCTION identity.give_back_attempt_v1(p_rules text) RETURNS void
LANGUAGE plpgsql SET role = 'swarmgate_identity' AS $$
BEGIN
  PERFORM 1 FROM identity.attempts a WHERE a.key IN (SELECT decode(r.key, 'hex') FROM jsonb_to_recordset(p_rules::jsonb) AS r (key text))
    ORDER BY a.key FOR UPDATE;
  DELETE FROM identity.attempts a USING jsonb_to_recordset(p_rules::jsonb) AS r (key text, "onSuccess" text)
    WHERE a.key = decode(r.key, 'hex') AND r."onSuccess" = 'forget';
  UPDATE identity.attempts a SET failures = greatest(0, a.failures - 1),
      blocked_until = CASE WHEN a.failures > r."freeFailures" THEN a.blocked_until END
    FROM jsonb_to_recordset(p_rules::jsonb) AS r (key text, "onSuccess" text, "freeFailures" integer)
    WHERE a.key = decode(r.key, 'hex') AND r."onSuccess" = 'return';
END $$;

-- What somebody is in a tenant, by whatever makes them that. NULL: nothing, or there is no such tenant here.
CREATE FUNCTION swarmgate.describe_grant(p_tenant uuid, p_user uuid) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
  RETURN (SELECT jsonb_build_object('builtinRole', m.builtin_role, 'roleName', r.slug, 'rolePermissions', r.permissions,
      'organizationRole', o.role, 'organizationId', t.organization_id)
    FROM directory.tenants t
    JOIN swarmgate.this_cell here ON here.cell = t.cell
    JOIN identity.users u ON u.id = p_user AND u.status = 'active'
    LEFT JOIN identity.memberships m ON m.tenant_id = t.id AND m.user_id = u.id
    LEFT JOIN swarmgate.roles r ON r.tenant_id = m.tenant_id AND r.id = m.role_id
    LEFT JOIN identity.organization_members o ON o.organization_id = t.organization_id AND o.user_id = u.id
    WHERE t.id = p_tenant);
END $$;

CREATE FUNCTION swarmgate.find_grant_v1(p_tenant uuid, p_user uuid) RETURNS jsonb
LANGUAGE plpgsql SET role = 'swarmgate_tenant' AS $$
BEGIN
  PERFORM set_config('swarmgate.tenant_id', p_tenant::text, true);
  RETURN swarmgate.describe_grant(p_tenant, p_user);
END $$;

-- Takes away what has ended and is of no more use; what shows a theft stays as long as its session's row.
CREATE FUNCTION identity.forget_ended_v1() RETURNS void
LANGUAGE plpgsql SET role = 'swarmgate_identity' AS $$
BEGIN
  DELETE FROM identity.sign_in_challenges WHERE expires_at < clock_timestamp() - interval '1 day';
  DELETE FROM identity.sign_in_links WHERE expires_at < clock_timestamp() - interval '1 day';
  DELETE FROM identity.attempts WHERE forget_at < clock_timestamp();
  DELETE FROM identity.web_sessions WHERE expires_at < clock_timestamp() - interval '7 days';
  -- Tokens live for minutes; a day is more than any clock is wrong by.
  DELETE FROM identity.signing_keys WHERE not_after < clock_timestamp() - interval '1 day';
END $$;

REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA swarmgate, identity FROM PUBLIC;
GRANT EXECUTE ON FUNCTION identity.describe_session(uuid) TO swarmgate_identity;
GRANT EXECUTE ON FUNCTION swarmgate.describe_grant(uuid, uuid) TO swarmgate_tenant;
GRANT EXECUTE ON FUNCTION
  identity.find_session_v1(bytea, bigint),
  identity.find_token_session_v1(uuid, uuid),
  identity.take_attempt_v1(text),
  identity.give_back_attempt_v1(text),
  identity.forget_ended_v1(),
  swarmgate.find_grant_v1(uuid, uuid)
  TO swarmgate_service;
