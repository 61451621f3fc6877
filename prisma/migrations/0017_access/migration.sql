-- Who may do what, and what was done: people, their memberships, roles and API keys, the audit trail, and the answers of
-- requests that may be repeated.

-- People belong to no tenant, so they have a scope of their own: `inIdentity`. It sees no tenant's rows, and no other
-- scope sees what a person signs in with.
CREATE SCHEMA identity;
GRANT USAGE ON SCHEMA identity TO swarmgate_service, swarmgate_identity, swarmgate_tenant, swarmgate_organization;
GRANT USAGE ON SCHEMA swarmgate, directory TO swarmgate_identity;

CREATE TABLE identity.users (
  id uuid PRIMARY KEY,
  -- As it is compared: trimmed, lower case.
  email text NOT NULL UNIQUE CHECK (email = lower(btrim(email)) AND email <> ''),
  name text NOT NULL DEFAULT '',
  status text NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'disabled')),
  -- Makes organizations and tenants, and looks after the installation. Reads nobody's conversations by that.
  is_operator boolean NOT NULL DEFAULT false,
  email_verified_at timestamptz(3),
  version integer NOT NULL DEFAULT 1,
  created_at timestamptz(3) NOT NULL DEFAULT now(),
  updated_at timestamptz(3) NOT NULL DEFAULT now()
);

-- A role of a tenant's own. The built-in ones are in the code, the same for everybody.
CREATE TABLE swarmgate.roles (
  tenant_id uuid NOT NULL REFERENCES directory.tenants (id) ON DELETE RESTRICT ON UPDATE RESTRICT,
  id uuid NOT NULL,
  slug text NOT NULL,
  name text NOT NULL,
  permissions text[] NOT NULL,
  version integer NOT NULL DEFAULT 1,
  created_at timestamptz(3) NOT NULL DEFAULT now(),
  updated_at timestamptz(3) NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant_id, id),
  UNIQUE (slug, tenant_id)
);
SELECT swarmgate.enable_tenant_rls('swarmgate.roles');

-- Who belongs to a tenant, and as what: a built-in role by its name, or one of the tenant's own.
CREATE TABLE identity.memberships (
  tenant_id uuid NOT NULL REFERENCES directory.tenants (id) ON DELETE RESTRICT ON UPDATE RESTRICT,
  user_id uuid NOT NULL REFERENCES identity.users (id) ON DELETE RESTRICT ON UPDATE RESTRICT,
  builtin_role text CHECK (builtin_role IN ('owner', 'admin', 'member', 'viewer')),
  role_id uuid,
  version integer NOT NULL DEFAULT 1,
  created_at timestamptz(3) NOT NULL DEFAULT now(),
  updated_at timestamptz(3) NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant_id, user_id),
  FOREIGN KEY (tenant_id, role_id) REFERENCES swarmgate.roles (tenant_id, id) ON DELETE RESTRICT ON UPDATE RESTRICT,
  CONSTRAINT memberships_one_role CHECK ((builtin_role IS NULL) <> (role_id IS NULL))
);
CREATE INDEX memberships_user_id_tenant_id_idx ON identity.memberships (user_id, tenant_id);
SELECT swarmgate.enable_tenant_rls('identity.memberships');
-- A tenant that could add whom it likes would see who that is, and a foreign key would tell it who exists: people are
-- added in the scope of people only.
REVOKE INSERT ON identity.memberships FROM swarmgate_tenant;

-- Who runs an organization: `owner` and `admin` are that in each of its tenants too; `billing` and `viewer` in none.
CREATE TABLE identity.organization_members (
  user_id uuid NOT NULL REFERENCES identity.users (id) ON DELETE RESTRICT ON UPDATE RESTRICT,
  organization_id uuid NOT NULL REFERENCES directory.organizations (id) ON DELETE RESTRICT ON UPDATE RESTRICT,
  role text NOT NULL CHECK (role IN ('owner', 'admin', 'billing', 'viewer')),
  created_at timestamptz(3) NOT NULL DEFAULT now(),
  PRIMARY KEY (user_id, organization_id)
);
CREATE INDEX organization_members_organization_id_idx ON identity.organization_members (organization_id);

ALTER TABLE identity.users ENABLE ROW LEVEL SECURITY;
ALTER TABLE identity.users FORCE ROW LEVEL SECURITY;
ALTER TABLE identity.organization_members ENABLE ROW LEVEL SECURITY;
ALTER TABLE identity.organization_members FORCE ROW LEVEL SECURITY;

