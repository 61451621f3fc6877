-- Access by organization: who runs one, and what it asks of everybody in it.

ALTER TABLE identity.organization_members
  ADD COLUMN version integer NOT NULL DEFAULT 1,
  ADD COLUMN updated_at timestamptz(3) NOT NULL DEFAULT now();

-- An organization changes and ends memberships of its own; people are added in the scope of people only, as to a tenant.
DROP POLICY own_organization ON identity.organization_members;
CREATE POLICY own_organization ON identity.organization_members TO swarmgate_organization
  USING (organization_id = (SELECT swarmgate.current_organization()))
  WITH CHECK (organization_id = (SELECT swarmgate.current_organization()));
GRANT UPDATE, DELETE ON identity.organization_members TO swarmgate_organization;

-- Somebody who is asked to help run an organization. As with a tenant's, the token names organization and row.
CREATE TABLE identity.organization_invitations (
  organization_id uuid NOT NULL REFERENCES directory.organizations (id) ON DELETE RESTRICT ON UPDATE RESTRICT,
  id uuid NOT NULL,
  email text NOT NULL CHECK (email = lower(btrim(email)) AND email <> ''),
  role text NOT NULL CHECK (role IN ('owner', 'admin', 'billing', 'viewer')),
  secret_hash bytea NOT NULL,
  -- Who asked, and whose rights bound what it gives; absent: an operator of the installation.
  invited_by uuid,
  created_at timestamptz(3) NOT NULL DEFAULT now(),
  expires_at timestamptz(3) NOT NULL,
  accepted_at timestamptz(3),
  revoked_at timestamptz(3),
  PRIMARY KEY (organization_id, id)
);
ALTER TABLE identity.organization_invitations ENABLE ROW LEVEL SECURITY;
ALTER TABLE identity.organization_invitations FORCE ROW LEVEL SECURITY;
CREATE POLICY identity ON identity.organization_invitations TO swarmgate_identity USING (true) WITH CHECK (true);
CREATE POLICY own_organization ON identity.organization_invitations TO swarmgate_organization
  USING (organization_id = (SELECT swarmgate.current_organization()))
  WITH CHECK (organization_id = (SELECT swarmgate.current_organization()));
GRANT SELECT, UPDATE, DELETE ON identity.organization_invitations TO swarmgate_identity;
GRANT SELECT, INSERT, UPDATE ON identity.organization_invitations TO swarmgate_organization;

-- Whom an organization is billed to: personal, so it is sealed, and no column of the organization, which its tenants read.
CREATE TABLE directory.billing_details (
  organization_id uuid PRIMARY KEY REFERENCES directory.organizations (id) ON DELETE RESTRICT ON UPDATE RESTRICT,
  sealed text NOT NULL,
  version integer NOT NULL DEFAULT 1,
  updated_at timestamptz(3) NOT NULL DEFAULT now()
);
ALTER TABLE directory.billing_details ENABLE ROW LEVEL SECURITY;
ALTER TABLE directory.billing_details FORCE ROW LEVEL SECURITY;
CREATE POLICY platform ON directory.billing_details TO swarmgate_platform USING (true) WITH CHECK (true);
CREATE POLICY own_organization ON directory.billing_details FOR SELECT TO swarmgate_organization
  USING (organization_id = (SELECT swarmgate.current_organization()));
GRANT SELECT, INSERT, UPDATE, DELETE ON directory.billing_details TO swarmgate_platform;
GRANT SELECT ON directory.billing_details TO swarmgate_organization;

-- What an organization asks of everybody in it: of its own members, and of those of each of its tenants.
ALTER TABLE directory.organizations
  ADD COLUMN requires_second_factor boolean NOT NULL DEFAULT false,
  -- Then whoever signed in with a password may do nothing in it.
  ADD COLUMN requires_single_sign_on boolean NOT NULL DEFAULT false;

