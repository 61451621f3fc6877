/**
 * Every table of ours, and what keeps one tenant's rows from another. A new table fails the catalogue test until it
 * stands here. Schema `bullmq` is the job queue's own: it holds ids, in a role that reaches nothing else.
 */

export type TableClass =
  /**
   * Rows of tenants. `report` names the columns that their organization may read, `sweeper` those of the sweeper. With
   * `extension` the table is there only where the extension is.
   */
  | {
      kind: 'tenant';
      report?: readonly string[];
      sweeper?: readonly string[];
      extension?: 'vector';
      /** What a tenant may do with its rows; everything when absent. */
      rights?: string;
      /** What the scope of people may do, and with which rows. */
      identity?: { rights: string; sees: string };
      /** Rows that the scopes of the platform and of an organization may add. */
      aboveAdd?: string;
      /** What the auditor may do, with the rows of every tenant. */
      auditor?: string;
      /** With which of them it may do no more than look at them and delete them. */
      auditorDeletes?: string;
    }
  /** About people, who belong to no tenant. \`policies\` are those of others than the scope of people. */
  | {
      kind: 'identity';
      why: string;
      grants: Readonly<Record<string, string>>;
      policies?: readonly string[];
    }
  /** Who exists and where; policies of its own for each scope. `grants` are a role's rights on it. */
  | {
      kind: 'directory';
      why: string;
      grants: Readonly<Record<string, string>>;
      sweeper?: readonly string[];
      identity?: readonly string[];
    }
  /** About this installation, nobody's in particular, without row-level security. */
  | { kind: 'operations'; why: string; grants: Readonly<Record<string, string>> };

const list = (names: string) => names.split(' ');

export type Classification = Readonly<Record<string, TableClass>>;

const installation = `(tenant_id = '00000000-0000-0000-0000-000000000000'::uuid)`;
const current = (scope: string) => `( SELECT swarmgate.current_${scope}() AS current_${scope})`;

/** Rows of one organization, in its own scope. */
const ownRows = `(organization_id = ${current('organization')})`;
const ownOrganization = `own_organization: ALL to swarmgate_organization using ${ownRows} check ${ownRows}`;

/** What only the scope of people reaches. */
const ofPeople = (why: string): TableClass => ({
  kind: 'identity',
  why,
  grants: { swarmgate_identity: 'DELETE INSERT SELECT UPDATE' },
});

/** The same, that an organization reads its own rows of. */
const ofOrganization = (why: string): TableClass => ({
  kind: 'identity',
  why,
  grants: { swarmgate_identity: 'DELETE INSERT SELECT UPDATE', swarmgate_organization: 'SELECT' },
  policies: [`own_organization: SELECT to swarmgate_organization using ${ownRows}`],
});

