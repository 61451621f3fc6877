-- What Discord's gateway needs beside the lease of its socket: where a session stands, so that another process can go on
-- with it, and whom a direct message is for, which names no guild.

-- Where the session of a socket stands that can be resumed: ids, a sequence number, an address and times. No content. It
-- outlives the lease, because who takes that next goes on here.
CREATE TABLE directory.socket_sessions (
  platform text NOT NULL,
  app text NOT NULL,
  session jsonb,
  -- Why the platform opens no socket, and what to do: for the operator.
  fault text,
  updated_at timestamptz(3) NOT NULL DEFAULT now(),
  PRIMARY KEY (platform, app)
);
ALTER TABLE directory.socket_sessions ENABLE ROW LEVEL SECURITY;
ALTER TABLE directory.socket_sessions FORCE ROW LEVEL SECURITY;
CREATE POLICY platform ON directory.socket_sessions TO swarmgate_platform USING (true) WITH CHECK (true);
GRANT SELECT, INSERT, UPDATE, DELETE ON directory.socket_sessions TO swarmgate_platform;

-- Which account a person's direct messages to an app are for, once the person has said so. Ids and times only.
CREATE TABLE directory.direct_choices (
  platform text NOT NULL,
  app text NOT NULL,
  person text NOT NULL,
  account text NOT NULL,
  -- The channel of the direct messages.
  direct text NOT NULL,
  -- Since when, by the platform's clock: what was written before was for nobody, or for another one.
  chosen_at timestamptz(3) NOT NULL DEFAULT now(),
  -- When the platform was last seen to have the person among the account's members.
  checked_at timestamptz(3) NOT NULL DEFAULT now(),
  PRIMARY KEY (platform, app, person)
);
CREATE INDEX direct_choices_direct_idx ON directory.direct_choices (platform, app, direct);
CREATE INDEX direct_choices_latest_idx ON directory.direct_choices (platform, app, checked_at DESC);
ALTER TABLE directory.direct_choices ENABLE ROW LEVEL SECURITY;
ALTER TABLE directory.direct_choices FORCE ROW LEVEL SECURITY;
CREATE POLICY platform ON directory.direct_choices TO swarmgate_platform USING (true) WITH CHECK (true);
GRANT SELECT, INSERT, UPDATE, DELETE ON directory.direct_choices TO swarmgate_platform;

-- Keeps where a session stands, in the name of who holds the socket's lease now; false: nobody does by that name, and
-- nothing was written. The lease's row is locked, so that nobody takes it over in between.
CREATE FUNCTION directory.keep_socket_session_v1(p_platform text, p_app text, p_holder text, p_session text, p_fault text) RETURNS boolean
LANGUAGE plpgsql SET role = 'swarmgate_platform' AS $$
BEGIN
  PERFORM 1 FROM directory.socket_leases l
    WHERE l.platform = p_platform AND l.app = p_app AND l.holder = p_holder AND l.expires_at > clock_timestamp() FOR UPDATE;
  IF NOT FOUND THEN
    RETURN false;
  END IF;
  INSERT INTO directory.socket_sessions AS s (platform, app, session, fault) VALUES (p_platform, p_app, p_session::jsonb, p_fault)
    ON CONFLICT (platform, app) DO UPDATE SET session = EXCLUDED.session, fault = EXCLUDED.fault, updated_at = now();
  RETURN true;
END $$;

CREATE FUNCTION directory.read_socket_session_v1(p_platform text, p_app text) RETURNS jsonb
LANGUAGE plpgsql SET role = 'swarmgate_platform' AS $$
BEGIN
  RETURN (SELECT s.session FROM directory.socket_sessions s WHERE s.platform = p_platform AND s.app = p_app);
END $$;

-- By the person, or by the channel of their direct messages, whichever is known; `sinceMs`: since it was last checked.
CREATE FUNCTION directory.find_direct_v1(p_platform text, p_app text, p_person text, p_direct text) RETURNS jsonb
LANGUAGE plpgsql SET role = 'swarmgate_platform' AS $$
BEGIN
  RETURN (SELECT jsonb_build_object('person', c.person, 'account', c.account, 'direct', c.direct,
      'sinceMs', extract(epoch FROM clock_timestamp() - c.checked_at) * 1000,
      'chosenAtMs', round(extract(epoch FROM c.chosen_at) * 1000))
    FROM directory.direct_choices c
    WHERE c.platform = p_platform AND c.app = p_app AND (c.person = p_person OR c.direct = p_direct) LIMIT 1);
END $$;

CREATE FUNCTION directory.choose_direct_v1(p_platform text, p_app text, p_person text, p_account text, p_direct text, p_at_ms double precision) RETURNS void
LANGUAGE plpgsql SET role = 'swarmgate_platform' AS $$
BEGIN
  INSERT INTO directory.direct_choices AS c (platform, app, person, account, direct, chosen_at, checked_at)
    VALUES (p_platform, p_app, p_person, p_account, p_direct, to_timestamp(p_at_ms / 1000), clock_timestamp())
    ON CONFLICT (platform, app, person) DO UPDATE SET account = EXCLUDED.account, direct = EXCLUDED.direct, checked_at = EXCLUDED.checked_at,
      chosen_at = CASE WHEN c.account = EXCLUDED.account THEN c.chosen_at ELSE EXCLUDED.chosen_at END;
END $$;

CREATE FUNCTION directory.forget_direct_v1(p_platform text, p_app text, p_person text) RETURNS void
LANGUAGE plpgsql SET role = 'swarmgate_platform' AS $$
BEGIN
  DELETE FROM directory.direct_choices c WHERE c.platform = p_platform AND c.app = p_app AND c.person = p_person;
END $$;

-- The channels of direct messages that an app has been chosen in, the latest first.
CREATE FUNCTION directory.list_directs_v1(p_platform text, p_app text, p_limit integer) RETURNS TABLE (person text, direct text, since_ms double precision)
LANGUAGE plpgsql SET role = 'swarmgate_platform' AS $$
BEGIN
  RETURN QUERY SELECT c.person, c.direct, extract(epoch FROM c.chosen_at)::double precision * 1000 FROM directory.direct_choices c
    WHERE c.platform = p_platform AND c.app = p_app ORDER BY c.checked_at DESC LIMIT p_limit;
END $$;

REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA swarmgate, directory FROM PUBLIC;
GRANT EXECUTE ON FUNCTION
  directory.keep_socket_session_v1(text, text, text, text, text),
  directory.read_socket_session_v1(text, text),
  directory.find_direct_v1(text, text, text, text),
  directory.choose_direct_v1(text, text, text, text, text, double precision),
  directory.forget_direct_v1(text, text, text),
  directory.list_directs_v1(text, text, integer)
  TO swarmgate_service;