-- Whoever signs in is told where they belong, and what is asked of them there.
CREATE POLICY identity ON directory.organizations FOR SELECT TO swarmgate_identity USING (true);
GRANT SELECT (id, slug, name, requires_second_factor, requires_single_sign_on) ON directory.organizations TO swarmgate_identity;

-- What is done to an organization is told on the installation's trail, in the same transaction.
DROP POLICY installation_adds ON swarmgate.audit_events;
CREATE POLICY installation_adds ON swarmgate.audit_events FOR INSERT TO swarmgate_platform, swarmgate_organization
  WITH CHECK (tenant_id = '00000000-0000-0000-0000-000000000000');
GRANT INSERT ON swarmgate.audit_events TO swarmgate_organization;

-- What somebody is in a tenant, by whatever makes them that, and what its organization asks of them. NULL: nothing, or
-- there is no such tenant here.
CREATE OR REPLACE FUNCTION swarmgate.describe_grant(p_tenant uuid, p_user uuid) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
  RETURN (SELECT jsonb_build_object('builtinRole', m.builtin_role, 'roleName', r.slug, 'rolePermissions', r.permissions,
      'organizationRole', o.role, 'organizationId', t.organization_id, 'requiresSecondFactor', organization.requires_second_factor,
      'requiresSingleSignOn', organization.requires_single_sign_on)
    FROM directory.tenants t
    JOIN swarmgate.this_cell here ON here.cell = t.cell
    JOIN directory.organizations organization ON organization.id = t.organization_id
    JOIN identity.users u ON u.id = p_user AND u.status = 'active'
    LEFT JOIN identity.memberships m ON m.tenant_id = t.id AND m.user_id = u.id
    LEFT JOIN swarmgate.roles r ON r.tenant_id = m.tenant_id AND r.id = m.role_id
    LEFT JOIN identity.organization_members o ON o.organization_id = t.organization_id AND o.user_id = u.id
    WHERE t.id = p_tenant);
END $$;

-- What somebody is in an organization, and what it asks of them. NULL: nothing, or there is no such organization.
CREATE FUNCTION identity.describe_organization_grant(p_organization uuid, p_user uuid) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
  RETURN (SELECT jsonb_build_object('role', m.role, 'requiresSecondFactor', o.requires_second_factor,
      'requiresSingleSignOn', o.requires_single_sign_on)
    FROM identity.organization_members m
    JOIN identity.users u ON u.id = m.user_id AND u.status = 'active'
    JOIN directory.organizations o ON o.id = m.organization_id
    WHERE m.organization_id = p_organization AND m.user_id = p_user);
END $$;

CREATE FUNCTION identity.find_organization_grant_v1(p_organization uuid, p_user uuid) RETURNS jsonb
LANGUAGE plpgsql SET role = 'swarmgate_identity' AS $$
BEGIN
  RETURN identity.describe_organization_grant(p_organization, p_user);
END $$;

-- Issuers whose tokens a tenant takes: an identity provider of its own.
CREATE TABLE swarmgate.token_issuers (
  tenant_id uuid NOT NULL REFERENCES directory.tenants (id) ON DELETE RESTRICT ON UPDATE RESTRICT,
  id uuid NOT NULL,
  name text NOT NULL,
  issuer text NOT NULL,
  -- Whom its tokens are for: of two tenants with one issuer it tells which.
  audience text NOT NULL,
  -- Absent: where the issuer's metadata say (OpenID Connect Discovery 1.0).
  jwks_url text,
  algorithms text[] NOT NULL CHECK (cardinality(algorithms) > 0 AND algorithms <@ ARRAY['EdDSA', 'ES256', 'RS256', 'PS256']),
  -- Where a token says what its holder is, and what that is here: [{value, role}], a built-in role by its name or one of the
  -- tenant's own by its id. One that is gone permits nothing.
  role_claim text,
  role_map jsonb NOT NULL DEFAULT '[]',
  default_role text,
  -- What a token must say besides: [{claim, value}].
  required_claims jsonb NOT NULL DEFAULT '[]',
  -- A key that pseudonyms of its subjects are made with.
  sealed_subject_key text NOT NULL,
  is_enabled boolean NOT NULL DEFAULT true,
  -- The member who registered it or has changed it last: its tokens give no more than they may do now. Not by a foreign key,
  -- which would tell a tenant who exists.
  kept_by uuid NOT NULL,
  version integer NOT NULL DEFAULT 1,
  created_at timestamptz(3) NOT NULL DEFAULT now(),
  updated_at timestamptz(3) NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant_id, id),
  UNIQUE (issuer, audience, tenant_id)
);
SELECT swarmgate.enable_tenant_rls('swarmgate.token_issuers');