export const classification: Classification = {
  'swarmgate.agents': {
    kind: 'tenant',
    report: list('tenant_id id slug name model version created_at updated_at'),
    // Which version of a row there is; no more of it.
    sweeper: list('tenant_id id slug xmin'),
  },
  'swarmgate.channels': {
    kind: 'tenant',
    report: list('tenant_id id platform slug status agent_id version created_at updated_at'),
    sweeper: list('tenant_id id agent_id xmin given_up_at removed_at'),
  },
  'swarmgate.participants': { kind: 'tenant' },
  'swarmgate.conversations': {
    kind: 'tenant',
    report: list('tenant_id id channel_id agent_id status due_at waiting_for last_message_at created_at'),
    sweeper: list('tenant_id id due_at waiting_for lease_expires_at'),
  },
  // Whose rows there is something to tell of; no more of them.
  'swarmgate.messages': { kind: 'tenant', sweeper: list('tenant_id created_at') },
  'swarmgate.inbound_keys': { kind: 'tenant' },
  'swarmgate.turns': {
    kind: 'tenant',
    report: list(
      'tenant_id id conversation_id message_id state attempt error_code model input_tokens output_tokens cached_input_tokens reasoning_tokens created_at started_at finished_at',
    ),
  },
  'swarmgate.turn_steps': { kind: 'tenant' },
  'swarmgate.deliveries': {
    kind: 'tenant',
    report: list(
      'tenant_id id conversation_id channel_id message_id state attempt due_at error_code created_at sent_at',
    ),
    sweeper: list('tenant_id conversation_id sequence state attempt due_at claim_expires_at claim_holder'),
  },
  'swarmgate.delivery_parts': { kind: 'tenant' },
  'swarmgate.consent_entries': { kind: 'tenant' },
  'swarmgate.files': { kind: 'tenant' },
  'swarmgate.install_states': { kind: 'tenant' },
  'swarmgate.claim_offers': { kind: 'tenant' },
  'swarmgate.conversation_references': { kind: 'tenant' },
  'swarmgate.events': { kind: 'tenant', sweeper: list('tenant_id created_at') },
  'swarmgate.webhook_endpoints': {
    kind: 'tenant',
    sweeper: list('tenant_id id status not_before failing_since'),
  },
  'swarmgate.webhook_events': { kind: 'tenant', sweeper: list('tenant_id created_at') },
  'swarmgate.webhook_deliveries': {
    kind: 'tenant',
    sweeper: list('tenant_id endpoint_id due_at claim_expires_at'),
  },
  'swarmgate.webhook_attempts': { kind: 'tenant' },
  'swarmgate.knowledge_documents': { kind: 'tenant' },
  'swarmgate.knowledge_passages': { kind: 'tenant' },
  'swarmgate.knowledge_vectors': { kind: 'tenant', extension: 'vector' },
  'swarmgate.roles': { kind: 'tenant' },
  'swarmgate.api_keys': { kind: 'tenant' },
  'swarmgate.token_issuers': { kind: 'tenant' },
  'swarmgate.audit_events': {
    kind: 'tenant',
    rights: 'INSERT SELECT',
    identity: { rights: 'INSERT SELECT', sees: installation },
    aboveAdd: installation,
    auditor: 'DELETE SELECT',
    auditorDeletes: `((at < (now() - '30 days'::interval)) AND (xid < ( SELECT s.to_xid FROM (swarmgate.audit_drops d JOIN swarmgate.audit_seals s ON (((s.tenant_id = d.tenant_id) AND (s.number = d.to_number)))) WHERE (d.tenant_id = audit_events.tenant_id))))`,
  },
  'swarmgate.audit_seals': {
    kind: 'tenant',
    rights: 'SELECT',
    identity: { rights: 'SELECT', sees: installation },
    auditor: 'INSERT SELECT',
  },
  'swarmgate.audit_drops': { kind: 'tenant', rights: 'SELECT', auditor: 'INSERT SELECT UPDATE' },
  'swarmgate.audit_subjects': {
    kind: 'tenant',
    rights: 'DELETE INSERT SELECT',
    identity: { rights: 'DELETE INSERT SELECT', sees: installation },
  },
  'swarmgate.idempotent_answers': { kind: 'tenant' },
  'identity.memberships': {
    kind: 'tenant',
    rights: 'DELETE SELECT UPDATE',
    identity: { rights: 'DELETE INSERT SELECT UPDATE', sees: 'true' },
  },
  'identity.invitations': { kind: 'tenant', identity: { rights: 'SELECT UPDATE', sees: 'true' } },

  'identity.passwords': ofPeople('hashes'),
  'identity.totp': ofPeople('secrets of second factors, sealed'),
  'identity.recovery_codes': ofPeople('hashes'),
  'identity.passkeys': ofPeople('public keys'),
  'identity.passkey_ceremonies': ofPeople('a sign-in is to no tenant; hashes'),
  'identity.web_sessions': ofPeople('a person is signed in to all of their tenants'),
  'identity.sign_in_challenges': ofPeople('a sign-in is to no tenant'),
  'identity.sign_in_links': ofPeople('a sign-in is to no tenant'),
  'identity.attempts': ofPeople('counts what may be nobody’s account; pseudonyms and times only'),
  'identity.refresh_families': ofPeople('goes back to a session'),
  'identity.refresh_tokens': ofPeople('goes back to a session; hashes'),
  'identity.signing_keys': ofPeople('the installation’s; the private part is sealed'),
  'identity.sign_on_attempts': ofPeople('a sign-in is to no tenant; hashes, and what is sealed'),
  'identity.sign_on_identities': ofPeople('whom a provider means; they may belong elsewhere too'),
  'identity.sign_on_connections': ofOrganization('the client secret is sealed'),
  'identity.sign_on_domains': ofOrganization('many may claim a domain, and one is believed'),
  'identity.users': {
    kind: 'identity',
    why: 'a person may belong to many tenants',
    grants: {
      swarmgate_identity: 'DELETE INSERT SELECT UPDATE',
      swarmgate_tenant: 'SELECT',
      swarmgate_organization: 'SELECT',
    },
    policies: [
      `own_tenant: SELECT to swarmgate_tenant using ((id IN ( SELECT m.user_id FROM identity.memberships m WHERE (m.tenant_id = ${current('tenant')}))) OR (id IN ( SELECT o.user_id FROM identity.organization_members o)))`,
      `own_organization: SELECT to swarmgate_organization using (id IN ( SELECT m.user_id FROM identity.organization_members m WHERE (m.organization_id = ${current('organization')})))`,
    ],
  },
  'identity.organization_members': {
    kind: 'identity',
    why: 'an organization is above its tenants',
    grants: {
      swarmgate_identity: 'DELETE INSERT SELECT UPDATE',
      swarmgate_tenant: 'SELECT',
      swarmgate_organization: 'DELETE SELECT UPDATE',
    },
    policies: [
      `own_tenant: SELECT to swarmgate_tenant using (organization_id IN ( SELECT t.organization_id FROM directory.tenants t WHERE (t.id = ${current('tenant')})))`,
      ownOrganization,
    ],
  },
  'identity.organization_invitations': {
    kind: 'identity',
    why: 'an organization is above its tenants',
    grants: { swarmgate_identity: 'DELETE SELECT UPDATE', swarmgate_organization: 'INSERT SELECT UPDATE' },
    policies: [ownOrganization],
  },

  'directory.organizations': {
    kind: 'directory',
    why: 'an organization is above its tenants',
    grants: {
      swarmgate_platform: 'DELETE INSERT SELECT UPDATE',
      swarmgate_organization: 'SELECT',
      swarmgate_tenant: 'SELECT',
    },
    sweeper: list('id xmin'),
    identity: list('id slug name requires_second_factor requires_single_sign_on'),
  },
  'directory.billing_details': {
    kind: 'directory',
    why: 'whom an organization is billed to; sealed',
    grants: { swarmgate_platform: 'DELETE INSERT SELECT UPDATE', swarmgate_organization: 'SELECT' },
  },
  'directory.tenants': {
    kind: 'directory',
    why: 'the list of tenants cannot belong to one of them; its rows are keyed by id',
    grants: {
      swarmgate_platform: 'DELETE INSERT SELECT UPDATE',
      swarmgate_organization: 'SELECT',
      swarmgate_tenant: 'SELECT',
    },
    sweeper: list('id organization_id status xmin'),
    identity: list('id organization_id slug name status'),
  },
  'directory.external_keys': {
    kind: 'directory',
    why: 'leads from a key of the outside world to the tenant that has claimed it, so the key comes first and is unique over all tenants',
    grants: { swarmgate_platform: 'SELECT', swarmgate_tenant: 'DELETE INSERT SELECT' },
  },

  'directory.domains': {
    kind: 'directory',
    why: 'leads from a host to the tenant that has proved it, so that is unique over all tenants',
    grants: { swarmgate_platform: 'SELECT UPDATE', swarmgate_tenant: 'DELETE INSERT SELECT' },
  },
  'directory.tombstones': {
    kind: 'directory',
    why: 'who was deleted, so that no slug comes to mean somebody else; ids, slugs and times only',
    grants: { swarmgate_platform: 'INSERT SELECT' },
  },
  'directory.quarantine': {
    kind: 'directory',
    why: 'accounts that wrote to us and that no tenant claims; no content',
    grants: { swarmgate_platform: 'DELETE INSERT SELECT UPDATE' },
  },
  'directory.socket_leases': {
    kind: 'directory',
    why: 'which process holds the socket of an app; ids only',
    grants: { swarmgate_platform: 'DELETE INSERT SELECT UPDATE' },
  },
  'directory.socket_sessions': {
    kind: 'directory',
    why: 'where the session of an app’s socket stands; ids, numbers and times only',
    grants: { swarmgate_platform: 'DELETE INSERT SELECT UPDATE' },
  },
  'directory.direct_choices': {
    kind: 'directory',
    why: 'leads from a person’s direct messages to the account that they are for, before any tenant is known; ids only',
    grants: { swarmgate_platform: 'DELETE INSERT SELECT UPDATE' },
  },

  'directory.direct_past_choices': {
    kind: 'directory',
    why: 'leads from what happens to an earlier direct message to the account that it was for; ids and times only',
    grants: { swarmgate_platform: 'DELETE INSERT SELECT UPDATE' },
  },
  'directory.direct_sightings': {
    kind: 'directory',
    why: 'in which claimed accounts a person has spoken to an app, before any tenant is known; ids and times only',
    grants: { swarmgate_platform: 'DELETE INSERT SELECT UPDATE' },
  },
  'directory.account_names': {
    kind: 'directory',
    why: 'what the accounts of an app are called on their platform, for those whom it has among their members; names only',
    grants: { swarmgate_platform: 'DELETE INSERT SELECT UPDATE' },
  },

  'directory.fair_clocks': {
    kind: 'directory',
    why: 'where the virtual time of a queue stands',
    grants: { swarmgate_platform: 'INSERT SELECT UPDATE' },
  },
  'directory.fair_finishes': {
    kind: 'directory',
    why: 'whose turn it is among all tenants; ids and numbers only',
    grants: { swarmgate_platform: 'DELETE INSERT SELECT UPDATE' },
  },

  'directory.workers': {
    kind: 'directory',
    why: 'which worker processes live; names and times only',
    grants: {
      swarmgate_platform: 'DELETE INSERT SELECT UPDATE',
      swarmgate_tenant: 'SELECT',
      swarmgate_sweeper: 'SELECT',
    },
  },

  'directory.paces': {
    kind: 'directory',
    why: 'how quickly a credential may be used; ids and times only',
    grants: { swarmgate_platform: 'DELETE INSERT SELECT UPDATE' },
  },
  'directory.plans': {
    kind: 'operations',
    why: 'what each plan gives; the same for everybody',
    grants: { swarmgate_tenant: 'SELECT', swarmgate_organization: 'SELECT', swarmgate_platform: 'SELECT' },
  },
  'directory.cells': {
    kind: 'operations',
    why: 'the installation’s regions',
    grants: { swarmgate_platform: 'SELECT' },
  },
  'swarmgate.this_cell': {
    kind: 'operations',
    why: 'which cell this database is; every write checks it',
    grants: { swarmgate_tenant: 'SELECT', swarmgate_organization: 'SELECT', swarmgate_platform: 'SELECT' },
  },
  'swarmgate.master_keys': {
    kind: 'operations',
    why: 'ids and check values of master keys, never a key',
    grants: { swarmgate_platform: 'INSERT SELECT' },
  },
  'schema_history.migrations': {
    kind: 'operations',
    why: 'what the migrator has applied',
    grants: { swarmgate_service: 'SELECT' },
  },
};

