import type { OrganizationPermission } from '@swarmgate/contract/rest/organization-permissions.ts';
import type { BuiltinRole, Permission } from '@swarmgate/contract/rest/permissions.ts';
import type { Uuid } from '#domain/ids.ts';

/**
 * Who asks, once that is proved. The front door of identity: whoever decides or records what somebody does speaks of
 * these.
 */
export type Principal =
  | {
      kind: 'api_key';
      id: Uuid;
      /** The only tenant that it can be used in. */
      tenantId: Uuid;
      organizationId: Uuid;
      /** The member it was made by; absent: an operator of the installation. */
      makerId: Uuid | undefined;
      grant: Grant;
    }
  | {
      /** Whoever has a token of an issuer that the tenant brings along. Nobody's account is behind it. */
      kind: 'token_subject';
      /** A pseudonym, the same for each of their tokens. */
      id: Uuid;
      /** The only tenant that it can be used in. */
      tenantId: Uuid;
      organizationId: Uuid;
      issuerId: Uuid;
      issuer: string;
      /** What the issuer calls them: personal. */
      subject: string;
      /** What the token says of roles, as far as anything is mapped to it. */
      said: readonly string[];
      grant: Grant;
    }
  | {
      kind: 'user';
      id: Uuid;
      /** How it was proved: a web session's cookie, or an access token. */
      via: 'session' | 'token';
      /** The session that it goes back to: what ends with it. */
      sessionId: Uuid;
      /** The only organization that it can be used in: the one by whose provider they came. */
      organizationId?: Uuid;
      /** Whether they came with what is their own account's, a password or a passkey, and not by an organization's provider. */
      isByOwnFactor: boolean;
      /** Whether a second factor was shown in that session. */
      hasSecondFactor: boolean;
      /** Whether one is asked of who runs things, where they come from. */
      isSecondFactorAsked: boolean;
      /** And, where operators need a second factor, has shown it. */
      isOperator: boolean;
      /** The only tenant that it can be used in; absent: all that they belong to. */
      tenantId?: Uuid;
      /** What it is limited to, of what they may do; absent: all of it. */
      scope?: ReadonlySet<Permission>;
    };

/** What a principal may do in one tenant, and where that comes from. */
export type Grant<Permissions extends string = Permission> = {
  permissions: ReadonlySet<Permissions>;
  /** In words, for whoever asks why: "the role admin", "its own permissions, within the role viewer of its maker". */
  source: string;
};

/** What a principal may do with one organization. It is nothing in its tenants. */
export type OrganizationGrant = Grant<OrganizationPermission>;

/** The role of a member: a built-in one, or one of the tenant's own with what it permits. */
export type HeldRole =
  | { kind: 'builtin'; name: BuiltinRole }
  | { kind: 'own'; name: string; permissions: readonly string[] };