-- Whoever has such a token acts in a tenant too. The rows that are there had fewer kinds to choose from.
ALTER TABLE swarmgate.audit_events DROP CONSTRAINT audit_events_actor_kind_check;
ALTER TABLE swarmgate.audit_events ADD CONSTRAINT audit_events_actor_kind_check
  CHECK (actor_kind IN ('user', 'api_key', 'token_subject', 'operator', 'system', 'nobody')) NOT VALID;

-- The issuers of that name that a tenant takes now, with the roles that they may bring. NULL: none.
CREATE FUNCTION swarmgate.describe_token_issuers(p_tenant uuid, p_issuer text) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
  RETURN (SELECT jsonb_agg(jsonb_build_object('id', i.id, 'name', i.name, 'issuer', i.issuer, 'audience', i.audience,
      'jwksUrl', i.jwks_url, 'algorithms', i.algorithms, 'roleClaim', i.role_claim, 'roleMap', i.role_map,
      'defaultRole', i.default_role, 'requiredClaims', i.required_claims, 'sealedSubjectKey', i.sealed_subject_key,
      'organizationId', t.organization_id, 'keeper', swarmgate.describe_grant(p_tenant, i.kept_by),
      'ownRoles', (SELECT jsonb_object_agg(r.id, jsonb_build_object('name', r.slug, 'permissions', r.permissions))
        FROM swarmgate.roles r WHERE r.tenant_id = p_tenant)) ORDER BY i.id)
    FROM swarmgate.token_issuers i
    JOIN directory.tenants t ON t.id = i.tenant_id
    JOIN swarmgate.this_cell here ON here.cell = t.cell
    WHERE i.tenant_id = p_tenant AND i.issuer = p_issuer AND i.is_enabled);
END $$;

CREATE FUNCTION swarmgate.find_token_issuers_v1(p_tenant uuid, p_issuer text) RETURNS jsonb
LANGUAGE plpgsql SET role = 'swarmgate_tenant' AS $$
BEGIN
  PERFORM set_config('swarmgate.tenant_id', p_tenant::text, true);
  RETURN swarmgate.describe_token_issuers(p_tenant, p_issuer);
END $$;

-- Identity providers that people of an organization sign in with (OpenID Connect).
CREATE TABLE identity.sign_on_connections (
  organization_id uuid NOT NULL REFERENCES directory.organizations (id) ON DELETE RESTRICT ON UPDATE RESTRICT,
  id uuid NOT NULL UNIQUE,
  name text NOT NULL,
  issuer text NOT NULL,
  client_id text NOT NULL,
  sealed_client_secret text NOT NULL,
  is_enabled boolean NOT NULL DEFAULT true,
  -- Which of the provider's words (`amr`, `acr`) count as a second factor; none: it is asked for here.
  second_factor_amr text[] NOT NULL DEFAULT '{}',
  second_factor_acr text[] NOT NULL DEFAULT '{}',
  -- As what, and of which tenants, somebody becomes a member who comes for the first time; absent: nobody does.
  joins_as text CHECK (joins_as IN ('admin', 'member', 'viewer')),
  joins_tenants uuid[] NOT NULL DEFAULT '{}',
  version integer NOT NULL DEFAULT 1,
  created_at timestamptz(3) NOT NULL DEFAULT now(),
  updated_at timestamptz(3) NOT NULL DEFAULT now(),
  PRIMARY KEY (organization_id, id)
);