/** Indexes of tenant tables that do not hold tenant_id, each with its reason. */
export const crossTenantIndexes: Readonly<Record<string, string>> = {};

/**
 * Indexes beside the key that begin with tenant_id, each with its reason. In a table that grows with what is said there is
 * none: a plan that reads a whole tenant would be as cheap as the right one while the table is small, and would be kept.
 */
export const tenantFirstIndexes: Readonly<Record<string, string>> = {
  'swarmgate.agents_tenant_id_slug_key': 'few rows a tenant, made by an operator',
  'swarmgate.channels_tenant_id_key_key': 'few rows a tenant, made by an operator',
  'swarmgate.channels_tenant_id_slug_key': 'few rows a tenant, made by an operator',
  'swarmgate.knowledge_documents_tenant_id_slug_key': 'few rows a tenant, made by an operator',
};

/** Foreign keys from a tenant's rows to what is nobody's, each with its reason: they tell whether something exists. */
export const outsideForeignKeys: Readonly<Record<string, string>> = {
  'memberships_user_id_fkey on identity.memberships': 'a tenant has no right to add a membership',
};

/** SECURITY DEFINER functions that are permitted: none. One would need its own narrow role, a policy and a reason here. */
export const securityDefiners: readonly string[] = [];

/** The roles that functions called from outside step into, other than the tenant's. */
export const functionRoles: Readonly<Record<string, string>> = {
  'directory.locate_v1': 'swarmgate_platform',
  'directory.locate_v2': 'swarmgate_platform',
  'directory.keep_alive_v1': 'swarmgate_platform',
  'directory.quarantine_v1': 'swarmgate_platform',
  'directory.list_claims_v1': 'swarmgate_platform',
  'directory.take_socket_v1': 'swarmgate_platform',
  'directory.release_socket_v1': 'swarmgate_platform',
  'directory.keep_socket_session_v1': 'swarmgate_platform',
  'directory.read_socket_session_v1': 'swarmgate_platform',
  'directory.find_direct_v1': 'swarmgate_platform',
  'directory.choose_direct_v1': 'swarmgate_platform',
  'directory.forget_direct_v1': 'swarmgate_platform',
  'directory.list_directs_v1': 'swarmgate_platform',
  'directory.choose_direct_v2': 'swarmgate_platform',
  'directory.recheck_direct_v1': 'swarmgate_platform',
  'directory.forget_direct_v2': 'swarmgate_platform',
  'directory.list_direct_accounts_v1': 'swarmgate_platform',
  'directory.note_sighting_v1': 'swarmgate_platform',
  'directory.note_account_name_v1': 'swarmgate_platform',
  'directory.direct_candidates_v1': 'swarmgate_platform',
  'directory.assign_starts_v1': 'swarmgate_platform',
  'directory.advance_clock_v1': 'swarmgate_platform',
  'directory.charge_v1': 'swarmgate_platform',
  'directory.clock_moving_v1': 'swarmgate_platform',
  'directory.take_pace_v1': 'swarmgate_platform',
  'directory.give_back_pace_v1': 'swarmgate_platform',
  'directory.forget_paces_v1': 'swarmgate_platform',
  'directory.locate_hosts_v1': 'swarmgate_platform',
  'directory.forget_accounts_v1': 'swarmgate_platform',
  'identity.forget_tenant_v1': 'swarmgate_identity',
  'identity.find_session_v1': 'swarmgate_identity',
  'identity.find_token_session_v1': 'swarmgate_identity',
  'identity.take_attempt_v1': 'swarmgate_identity',
  'identity.give_back_attempt_v1': 'swarmgate_identity',
  'identity.forget_ended_v1': 'swarmgate_identity',
  'identity.forget_passkey_ceremonies_v1': 'swarmgate_identity',
  'swarmgate.given_up_channels_v1': 'swarmgate_sweeper',
  'identity.find_organization_grant_v1': 'swarmgate_identity',
  'swarmgate.due_work_v1': 'swarmgate_sweeper',
  'swarmgate.due_work_v2': 'swarmgate_sweeper',
  'swarmgate.waiting_tenants_v1': 'swarmgate_sweeper',
  'swarmgate.unchanged_channels_v1': 'swarmgate_sweeper',
  'swarmgate.backlog_v1': 'swarmgate_sweeper',
  'swarmgate.webhook_work_v1': 'swarmgate_sweeper',
  'swarmgate.webhook_backlog_v1': 'swarmgate_sweeper',
  'swarmgate.old_webhooks_v1': 'swarmgate_sweeper',
  'swarmgate.seal_audit_v1': 'swarmgate_auditor',
};