CREATE POLICY identity ON identity.users TO swarmgate_identity USING (true) WITH CHECK (true);
CREATE POLICY identity ON identity.memberships TO swarmgate_identity USING (true) WITH CHECK (true);
CREATE POLICY identity ON identity.organization_members TO swarmgate_identity USING (true) WITH CHECK (true);
GRANT SELECT, INSERT, UPDATE, DELETE ON identity.users, identity.memberships, identity.organization_members TO swarmgate_identity;

-- A tenant sees who its members are, and who may act in it as one who runs its organization; an organization likewise.
CREATE POLICY own_tenant ON identity.users FOR SELECT TO swarmgate_tenant
  USING (id IN (SELECT m.user_id FROM identity.memberships m WHERE m.tenant_id = (SELECT swarmgate.current_tenant()))
    OR id IN (SELECT o.user_id FROM identity.organization_members o));
CREATE POLICY own_tenant ON identity.organization_members FOR SELECT TO swarmgate_tenant
  USING (organization_id IN (SELECT t.organization_id FROM directory.tenants t WHERE t.id = (SELECT swarmgate.current_tenant())));
CREATE POLICY own_organization ON identity.organization_members FOR SELECT TO swarmgate_organization
  USING (organization_id = (SELECT swarmgate.current_organization()));
CREATE POLICY own_organization ON identity.users FOR SELECT TO swarmgate_organization
  USING (id IN (SELECT m.user_id FROM identity.organization_members m WHERE m.organization_id = (SELECT swarmgate.current_organization())));
GRANT SELECT ON identity.users TO swarmgate_tenant, swarmgate_organization;
GRANT SELECT ON identity.organization_members TO swarmgate_tenant, swarmgate_organization;

-- Whom an organization's members may act for: they need the organization of a tenant, and no more of it.
CREATE POLICY identity ON directory.tenants FOR SELECT TO swarmgate_identity USING (true);
GRANT SELECT (id, organization_id, slug, name, status) ON directory.tenants TO swarmgate_identity;

-- A key of a tenant's, for programs. It names its tenant, so that it is looked for among that tenant's rows and nowhere
-- else. Of its secret there is the SHA-256 only: 256 random bits need no slow hash.
CREATE TABLE swarmgate.api_keys (
  tenant_id uuid NOT NULL REFERENCES directory.tenants (id) ON DELETE RESTRICT ON UPDATE RESTRICT,
  id uuid NOT NULL,
  name text NOT NULL,
  -- The part that may be shown: enough to know the key by.
  prefix text NOT NULL,
  secret_hash bytea NOT NULL,
  permissions text[] NOT NULL,
  -- The member it was made by, whose rights bound it for as long as it lives; absent: an operator of the installation.
  created_by uuid,
  created_at timestamptz(3) NOT NULL DEFAULT now(),
  expires_at timestamptz(3),
  revoked_at timestamptz(3),
  -- The key that takes its place; until `expires_at` both are good.
  replaced_by uuid,
  -- The key that it was made with, and that it ends with.
  parent_id uuid,
  last_used_at timestamptz(3),
  PRIMARY KEY (tenant_id, id),
  UNIQUE (prefix, tenant_id)
);
SELECT swarmgate.enable_tenant_rls('swarmgate.api_keys');

-- What was done and what was refused. Rows are added and read, never changed: no role has the right to.
CREATE TABLE swarmgate.audit_events (
  -- The zero UUID stands for the installation: what is nobody's in particular (a sign-in, an operator's act). No foreign
  -- key, since the trail outlives the tenant.
  tenant_id uuid NOT NULL,
  id uuid NOT NULL,
  -- The transaction that wrote it: what is sealed is what no running transaction can still add to.
  xid xid8 NOT NULL DEFAULT pg_current_xact_id(),
  at timestamptz(3) NOT NULL DEFAULT clock_timestamp(),
  actor_kind text NOT NULL CHECK (actor_kind IN ('user', 'api_key', 'operator', 'system', 'nobody')),
  -- A pseudonym: the id of a user or key. Who that is stands elsewhere, and can be erased there.
  actor_id uuid,
  action text NOT NULL,
  permission text,
  resource_kind text NOT NULL,
  resource_id text,
  outcome text NOT NULL CHECK (outcome IN ('allowed', 'refused', 'failed')),
  reason text NOT NULL DEFAULT '',
  request_id text,
  -- Nothing personal and no secret: names of fields, counts, ids.
  detail jsonb NOT NULL DEFAULT '{}',
  -- What is personal (an address, a browser), under the key of the person it is about.
  personal text,
  PRIMARY KEY (tenant_id, id)
);
SELECT swarmgate.enable_tenant_rls('swarmgate.audit_events');
REVOKE UPDATE, DELETE ON swarmgate.audit_events FROM swarmgate_tenant;
CREATE INDEX audit_events_xid_tenant_id_idx ON swarmgate.audit_events (xid, tenant_id);
CREATE INDEX audit_events_resource_idx ON swarmgate.audit_events (resource_id, tenant_id) WHERE resource_id IS NOT NULL;
CREATE INDEX audit_events_actor_idx ON swarmgate.audit_events (actor_id, tenant_id) WHERE actor_id IS NOT NULL;

