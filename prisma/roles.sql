-- The roles of the service. Roles belong to the whole cluster, so the migrator runs this file before the migrations,
-- apart from their transaction, and tries again when another database of the cluster creates the same role at the
-- same moment. Nobody logs in as one of them, and none bypasses row-level security.
DO $$
DECLARE
  name text;
BEGIN
  FOREACH name IN ARRAY ARRAY[
    'swarmgate_service',       -- what every connection is by default: it may become a scope, and by itself sees nothing
    'swarmgate_tenant',        -- inTenant: the rows of one tenant
    'swarmgate_organization',  -- inOrganization: reports over the tenants of one organization
    'swarmgate_platform',      -- inPlatform: the directory
    'swarmgate_identity',      -- inIdentity: people, what they sign in with, where they belong
    'swarmgate_sweeper',       -- ids of what is due, of all tenants, and nothing else
    'swarmgate_auditor',       -- inAudit: the audit trails of all tenants, to be sealed and verified, and nothing else
    'swarmgate_queue'          -- the queue's own schema
  ] LOOP
    IF NOT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = name) THEN
      EXECUTE format('CREATE ROLE %I NOLOGIN NOINHERIT NOBYPASSRLS', name);
    END IF;
  END LOOP;

  FOREACH name IN ARRAY ARRAY['swarmgate_tenant', 'swarmgate_organization', 'swarmgate_platform', 'swarmgate_identity',
    'swarmgate_sweeper', 'swarmgate_auditor'] LOOP
    IF NOT pg_has_role('swarmgate_service', name, 'MEMBER') THEN
      EXECUTE format('GRANT %I TO swarmgate_service', name);
    END IF;
  END LOOP;

  -- The owner makes functions that run as these roles, and may be the service's login too: it must be able to step down.
  -- From version 16 on, who made a role may administer it and yet not become it.
  FOREACH name IN ARRAY ARRAY['swarmgate_service', 'swarmgate_queue'] LOOP
    IF NOT pg_has_role(current_user, name, CASE WHEN current_setting('server_version_num')::int >= 160000 THEN 'SET' ELSE 'MEMBER' END) THEN
      EXECUTE format('GRANT %I TO %I', name, current_user);
    END IF;
  END LOOP;
END $$;
