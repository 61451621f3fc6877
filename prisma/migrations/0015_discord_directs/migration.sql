-- What direct messages need where one bot is in many servers: whom they were for before the person chose anew, where a
-- person was seen, and how servers are called. Ids, names of servers and times only.

-- A body is checked under the role that its function steps into, which may not call a function that was there before.
SET LOCAL check_function_bodies = off;

-- Earlier choices: what happens to a message later is told to whoever has it.
CREATE TABLE directory.direct_past_choices (
  platform text NOT NULL,
  app text NOT NULL,
  person text NOT NULL,
  account text NOT NULL,
  direct text NOT NULL,
  chosen_at timestamptz(3) NOT NULL,
  PRIMARY KEY (platform, app, person, chosen_at, account)
);
CREATE INDEX direct_past_choices_direct_idx ON directory.direct_past_choices (platform, app, direct);

-- In which claimed accounts a person has spoken to an app: where to look first for what they share.
CREATE TABLE directory.direct_sightings (
  platform text NOT NULL,
  app text NOT NULL,
  person text NOT NULL,
  account text NOT NULL,
  seen_at timestamptz(3) NOT NULL DEFAULT now(),
  PRIMARY KEY (platform, app, person, account)
);

-- What the accounts that an app is in are called on their platform. Shown only to whom the platform has among its members.
CREATE TABLE directory.account_names (
  platform text NOT NULL,
  app text NOT NULL,
  account text NOT NULL,
  name text NOT NULL,
  PRIMARY KEY (platform, app, account)
);

ALTER TABLE directory.direct_past_choices ENABLE ROW LEVEL SECURITY;
ALTER TABLE directory.direct_past_choices FORCE ROW LEVEL SECURITY;
ALTER TABLE directory.direct_sightings ENABLE ROW LEVEL SECURITY;
ALTER TABLE directory.direct_sightings FORCE ROW LEVEL SECURITY;
ALTER TABLE directory.account_names ENABLE ROW LEVEL SECURITY;
ALTER TABLE directory.account_names FORCE ROW LEVEL SECURITY;
CREATE POLICY platform ON directory.direct_past_choices TO swarmgate_platform USING (true) WITH CHECK (true);
CREATE POLICY platform ON directory.direct_sightings TO swarmgate_platform USING (true) WITH CHECK (true);
CREATE POLICY platform ON directory.account_names TO swarmgate_platform USING (true) WITH CHECK (true);
GRANT SELECT, INSERT, UPDATE, DELETE ON directory.direct_past_choices, directory.direct_sightings, directory.account_names TO swarmgate_platform;

-- As choose_direct_v1; what was chosen before is kept, the latest twenty of a person's. False: the person has chosen
-- something else since, and that stays.
CREATE FUNCTION directory.choose_direct_v2(p_platform text, p_app text, p_person text, p_account text, p_direct text, p_at_ms double precision) RETURNS boolean
LANGUAGE plpgsql SET role = 'swarmgate_platform' AS $$
BEGIN
  PERFORM 1 FROM directory.direct_choices c WHERE c.platform = p_platform AND c.app = p_app AND c.person = p_person FOR UPDATE;
  INSERT INTO directory.direct_past_choices (platform, app, person, account, direct, chosen_at)
    SELECT c.platform, c.app, c.person, c.account, c.direct, c.chosen_at FROM directory.direct_choices c
      WHERE c.platform = p_platform AND c.app = p_app AND c.person = p_person AND c.account <> p_account
        AND c.chosen_at <= to_timestamp(p_at_ms / 1000)
    ON CONFLICT DO NOTHING;
  DELETE FROM directory.direct_past_choices o
    WHERE o.platform = p_platform AND o.app = p_app AND o.person = p_person AND o.chosen_at < (
      SELECT n.chosen_at FROM directory.direct_past_choices n
        WHERE n.platform = p_platform AND n.app = p_app AND n.person = p_person ORDER BY n.chosen_at DESC OFFSET 19 LIMIT 1);
  INSERT INTO directory.direct_choices AS c (platform, app, person, account, direct, chosen_at, checked_at)
    VALUES (p_platform, p_app, p_person, p_account, p_direct, to_timestamp(p_at_ms / 1000), clock_timestamp())
    ON CONFLICT (platform, app, person) DO UPDATE SET account = EXCLUDED.account, direct = EXCLUDED.direct, checked_at = EXCLUDED.checked_at,
      chosen_at = CASE WHEN c.account = EXCLUDED.account THEN c.chosen_at ELSE EXCLUDED.chosen_at END
    WHERE c.account = EXCLUDED.account OR c.chosen_at <= EXCLUDED.chosen_at;
  RETURN FOUND;