-- The key that what is personal about one actor is sealed with in a tenant's trail. Erasure takes the row, and leaves the
-- trail as it is, unreadable in that.
CREATE TABLE swarmgate.audit_subjects (
  tenant_id uuid NOT NULL,
  subject_id uuid NOT NULL,
  sealed_key text NOT NULL,
  created_at timestamptz(3) NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant_id, subject_id)
);
SELECT swarmgate.enable_tenant_rls('swarmgate.audit_subjects');
REVOKE UPDATE ON swarmgate.audit_subjects FROM swarmgate_tenant;

CREATE POLICY installation ON swarmgate.audit_events TO swarmgate_identity
  USING (tenant_id = '00000000-0000-0000-0000-000000000000') WITH CHECK (tenant_id = '00000000-0000-0000-0000-000000000000');
CREATE POLICY installation ON swarmgate.audit_subjects TO swarmgate_identity
  USING (tenant_id = '00000000-0000-0000-0000-000000000000') WITH CHECK (tenant_id = '00000000-0000-0000-0000-000000000000');
-- What operators do in the directory is told in the same transaction.
CREATE POLICY installation_adds ON swarmgate.audit_events FOR INSERT TO swarmgate_platform
  WITH CHECK (tenant_id = '00000000-0000-0000-0000-000000000000');
GRANT INSERT ON swarmgate.audit_events TO swarmgate_platform;
GRANT SELECT, INSERT ON swarmgate.audit_events TO swarmgate_identity;
GRANT SELECT, INSERT, DELETE ON swarmgate.audit_subjects TO swarmgate_identity;

-- What a request that came with an Idempotency-Key was answered, for a day.
CREATE TABLE swarmgate.idempotent_answers (
  tenant_id uuid NOT NULL REFERENCES directory.tenants (id) ON DELETE RESTRICT ON UPDATE RESTRICT,
  -- Hash of who asks, what for, and the key.
  key text NOT NULL,
  request_hash text NOT NULL,
  status integer NOT NULL,
  -- Sealed: an answer may hold a secret that is shown once.
  answer text NOT NULL,
  created_at timestamptz(3) NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant_id, key)
);
SELECT swarmgate.enable_tenant_rls('swarmgate.idempotent_answers');
CREATE INDEX idempotent_answers_created_at_tenant_id_idx ON swarmgate.idempotent_answers (created_at, tenant_id);

-- Entering the scope of people; from there one may step down into a tenant, as from the platform's.
CREATE FUNCTION swarmgate.enter_identity() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  PERFORM set_config('role', 'swarmgate_identity', true);
END $$;

-- What is known of a key by what it shows of itself, and of the member whose rights bound it. NULL: there is none, or no
-- such tenant here. Whether its secret is the right one is for the caller to say.
CREATE FUNCTION swarmgate.find_api_key_v1(p_tenant uuid, p_prefix text) RETURNS jsonb
LANGUAGE plpgsql SET role = 'swarmgate_tenant' AS $$
BEGIN
  PERFORM set_config('swarmgate.tenant_id', p_tenant::text, true);
  RETURN (SELECT jsonb_build_object(
      'id', k.id, 'secretHash', encode(k.secret_hash, 'hex'), 'permissions', k.permissions,
      'isRevoked', k.revoked_at IS NOT NULL, 'isExpired', coalesce(k.expires_at <= clock_timestamp(), false),
      'lastUsedAt', k.last_used_at,
      'organizationId', t.organization_id,
      'creator', CASE WHEN k.created_by IS NOT NULL THEN jsonb_build_object('id', k.created_by,
        'builtinRole', m.builtin_role, 'roleName', r.slug, 'rolePermissions', r.permissions, 'organizationRole', o.role,
        'isActive', u.status = 'active') END)
    FROM swarmgate.api_keys k
    JOIN directory.tenants t ON t.id = k.tenant_id
    JOIN swarmgate.this_cell here ON here.cell = t.cell
    LEFT JOIN identity.memberships m ON m.tenant_id = k.tenant_id AND m.user_id = k.created_by
    LEFT JOIN swarmgate.roles r ON r.tenant_id = m.tenant_id AND r.id = m.role_id
    LEFT JOIN identity.organization_members o ON o.organization_id = t.organization_id AND o.user_id = k.created_by
    LEFT JOIN identity.users u ON u.id = k.created_by
    WHERE k.tenant_id = p_tenant AND k.prefix = p_prefix);
