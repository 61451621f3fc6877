import type {
  ApplyAgent,
  ApplyChannel,
  ApplyKnowledge,
  ApplyOrganization,
  ApplyTenant,
} from '@swarmgate/contract/apply-file.ts';

/** An apply file with everything it points to read in: variables, and the documents themselves. It can be handed over. */
export type ApplyPlan = { organizations: PlannedOrganization[] };

export type PlannedOrganization = Omit<ApplyOrganization, 'tenants'> & { tenants: PlannedTenant[] };
export type PlannedTenant = Omit<ApplyTenant, 'knowledge'> & { knowledge: PlannedDocument[] };
export type PlannedDocument = { slug: string; title: string; content: string } & Pick<ApplyKnowledge, 'url'>;
export type PlannedAgent = ApplyAgent;
export type PlannedChannel = ApplyChannel;

/** What an apply did to one object. `kept` objects are those that exist and that the file does not name. */
export type Change = {
  action: 'created' | 'updated' | 'unchanged' | 'kept';
  kind: 'organization' | 'tenant' | 'agent' | 'channel' | 'knowledge' | 'member' | 'webhook';
  /** Slugs from the organization down, e.g. `acme/acme-support/site`. */
  path: string;
  /** A channel's key. */
  key?: string;
  /** What a webhook that was just made is verified with, where the file did not give it. It is shown this once. */
  secret?: string;
};

/** Names a change in the order in which it was met. */
export type Report = (change: Change) => void;