-- Domains of addresses that an organization says are its own. Many may say so; one is believed.
CREATE TABLE identity.sign_on_domains (
  organization_id uuid NOT NULL REFERENCES directory.organizations (id) ON DELETE RESTRICT ON UPDATE RESTRICT,
  id uuid NOT NULL,
  domain text NOT NULL CHECK (domain = lower(domain) AND domain <> ''),
  -- With which its people sign in.
  connection_id uuid,
  -- What a TXT record of the domain has to say; no secret.
  proof text NOT NULL,
  confirmed_at timestamptz(3),
  confirmed_by text CHECK (confirmed_by IN ('operator', 'dns')),
  created_at timestamptz(3) NOT NULL DEFAULT now(),
  PRIMARY KEY (organization_id, id),
  UNIQUE (organization_id, domain),
  FOREIGN KEY (organization_id, connection_id) REFERENCES identity.sign_on_connections (organization_id, id)
    ON DELETE RESTRICT ON UPDATE RESTRICT
);
CREATE UNIQUE INDEX sign_on_domains_believed_key ON identity.sign_on_domains (domain) WHERE confirmed_at IS NOT NULL;

-- Whom a provider means by a subject. An address may be somebody else's one day, a subject never is.
CREATE TABLE identity.sign_on_identities (
  connection_id uuid NOT NULL REFERENCES identity.sign_on_connections (id) ON DELETE CASCADE ON UPDATE RESTRICT,
  subject text NOT NULL CHECK (char_length(subject) BETWEEN 1 AND 255),
  user_id uuid NOT NULL REFERENCES identity.users (id) ON DELETE CASCADE ON UPDATE RESTRICT,
  -- They have yet to become a member of what the connection says.
  is_joining boolean NOT NULL DEFAULT false,
  created_at timestamptz(3) NOT NULL DEFAULT now(),
  last_used_at timestamptz(3),
  PRIMARY KEY (connection_id, subject),
  UNIQUE (connection_id, user_id)
);
CREATE INDEX sign_on_identities_user_id_idx ON identity.sign_on_identities (user_id);

-- Sign-ins that are at a provider. Each is good once, in the browser that began it, for ten minutes.
CREATE TABLE identity.sign_on_attempts (
  state_hash bytea PRIMARY KEY,
  connection_id uuid NOT NULL REFERENCES identity.sign_on_connections (id) ON DELETE CASCADE ON UPDATE RESTRICT,
  browser_hash bytea NOT NULL,
  -- The nonce, and the verifier of the code (PKCE).
  sealed text NOT NULL,
  return_path text NOT NULL,
  created_at timestamptz(3) NOT NULL DEFAULT now(),
  expires_at timestamptz(3) NOT NULL,
  used_at timestamptz(3)
);
CREATE INDEX sign_on_attempts_expires_at_idx ON identity.sign_on_attempts (expires_at);
CREATE INDEX sign_on_attempts_connection_id_idx ON identity.sign_on_attempts (connection_id);

-- A session by a connection is good in its organization only, and ends with it.
ALTER TABLE identity.web_sessions
  ADD COLUMN connection_id uuid REFERENCES identity.sign_on_connections (id) ON DELETE CASCADE ON UPDATE RESTRICT;
CREATE INDEX web_sessions_connection_id_idx ON identity.web_sessions (connection_id);
ALTER TABLE identity.sign_in_challenges
  ADD COLUMN connection_id uuid REFERENCES identity.sign_on_connections (id) ON DELETE CASCADE ON UPDATE RESTRICT;

DO $$
DECLARE
  name text;
