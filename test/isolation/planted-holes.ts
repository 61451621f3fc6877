/** One way around row-level security each, as the owner could make it by mistake, and what the catalogue shows of it. */
export type Plant = { what: string; sql: string; holes: readonly string[] };

export const plants: readonly Plant[] = [
  {
    what: 'a table that nobody has classified',
    sql: 'CREATE TABLE swarmgate.notes (id uuid PRIMARY KEY)',
    holes: ['table: swarmgate.notes is not on the list'],
  },
  {
    what: 'a table of ours outside our schemas',
    sql: 'CREATE TABLE public.notes (id uuid PRIMARY KEY)',
    holes: ['table: public.notes is not on the list'],
  },
  {
    what: 'a classified table that is gone',
    sql: 'DROP TABLE swarmgate.master_keys',
    holes: [
      'grant: swarmgate_platform on swarmgate.master_keys: INSERT SELECT is not there',
      'table: swarmgate.master_keys is not there',
    ],
  },
  {
    what: 'a tenant table without row-level security',
    sql: 'ALTER TABLE swarmgate.messages DISABLE ROW LEVEL SECURITY',
    holes: ['forced row-level security: swarmgate.messages is not there'],
  },
  {
    what: 'a tenant table whose owner is not bound',
    sql: 'ALTER TABLE swarmgate.messages NO FORCE ROW LEVEL SECURITY',
    holes: ['forced row-level security: swarmgate.messages is not there'],
  },
  {
    what: 'a directory table whose owner is not bound',
    sql: 'ALTER TABLE directory.tenants NO FORCE ROW LEVEL SECURITY',
    holes: ['forced row-level security: directory.tenants is not there'],
  },
  {
    what: 'a tenant column that may be empty',
    sql: `CREATE TABLE swarmgate.notes (tenant_id uuid, id uuid);
      CREATE UNIQUE INDEX notes_key ON swarmgate.notes (tenant_id, id)`,
    holes: [
      'index beside the key that begins with tenant_id: swarmgate.notes_key is not on the list',
      'primary key without tenant_id in front: swarmgate.notes',
      'table: swarmgate.notes is not on the list',
    ],
  },
  {
    what: 'a table without a policy',
    sql: 'DROP POLICY own_tenant ON swarmgate.events',
    holes: [
      'policy: swarmgate.events own_tenant: ALL to swarmgate_tenant using (tenant_id = swarmgate.current_tenant()) check (tenant_id = swarmgate.current_tenant()) is not there',
    ],
  },
  {
    what: 'a policy for everybody',
    sql: 'CREATE POLICY everybody ON swarmgate.events USING (true)',
    holes: ['policy: swarmgate.events everybody: ALL to PUBLIC using true is not on the list'],
  },
  {
    what: 'a policy that lets rows in that it would not show',
    sql: 'ALTER POLICY platform ON directory.tenants WITH CHECK (false)',
    holes: [
      'policy: directory.tenants platform: ALL to swarmgate_platform using true check false is not on the list',
      'policy: directory.tenants platform: ALL to swarmgate_platform using true check true is not there',
    ],
  },
  {
    what: 'a policy that is too wide',
    sql: 'ALTER POLICY sweeper ON swarmgate.conversations USING (true)',
    holes: [
      `policy: swarmgate.conversations sweeper: SELECT to swarmgate_sweeper using ((due_at IS NOT NULL) OR (waiting_for = 'slot'::text)) is not there`,
      'policy: swarmgate.conversations sweeper: SELECT to swarmgate_sweeper using true is not on the list',
    ],
  },
  {
    what: 'a primary key that does not begin with tenant_id',
    sql: `ALTER TABLE swarmgate.events DROP CONSTRAINT events_pkey, ADD PRIMARY KEY (id, tenant_id)`,
    holes: ['primary key without tenant_id in front: swarmgate.events'],
  },
  {
    what: 'a unique constraint over all tenants',
    sql: 'ALTER TABLE swarmgate.channels ADD CONSTRAINT channels_key UNIQUE (key)',
    holes: ['unique key without tenant_id: swarmgate.channels_key'],
  },
  {
    what: 'a unique index over all tenants that only carries tenant_id along',
    sql: 'CREATE UNIQUE INDEX channels_key ON swarmgate.channels (key) INCLUDE (tenant_id)',
    holes: ['unique key without tenant_id: swarmgate.channels_key'],
  },
  {
    what: 'a unique index over an expression',
    sql: 'CREATE UNIQUE INDEX channels_key ON swarmgate.channels ((tenant_id::text || key))',
    holes: ['unique key without tenant_id: swarmgate.channels_key'],
  },
  {
    what: 'an index without tenant_id',
    sql: 'CREATE INDEX messages_created_at ON swarmgate.messages (created_at)',
    holes: ['index without tenant_id: swarmgate.messages_created_at is not on the list'],
  },
  {
    what: 'an index of a growing table that begins with the tenant',
    sql: 'CREATE INDEX messages_role ON swarmgate.messages (tenant_id, role)',
    holes: ['index beside the key that begins with tenant_id: swarmgate.messages_role is not on the list'],
  },
  {
    what: 'a foreign key between tenant tables that does not hold the tenant',
    sql: `CREATE UNIQUE INDEX agents_id ON swarmgate.agents (id);
      ALTER TABLE swarmgate.channels ADD CONSTRAINT channels_agent FOREIGN KEY (agent_id) REFERENCES swarmgate.agents (id)`,
    holes: [
      'foreign key without tenant_id: channels_agent on swarmgate.channels is not on the list',
      'unique key without tenant_id: swarmgate.agents_id',
    ],
  },
  {
    what: 'a foreign key that pairs tenant_id with something else',
    sql: `ALTER TABLE swarmgate.turn_steps ADD CONSTRAINT crossed FOREIGN KEY (turn_id, tenant_id) REFERENCES swarmgate.turns (tenant_id, id)`,
    holes: ['foreign key without tenant_id: crossed on swarmgate.turn_steps is not on the list'],
  },
  {
    what: 'a foreign key from a tenant table to something that is nobody’s',
    sql: `ALTER TABLE swarmgate.events ADD CONSTRAINT kind_of FOREIGN KEY (kind) REFERENCES directory.cells (id)`,
    holes: ['foreign key without tenant_id: kind_of on swarmgate.events is not on the list'],
  },
  {
    what: 'a foreign key from the directory into a tenant’s table',
    sql: `ALTER TABLE directory.external_keys ADD CONSTRAINT into_channels FOREIGN KEY (tenant_id, channel_id) REFERENCES swarmgate.channels (tenant_id, id)`,
    holes: ['foreign key without tenant_id: into_channels on directory.external_keys is not on the list'],
  },
  {
    what: 'a partition beside its parent’s row-level security',
    sql: `CREATE TABLE swarmgate.notes (tenant_id uuid NOT NULL, id uuid NOT NULL, PRIMARY KEY (tenant_id, id)) PARTITION BY HASH (tenant_id);
      SELECT swarmgate.enable_tenant_rls('swarmgate.notes');
      CREATE TABLE swarmgate.notes_0 PARTITION OF swarmgate.notes FOR VALUES WITH (MODULUS 1, REMAINDER 0)`,
    holes: [
      'forced row-level security: swarmgate.notes is not on the list',
      'grant: swarmgate_tenant on swarmgate.notes: DELETE INSERT SELECT UPDATE is not on the list',
      'partition or heir without forced row-level security: swarmgate.notes_0',
      'policy: swarmgate.notes own_tenant: ALL to swarmgate_tenant using (tenant_id = swarmgate.current_tenant()) check (tenant_id = swarmgate.current_tenant()) is not on the list',
      'table: swarmgate.notes is not on the list',
      'table: swarmgate.notes_0 is not on the list',
      'tenant table: swarmgate.notes is not on the list',
      'tenant table: swarmgate.notes_0 is not on the list',
    ],
  },
  {
    what: 'a view that reads as its owner',
    sql: 'CREATE VIEW swarmgate.texts AS SELECT text FROM swarmgate.messages',
    holes: ['view that reads as its owner: swarmgate.texts'],
  },
  {
    what: 'a materialised view',
    sql: 'CREATE MATERIALIZED VIEW swarmgate.texts AS SELECT text FROM swarmgate.messages',
    holes: ['materialised view: swarmgate.texts'],
  },
  {
    what: 'a rule on a table',
    sql: 'CREATE RULE silent AS ON DELETE TO swarmgate.events DO INSTEAD NOTHING',
    holes: ['trigger or rule: silent on swarmgate.events'],
  },
  {
    what: 'a function that runs as its owner',
    sql: `CREATE FUNCTION public.peek() RETURNS bigint LANGUAGE sql SECURITY DEFINER AS 'SELECT count(*) FROM swarmgate.messages';
      REVOKE EXECUTE ON FUNCTION public.peek() FROM PUBLIC`,
    holes: [
      'function that runs as its owner: public.peek is not on the list',
      'function: public.peek is not on the list',
    ],
  },
  {
    what: 'a hot-path function that keeps its caller’s role',
    sql: 'ALTER FUNCTION swarmgate.cancel_turn_v1(uuid, uuid, uuid) RESET role',
    holes: ['function: swarmgate.cancel_turn_v1 runs as its caller, not as swarmgate_tenant'],
  },
  {
    what: 'a hot-path function that steps into another role than the tenant’s',
    sql: `ALTER FUNCTION swarmgate.cancel_turn_v1(uuid, uuid, uuid) SET role = 'swarmgate_platform'`,
    holes: ['function: swarmgate.cancel_turn_v1 runs as swarmgate_platform, not as swarmgate_tenant'],
  },
  {
    what: 'a hot-path function in SQL',
    sql: `CREATE FUNCTION swarmgate.count_v1() RETURNS bigint LANGUAGE sql SET role = 'swarmgate_tenant' AS 'SELECT 1::bigint';
      REVOKE EXECUTE ON FUNCTION swarmgate.count_v1() FROM PUBLIC;
      GRANT EXECUTE ON FUNCTION swarmgate.count_v1() TO swarmgate_service`,
    holes: ['function: swarmgate.count_v1 is written in sql'],
  },
  {
    what: 'a function that everybody may call',
    sql: 'GRANT EXECUTE ON FUNCTION swarmgate.enter_platform() TO PUBLIC',
    holes: [
      'function: swarmgate.enter_platform may be called by PUBLIC, swarmgate_service, not by swarmgate_service',
    ],
  },
  {
    what: 'a way from a tenant into another scope',
    sql: 'GRANT EXECUTE ON FUNCTION swarmgate.enter_tenant(uuid) TO swarmgate_tenant',
    holes: [
      'function: swarmgate.enter_tenant may be called by swarmgate_identity, swarmgate_platform, swarmgate_service, swarmgate_tenant, not by swarmgate_identity, swarmgate_platform, swarmgate_service',
    ],
  },
  ...['TRUNCATE', 'REFERENCES', 'TRIGGER'].map((right) => ({
    what: `the right to ${right}`,
    sql: `GRANT ${right} ON swarmgate.inbound_keys TO swarmgate_tenant`,
    holes: [
      'grant: swarmgate_tenant on swarmgate.inbound_keys: DELETE INSERT SELECT UPDATE is not there',
      `grant: swarmgate_tenant on swarmgate.inbound_keys: ${['DELETE', 'INSERT', 'SELECT', 'UPDATE', right].sort().join(' ')} is not on the list`,
    ],
  })),
  {
    what: 'a table that everybody may read',
    sql: 'GRANT SELECT ON swarmgate.messages TO PUBLIC',
    holes: ['grant: PUBLIC on swarmgate.messages: SELECT is not on the list'],
  },
  {
    what: 'a right that may be handed on',
    sql: 'GRANT SELECT ON swarmgate.this_cell TO swarmgate_tenant WITH GRANT OPTION',
    holes: [
      'grant: swarmgate_tenant on swarmgate.this_cell: SELECT is not there',
      'grant: swarmgate_tenant on swarmgate.this_cell: SELECT with grant option is not on the list',
    ],
  },
  {
    what: 'another column for the sweeper',
    sql: 'GRANT SELECT (external_id) ON swarmgate.conversations TO swarmgate_sweeper',
    holes: ['grant: swarmgate_sweeper on swarmgate.conversations(external_id): SELECT is not on the list'],
  },
  {
    what: 'seals that whoever seals may change',
    sql: 'GRANT UPDATE ON swarmgate.audit_seals TO swarmgate_auditor',
    holes: [
      'grant: swarmgate_auditor on swarmgate.audit_seals: INSERT SELECT UPDATE is not on the list',
      'grant: swarmgate_auditor on swarmgate.audit_seals: INSERT SELECT is not there',
    ],
  },
  {
    what: 'an auditor who reads keys of subjects',
    sql: 'GRANT SELECT ON swarmgate.audit_subjects TO swarmgate_auditor',
    holes: ['grant: swarmgate_auditor on swarmgate.audit_subjects: SELECT is not on the list'],
  },
  {
    what: 'secrets in an organization’s reports',
    sql: 'GRANT SELECT (sealed) ON swarmgate.agents TO swarmgate_organization',
    holes: ['grant: swarmgate_organization on swarmgate.agents(sealed): SELECT is not on the list'],
  },
  {
    what: 'rights on tables that do not exist yet',
    sql: 'ALTER DEFAULT PRIVILEGES IN SCHEMA swarmgate GRANT SELECT ON TABLES TO swarmgate_tenant',
    holes: ['default privilege: swarmgate_tenant on what is yet to be made'],
  },
  {
    what: 'a right to create tables',
    sql: 'GRANT CREATE ON SCHEMA swarmgate TO swarmgate_tenant',
    holes: ['right to create in a schema: swarmgate_tenant in swarmgate is not on the list'],
  },
  {
    what: 'something that the service owns',
    sql: 'ALTER TABLE swarmgate.this_cell OWNER TO swarmgate_service',
    holes: ['owned by a role of the service: table swarmgate.this_cell'],
  },
  {
    what: 'a role of ours that bypasses row-level security',
    sql: 'ALTER ROLE swarmgate_tenant BYPASSRLS',
    holes: ['powerful role: swarmgate_tenant'],
  },
  {
    what: 'a role of ours that is a superuser',
    sql: 'ALTER ROLE swarmgate_sweeper SUPERUSER',
    holes: ['powerful role: swarmgate_sweeper'],
  },
  {
    what: 'a login that bypasses row-level security and may become the service',
    sql: `CREATE ROLE swarmgate_test_login LOGIN BYPASSRLS; GRANT swarmgate_service TO swarmgate_test_login`,
    holes: ['login that bypasses row-level security: swarmgate_test_login'],
  },
  {
    what: 'a way from one role of ours to another',
    sql: 'GRANT swarmgate_platform TO swarmgate_tenant',
    holes: ['membership: swarmgate_tenant may become swarmgate_platform is not on the list'],
  },
];