END $$;

-- The platform still has the person there. Nothing changes where they have chosen anew while it was asked.
CREATE FUNCTION directory.recheck_direct_v1(p_platform text, p_app text, p_person text, p_account text, p_at_ms double precision) RETURNS void
LANGUAGE plpgsql SET role = 'swarmgate_platform' AS $$
BEGIN
  UPDATE directory.direct_choices c SET checked_at = clock_timestamp()
    WHERE c.platform = p_platform AND c.app = p_app AND c.person = p_person
      AND c.account = p_account AND round(extract(epoch FROM c.chosen_at) * 1000) = round(p_at_ms);
END $$;

-- The platform does not have the person there any more. The same condition.
CREATE FUNCTION directory.forget_direct_v2(p_platform text, p_app text, p_person text, p_account text, p_at_ms double precision) RETURNS void
LANGUAGE plpgsql SET role = 'swarmgate_platform' AS $$
BEGIN
  WITH forgotten AS (
    DELETE FROM directory.direct_choices c
      WHERE c.platform = p_platform AND c.app = p_app AND c.person = p_person
        AND c.account = p_account AND round(extract(epoch FROM c.chosen_at) * 1000) = round(p_at_ms)
      RETURNING c.account, c.direct, c.chosen_at)
  INSERT INTO directory.direct_past_choices (platform, app, person, account, direct, chosen_at)
    SELECT p_platform, p_app, p_person, f.account, f.direct, f.chosen_at FROM forgotten f
    ON CONFLICT DO NOTHING;
END $$;

-- Whom direct messages were ever for, by the person or their channel: first whom they were for at a time, then the others.
CREATE FUNCTION directory.list_direct_accounts_v1(p_platform text, p_app text, p_person text, p_direct text, p_at_ms double precision)
RETURNS TABLE (account text) LANGUAGE plpgsql STABLE SET role = 'swarmgate_platform' AS $$
BEGIN
  RETURN QUERY SELECT a.account FROM (
      SELECT c.account, c.chosen_at FROM directory.direct_choices c
        WHERE c.platform = p_platform AND c.app = p_app AND (c.person = p_person OR c.direct = p_direct)
      UNION ALL
      SELECT o.account, o.chosen_at FROM directory.direct_past_choices o
        WHERE o.platform = p_platform AND o.app = p_app AND (o.person = p_person OR o.direct = p_direct)) a
    GROUP BY a.account
    ORDER BY max(a.chosen_at) FILTER (WHERE a.chosen_at <= to_timestamp(p_at_ms / 1000)) DESC NULLS LAST, max(a.chosen_at) DESC;
END $$;

-- A person has spoken to the app in an account that somebody claims; what is old of theirs goes.
CREATE FUNCTION directory.note_sighting_v1(p_platform text, p_kind text, p_app text, p_person text, p_account text) RETURNS void
LANGUAGE plpgsql SET role = 'swarmgate_platform' AS $$
BEGIN
  DELETE FROM directory.direct_sightings s
    WHERE s.platform = p_platform AND s.app = p_app AND s.person = p_person AND s.seen_at < now() - interval '180 days';
  INSERT INTO directory.direct_sightings AS s (platform, app, person, account)
    SELECT k.platform, k.app, p_person, k.key FROM directory.external_keys k
      WHERE k.platform = p_platform AND k.kind = p_kind AND k.app = p_app AND k.key = p_account
    ON CONFLICT (platform, app, person, account) DO UPDATE SET seen_at = EXCLUDED.seen_at;