BEGIN
  FOREACH name IN ARRAY ARRAY['sign_on_connections', 'sign_on_domains', 'sign_on_identities', 'sign_on_attempts'] LOOP
    EXECUTE format('ALTER TABLE identity.%I ENABLE ROW LEVEL SECURITY', name);
    EXECUTE format('ALTER TABLE identity.%I FORCE ROW LEVEL SECURITY', name);
    EXECUTE format('CREATE POLICY identity ON identity.%I TO swarmgate_identity USING (true) WITH CHECK (true)', name);
    EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON identity.%I TO swarmgate_identity', name);
  END LOOP;
  -- An organization reads its own. What it changes reaches into sessions, and into what others may have claimed.
  FOREACH name IN ARRAY ARRAY['sign_on_connections', 'sign_on_domains'] LOOP
    EXECUTE format('CREATE POLICY own_organization ON identity.%I FOR SELECT TO swarmgate_organization
      USING (organization_id = (SELECT swarmgate.current_organization()))', name);
    EXECUTE format('GRANT SELECT ON identity.%I TO swarmgate_organization', name);
  END LOOP;
END $$;

-- A session that is good now, and whose it is. NULL: there is none, or it has ended. Nobody looks after the installation by
-- the word of an organization's provider.
CREATE OR REPLACE FUNCTION identity.describe_session(p_id uuid) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
  RETURN (SELECT jsonb_build_object('id', s.id, 'userId', s.user_id, 'isOperator', u.is_operator AND s.connection_id IS NULL,
      'amr', s.amr, 'organizationId', c.organization_id,
      'authenticatedAtMs', round(extract(epoch FROM s.authenticated_at) * 1000),
      'mfaAtMs', round(extract(epoch FROM s.mfa_at) * 1000),
      'expiresAtMs', round(extract(epoch FROM s.expires_at) * 1000))
    FROM identity.web_sessions s JOIN identity.users u ON u.id = s.user_id
    LEFT JOIN identity.sign_on_connections c ON c.id = s.connection_id
    WHERE s.id = p_id AND s.revoked_at IS NULL AND u.status = 'active' AND coalesce(c.is_enabled, true)
      AND s.expires_at > clock_timestamp() AND s.idle_expires_at > clock_timestamp());
END $$;

-- Takes away what has ended and is of no more use; what shows a theft stays as long as its session's row.
SET LOCAL check_function_bodies = off;
CREATE OR REPLACE FUNCTION identity.forget_ended_v1() RETURNS void
LANGUAGE plpgsql SET role = 'swarmgate_identity' AS $$
BEGIN
  DELETE FROM identity.sign_in_challenges WHERE expires_at < clock_timestamp() - interval '1 day';
  DELETE FROM identity.sign_on_attempts WHERE expires_at < clock_timestamp() - interval '1 day';
  DELETE FROM identity.sign_in_links WHERE expires_at < clock_timestamp() - interval '1 day';
  DELETE FROM identity.attempts WHERE forget_at < clock_timestamp();
  DELETE FROM identity.web_sessions WHERE expires_at < clock_timestamp() - interval '7 days';
  -- Tokens live for minutes; a day is more than any clock is wrong by.
  DELETE FROM identity.signing_keys WHERE not_after < clock_timestamp() - interval '1 day';
END $$;

REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA swarmgate, identity FROM PUBLIC;
GRANT EXECUTE ON FUNCTION identity.describe_organization_grant(uuid, uuid) TO swarmgate_identity, swarmgate_organization;
GRANT EXECUTE ON FUNCTION identity.find_organization_grant_v1(uuid, uuid) TO swarmgate_service;
GRANT EXECUTE ON FUNCTION swarmgate.describe_token_issuers(uuid, text) TO swarmgate_tenant;
GRANT EXECUTE ON FUNCTION swarmgate.find_token_issuers_v1(uuid, text) TO swarmgate_service;