END $$;

-- That a key was used, once a minute at most.
CREATE FUNCTION swarmgate.note_api_key_use_v1(p_tenant uuid, p_id uuid) RETURNS void
LANGUAGE plpgsql SET role = 'swarmgate_tenant' AS $$
BEGIN
  PERFORM set_config('swarmgate.tenant_id', p_tenant::text, true);
  UPDATE swarmgate.api_keys k SET last_used_at = clock_timestamp()
    WHERE k.tenant_id = p_tenant AND k.id = p_id
      AND (k.last_used_at IS NULL OR k.last_used_at < clock_timestamp() - interval '1 minute');
END $$;

-- Keeps what was read or refused: events that have no transaction of their own. `events` is an array of rows, each under
-- its own tenant or the installation (the zero UUID).
CREATE FUNCTION swarmgate.note_audit_v1(p_events text) RETURNS void
LANGUAGE plpgsql SET role = 'swarmgate_tenant' AS $$
DECLARE
  t uuid;
BEGIN
  FOR t IN SELECT DISTINCT (e ->> 'tenantId')::uuid FROM jsonb_array_elements(p_events::jsonb) e ORDER BY 1 LOOP
    PERFORM set_config('swarmgate.tenant_id', t::text, true);
    INSERT INTO swarmgate.audit_events (tenant_id, id, actor_kind, actor_id, action, permission, resource_kind, resource_id,
        outcome, reason, request_id, detail, personal)
      SELECT t, e.id, e."actorKind", e."actorId", e.action, e.permission, e."resourceKind", e."resourceId",
          e.outcome, coalesce(e.reason, ''), e."requestId", coalesce(e.detail, '{}'), e.personal
        FROM jsonb_to_recordset(p_events::jsonb) AS e ("tenantId" uuid, id uuid, "actorKind" text, "actorId" uuid, action text,
          permission text, "resourceKind" text, "resourceId" text, outcome text, reason text, "requestId" text, detail jsonb, personal text)
        WHERE e."tenantId" = t;
  END LOOP;
END $$;

-- The sealed key of one subject of a trail: the one that is kept, or else the one that is brought along.
CREATE FUNCTION swarmgate.audit_subject_v1(p_tenant uuid, p_subject uuid, p_sealed_key text) RETURNS text
LANGUAGE plpgsql SET role = 'swarmgate_tenant' AS $$
DECLARE
  kept text;
BEGIN
  PERFORM set_config('swarmgate.tenant_id', p_tenant::text, true);
  INSERT INTO swarmgate.audit_subjects (tenant_id, subject_id, sealed_key) VALUES (p_tenant, p_subject, p_sealed_key)
    ON CONFLICT (tenant_id, subject_id) DO NOTHING;
  SELECT s.sealed_key INTO kept FROM swarmgate.audit_subjects s WHERE s.tenant_id = p_tenant AND s.subject_id = p_subject;
  RETURN kept;
END $$;

REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA swarmgate, directory, identity FROM PUBLIC;
GRANT EXECUTE ON FUNCTION swarmgate.enter_identity() TO swarmgate_service;
GRANT EXECUTE ON FUNCTION swarmgate.enter_tenant(uuid) TO swarmgate_identity;
GRANT EXECUTE ON FUNCTION
  swarmgate.find_api_key_v1(uuid, text),
  swarmgate.note_api_key_use_v1(uuid, uuid),
  swarmgate.note_audit_v1(text),
  swarmgate.audit_subject_v1(uuid, uuid, text)
  TO swarmgate_service;