END $$;

-- Of accounts that nobody claims yet, too: an installation claims one after the app has joined it.
CREATE FUNCTION directory.note_account_name_v1(p_platform text, p_app text, p_account text, p_name text) RETURNS void
LANGUAGE plpgsql SET role = 'swarmgate_platform' AS $$
BEGIN
  INSERT INTO directory.account_names AS n (platform, app, account, name) VALUES (p_platform, p_app, p_account, p_name)
    ON CONFLICT (platform, app, account) DO UPDATE SET name = EXCLUDED.name WHERE n.name <> EXCLUDED.name;
END $$;

-- The accounts of an app that a person may be in: where they were seen first, latest first, then others; of one tenant
-- only, or with a part of a name, where that is given. Never more than p_limit, and without a name never more looked at.
CREATE FUNCTION directory.direct_candidates_v1(
  p_platform text, p_kind text, p_app text, p_person text, p_tenant uuid, p_part text, p_limit integer
) RETURNS TABLE (account text, name text) LANGUAGE plpgsql STABLE SET role = 'swarmgate_platform' AS $$
BEGIN
  IF p_part IS NOT NULL THEN
    RETURN QUERY SELECT n.account, n.name FROM directory.account_names n
      JOIN directory.external_keys k ON k.platform = n.platform AND k.kind = p_kind AND k.app = n.app AND k.key = n.account
      LEFT JOIN directory.direct_sightings s ON s.platform = n.platform AND s.app = n.app AND s.person = p_person AND s.account = n.account
      WHERE n.platform = p_platform AND n.app = p_app AND strpos(lower(n.name), lower(p_part)) > 0
        AND (p_tenant IS NULL OR k.tenant_id = p_tenant)
      ORDER BY s.seen_at DESC NULLS LAST, n.account LIMIT p_limit;
    RETURN;
  END IF;
  RETURN QUERY SELECT c.key, n.name FROM (
      (SELECT k.key, s.seen_at FROM directory.direct_sightings s
        JOIN directory.external_keys k ON k.platform = s.platform AND k.kind = p_kind AND k.app = s.app AND k.key = s.account
        WHERE s.platform = p_platform AND s.app = p_app AND s.person = p_person AND (p_tenant IS NULL OR k.tenant_id = p_tenant)
        ORDER BY s.seen_at DESC LIMIT p_limit)
      UNION ALL
      (SELECT k.key, NULL FROM directory.external_keys k
        WHERE k.platform = p_platform AND k.kind = p_kind AND k.app = p_app AND (p_tenant IS NULL OR k.tenant_id = p_tenant)
          AND NOT EXISTS (SELECT 1 FROM directory.direct_sightings s
            WHERE s.platform = p_platform AND s.app = p_app AND s.person = p_person AND s.account = k.key)
        ORDER BY k.key LIMIT p_limit)) c (key, seen_at)
    LEFT JOIN directory.account_names n ON n.platform = p_platform AND n.app = p_app AND n.account = c.key
    ORDER BY c.seen_at DESC NULLS LAST, c.key LIMIT p_limit;
END $$;

REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA swarmgate, directory FROM PUBLIC;
GRANT EXECUTE ON FUNCTION
  directory.choose_direct_v2(text, text, text, text, text, double precision),
  directory.recheck_direct_v1(text, text, text, text, double precision),
  directory.forget_direct_v2(text, text, text, text, double precision),
  directory.list_direct_accounts_v1(text, text, text, text, double precision),
  directory.note_sighting_v1(text, text, text, text, text),
  directory.note_account_name_v1(text, text, text, text),
  directory.direct_candidates_v1(text, text, text, text, uuid, text, integer)
  TO swarmgate_service;
