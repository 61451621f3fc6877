-- The three scopes. A transaction enters exactly one of them; outside a scope there are no rows.

CREATE SCHEMA directory;
CREATE SCHEMA swarmgate;

GRANT USAGE ON SCHEMA directory, swarmgate
  TO swarmgate_service, swarmgate_tenant, swarmgate_organization, swarmgate_platform, swarmgate_sweeper;

-- A cell is a region with a database, a queue, files and keys of its own. This database is one of them.
CREATE TABLE directory.cells (
  id text PRIMARY KEY,
  region text NOT NULL,
  created_at timestamptz(3) NOT NULL DEFAULT now()
);

CREATE TABLE swarmgate.this_cell (
  cell text PRIMARY KEY REFERENCES directory.cells (id) ON DELETE RESTRICT ON UPDATE RESTRICT
);
CREATE UNIQUE INDEX this_cell_only_one ON swarmgate.this_cell ((true));

INSERT INTO directory.cells (id, region) VALUES ('local', 'local');
INSERT INTO swarmgate.this_cell (cell) VALUES ('local');

GRANT SELECT ON directory.cells TO swarmgate_platform;
GRANT SELECT ON swarmgate.this_cell TO swarmgate_tenant, swarmgate_organization, swarmgate_platform;

-- Which master keys have sealed secrets here: an id and a value that only the right key reproduces, never the key.
-- A process that brings other keys finds out before it writes anything.
CREATE TABLE swarmgate.master_keys (
  id text PRIMARY KEY,
  check_value text NOT NULL,
  created_at timestamptz(3) NOT NULL DEFAULT now()
);
GRANT SELECT, INSERT ON swarmgate.master_keys TO swarmgate_platform;

-- The tenant or organization of this transaction; NULL, and so no rows, when none was entered.
-- A setting that was local to an earlier transaction reads '' and not NULL, hence nullif.
CREATE FUNCTION swarmgate.current_tenant() RETURNS uuid LANGUAGE sql STABLE PARALLEL SAFE
  AS $$ SELECT nullif(current_setting('swarmgate.tenant_id', true), '')::uuid $$;
CREATE FUNCTION swarmgate.current_organization() RETURNS uuid LANGUAGE sql STABLE PARALLEL SAFE
  AS $$ SELECT nullif(current_setting('swarmgate.organization_id', true), '')::uuid $$;

-- Puts a table under a tenant: forced row-level security, the tenant's own policy and grants and, for the columns that
-- an organization's reports need (no text of anybody's, no secret, sealed or not), reading for the tenant's organization.
-- Every table with tenants' rows goes through here.
CREATE FUNCTION swarmgate.enable_tenant_rls(target regclass, report_columns text DEFAULT NULL) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', target);
  EXECUTE format('ALTER TABLE %s FORCE ROW LEVEL SECURITY', target);
  EXECUTE format('CREATE POLICY own_tenant ON %s TO swarmgate_tenant
    USING (tenant_id = (SELECT swarmgate.current_tenant())) WITH CHECK (tenant_id = (SELECT swarmgate.current_tenant()))', target);
  EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %s TO swarmgate_tenant', target);
  IF report_columns IS NOT NULL THEN
    EXECUTE format('CREATE POLICY own_organization ON %s FOR SELECT TO swarmgate_organization
      USING (tenant_id IN (SELECT id FROM directory.tenants WHERE organization_id = (SELECT swarmgate.current_organization())))', target);
    EXECUTE format('GRANT SELECT (%s) ON %s TO swarmgate_organization', report_columns, target);
  END IF;
END $$;
REVOKE EXECUTE ON FUNCTION swarmgate.enable_tenant_rls(regclass, text) FROM PUBLIC;