/** Who may call what has no version: entering a scope, and the steps inside the versioned functions. */
export const innerFunctions: Readonly<Record<string, readonly string[]>> = {
  'swarmgate.current_tenant': ['swarmgate_tenant'],
  'swarmgate.current_organization': ['swarmgate_organization'],
  'swarmgate.enter_tenant': ['swarmgate_identity', 'swarmgate_platform', 'swarmgate_service'],
  'swarmgate.enter_organization': ['swarmgate_service'],
  'swarmgate.enter_platform': ['swarmgate_service'],
  'swarmgate.enter_identity': ['swarmgate_service'],
  'swarmgate.enter_audit': ['swarmgate_service'],
  'swarmgate.audit_field': ['swarmgate_auditor'],
  'swarmgate.audit_milliseconds': ['swarmgate_auditor'],
  'swarmgate.audit_event_hash': ['swarmgate_auditor'],
  'swarmgate.audit_seal_hash': ['swarmgate_auditor'],
  'swarmgate.rebase_audit': [],
  'swarmgate.enable_tenant_rls': [],
  'swarmgate.describe_grant': ['swarmgate_tenant'],
  'swarmgate.describe_token_issuers': ['swarmgate_tenant'],
  'identity.describe_session': ['swarmgate_identity'],
  'swarmgate.take_claims': ['swarmgate_tenant'],
  'identity.describe_organization_grant': ['swarmgate_identity', 'swarmgate_organization'],
  'swarmgate.hold_lease': ['swarmgate_tenant'],
  'swarmgate.describe_turn': ['swarmgate_tenant'],
  'swarmgate.next_turn': ['swarmgate_tenant'],
  'swarmgate.history_before': ['swarmgate_tenant'],
  'swarmgate.steps_done': ['swarmgate_tenant'],
  'swarmgate.turn_terms': ['swarmgate_tenant'],
  'swarmgate.free_slots': ['swarmgate_tenant'],
  'swarmgate.take_slot': ['swarmgate_tenant'],
  'swarmgate.give_slots': ['swarmgate_tenant'],
  'swarmgate.has_line': ['swarmgate_tenant'],
  'swarmgate.next_delivery': ['swarmgate_tenant'],
  'swarmgate.receive_extras': ['swarmgate_tenant'],
  'swarmgate.receive_message': ['swarmgate_tenant'],
  'swarmgate.begin_turn': ['swarmgate_tenant'],
  'swarmgate.commit_turn': ['swarmgate_tenant'],
  'swarmgate.last_inbound_ms': ['swarmgate_tenant'],
  'swarmgate.record_delivery': ['swarmgate_tenant'],
  'swarmgate.settle_delivery': ['swarmgate_tenant'],
  'swarmgate.has_webhook_for': ['swarmgate_tenant'],
  'swarmgate.wire_id': ['swarmgate_tenant'],
  'swarmgate.tell_webhooks': ['swarmgate_tenant'],
  'swarmgate.webhook_width': ['swarmgate_sweeper', 'swarmgate_tenant'],
};
