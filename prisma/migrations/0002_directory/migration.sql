-- The directory: who exists, in which cell, and which tenant an address of the outside world belongs to.
-- It holds no message content. It is the only part that all cells share.

CREATE TABLE directory.organizations (
  id uuid PRIMARY KEY,
  slug text NOT NULL UNIQUE,
  name text NOT NULL,
  plan text NOT NULL DEFAULT 'free',
  settings jsonb NOT NULL DEFAULT '{}',
  version integer NOT NULL DEFAULT 1,
  created_at timestamptz(3) NOT NULL DEFAULT now(),
  updated_at timestamptz(3) NOT NULL DEFAULT now()
);

CREATE TABLE directory.tenants (
  id uuid PRIMARY KEY,
  organization_id uuid NOT NULL REFERENCES directory.organizations (id) ON DELETE RESTRICT ON UPDATE RESTRICT,
  slug text NOT NULL UNIQUE,
  name text NOT NULL,
  region text NOT NULL,
  cell text NOT NULL REFERENCES directory.cells (id) ON DELETE RESTRICT ON UPDATE RESTRICT,
  status text NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'suspended', 'closing')),
  settings jsonb NOT NULL DEFAULT '{}',
  version integer NOT NULL DEFAULT 1,
  created_at timestamptz(3) NOT NULL DEFAULT now(),
  updated_at timestamptz(3) NOT NULL DEFAULT now()
);
CREATE INDEX tenants_organization_id_idx ON directory.tenants (organization_id);

-- External key → cell and tenant. `kind` is 'channel_key' (the key in an address of ours) or a platform's own word
-- ('workspace', 'guild', 'number', …); `app` is the platform app that sees the key, '' where there is none. The
-- primary key is what keeps a workspace, guild or number from being claimed by two tenants.
CREATE TABLE directory.external_keys (
  platform text NOT NULL,
  kind text NOT NULL,
  app text NOT NULL DEFAULT '',
  key text NOT NULL,
  tenant_id uuid NOT NULL REFERENCES directory.tenants (id) ON DELETE RESTRICT ON UPDATE RESTRICT,
  channel_id uuid NOT NULL,
  cell text NOT NULL REFERENCES directory.cells (id) ON DELETE RESTRICT ON UPDATE RESTRICT,
  created_at timestamptz(3) NOT NULL DEFAULT now(),
  PRIMARY KEY (platform, kind, app, key)
);
CREATE INDEX external_keys_tenant_id_channel_id_idx ON directory.external_keys (tenant_id, channel_id);

ALTER TABLE directory.organizations ENABLE ROW LEVEL SECURITY;
ALTER TABLE directory.organizations FORCE ROW LEVEL SECURITY;
ALTER TABLE directory.tenants ENABLE ROW LEVEL SECURITY;
ALTER TABLE directory.tenants FORCE ROW LEVEL SECURITY;
ALTER TABLE directory.external_keys ENABLE ROW LEVEL SECURITY;
ALTER TABLE directory.external_keys FORCE ROW LEVEL SECURITY;

-- The platform's door: everything in the directory.
CREATE POLICY platform ON directory.organizations TO swarmgate_platform USING (true) WITH CHECK (true);
CREATE POLICY platform ON directory.tenants TO swarmgate_platform USING (true) WITH CHECK (true);
CREATE POLICY platform ON directory.external_keys TO swarmgate_platform USING (true) WITH CHECK (true);
GRANT SELECT, INSERT, UPDATE ON directory.organizations, directory.tenants TO swarmgate_platform;
GRANT SELECT ON directory.external_keys TO swarmgate_platform;

-- An organization reads itself and its tenants.
CREATE POLICY own_organization ON directory.organizations FOR SELECT TO swarmgate_organization
  USING (id = (SELECT swarmgate.current_organization()));
CREATE POLICY own_organization ON directory.tenants FOR SELECT TO swarmgate_organization
  USING (organization_id = (SELECT swarmgate.current_organization()));
GRANT SELECT ON directory.organizations, directory.tenants TO swarmgate_organization;

-- A tenant reads itself and its organization, and claims keys for itself.
CREATE POLICY own_tenant ON directory.tenants FOR SELECT TO swarmgate_tenant
  USING (id = (SELECT swarmgate.current_tenant()));
CREATE POLICY own_tenant ON directory.organizations FOR SELECT TO swarmgate_tenant
  USING (id IN (SELECT organization_id FROM directory.tenants WHERE id = (SELECT swarmgate.current_tenant())));
CREATE POLICY own_tenant ON directory.external_keys TO swarmgate_tenant
  USING (tenant_id = (SELECT swarmgate.current_tenant())) WITH CHECK (tenant_id = (SELECT swarmgate.current_tenant()));
GRANT SELECT ON directory.organizations, directory.tenants TO swarmgate_tenant;
GRANT SELECT, INSERT, DELETE ON directory.external_keys TO swarmgate_tenant;

-- Entering a scope: the role and the tenant for the rest of the transaction, in the round trip of BEGIN.
-- A tenant that does not exist, or that lives in another cell, cannot be entered: every write passes here.
CREATE FUNCTION swarmgate.enter_tenant(tenant uuid) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  PERFORM set_config('swarmgate.tenant_id', tenant::text, true), set_config('role', 'swarmgate_tenant', true);
  PERFORM 1 FROM directory.tenants t JOIN swarmgate.this_cell here ON here.cell = t.cell WHERE t.id = tenant;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'tenant % is not in this cell', tenant USING ERRCODE = 'SG001';
  END IF;
END $$;

CREATE FUNCTION swarmgate.enter_organization(organization uuid) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  PERFORM set_config('swarmgate.organization_id', organization::text, true), set_config('role', 'swarmgate_organization', true);
  PERFORM 1 FROM directory.organizations o WHERE o.id = organization;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'organization % does not exist', organization USING ERRCODE = 'SG001';
  END IF;
END $$;

CREATE FUNCTION swarmgate.enter_platform() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  PERFORM set_config('role', 'swarmgate_platform', true);
END $$;
