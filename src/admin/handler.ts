import type { Api, OperationName } from '@swarmgate/contract/rest/api.ts';
import type { AnswerOf, BodyOf, Operation, PathIdsOf, QueryOf } from '@swarmgate/contract/rest/operation.ts';
import type { OrganizationPermission } from '@swarmgate/contract/rest/organization-permissions.ts';
import type { Uuid } from '#domain/ids.ts';
import type { Client, FoundSession } from '#identity/identity.ts';
import type { Grant, OrganizationGrant, Principal } from '#identity/principal.ts';
import type { PlatformUnit, Unit } from '#tenancy/scopes.ts';

/** A call that was proved, permitted and understood. */
export type Asked<Op extends Operation = Operation> = {
  tenantId: Uuid;
  /** The other ids of the path. */
  ids: Readonly<Record<Exclude<PathIdsOf<Op['path']>, 'tenantId'>, Uuid>>;
  query: QueryOf<Op>;
  body: BodyOf<Op>;
  principal: Principal;
  grant: Grant;
  /** The version that the caller has seen (`If-Match`); absent: whichever there is. */
  seenVersion: number | undefined;
  /** What identifies the call when it is repeated: its `Idempotency-Key`, or else the id of the request. */
  key: string;
  client: Client;
};

/** What a call is answered. */
export type Answer<Op extends Operation = Operation> = {
  body: AnswerOf<Op>;
  /** Of what it shows or has changed: its `ETag`. */
  version?: number;
  /** For the audit trail: what it was about, on the wire, where the path does not say; names of what was changed. */
  resourceId?: string;
  detail?: Readonly<Record<string, unknown>>;
  /** Runs once it is committed: what was remembered of the changed is to be forgotten. */
  afterwards?: () => void | Promise<void>;
};

/**
 * What answers an operation. `inTenant` works in one unit under the tenant, in which its audit event and the answer to a
 * repeated key are kept too; `inPlatform` likewise, for the few rows of a tenant that it does not write itself; `alone`
 * has a transaction of its own, and must give a repeated key one effect by itself; `tellsItself` has that too, and tells
 * the trail in it.
 */
export type Handler<Op extends Operation = Operation> = (
  | { inTenant: (asked: Asked<Op>, unit: Unit) => Promise<Answer<Op>> }
  | { inPlatform: (asked: Asked<Op>, unit: PlatformUnit) => Promise<Answer<Op>> }
  | { alone: (asked: Asked<Op>) => Promise<Answer<Op>> }
  | { tellsItself: (asked: Asked<Op>) => Promise<Answer<Op>> }
) & {
  /** Also where the tenant is suspended or closing; it looks at that itself. */
  isForAnyStatus?: true;
  /** What is looked at before any unit is open. */
  before?: (asked: Asked<Op>) => Promise<void>;
  /** What a failure is answered, once what was done is undone. */
  explain?: (asked: Asked<Op>, error: unknown) => Promise<unknown>;
};

/** A call that is about no tenant. */
export type PersonAsked<Op extends Operation = Operation> = {
  ids: Readonly<Record<PathIdsOf<Op['path']>, Uuid>>;
  body: BodyOf<Op>;
  client: Client;
} & (Op['needs'] extends 'no-credentials'
  ? { session: FoundSession | undefined }
  : { session: FoundSession });

export type PersonAnswer<Op extends Operation = Operation> = {
  body: AnswerOf<Op>;
  /** The session that the browser is to keep from now on; `ended`: none. */
  session?: { token: string } | 'ended';
  /** What it is to keep while its person is at an identity provider. */
  signOn?: { token: string };
};

/** What answers a call about whoever makes it. It tells the audit trail by itself. */
export type PersonHandler<Op extends Operation = Operation> = {
  person: (asked: PersonAsked<Op>) => Promise<PersonAnswer<Op>>;
};

/** A call about the installation, by somebody who looks after it. */
export type OperatorAsked<Op extends Operation = Operation> = Pick<
  Asked<Op>,
  'query' | 'body' | 'seenVersion'
> & { ids: PersonAsked<Op>['ids'] };

/** What answers it, in one unit of the platform's scope, in which its audit event is kept too. */
export type OperatorHandler<Op extends Operation = Operation> = {
  operator: (asked: OperatorAsked<Op>, unit: PlatformUnit) => Promise<Answer<Op>>;
  /** What is to be done under the tenant of the path then, in the same transaction. Its own trail is told of it too. */
  thenInTenant?: (tenantId: Uuid, unit: Unit) => Promise<void>;
};

/** A call about an organization, by somebody who is permitted it there. */
export type OrganizationAsked<Op extends Operation = Operation> = {
  organizationId: Uuid;
  /** The other ids of the path. */
  ids: Readonly<Record<Exclude<PathIdsOf<Op['path']>, 'organizationId'>, Uuid>>;
  query: QueryOf<Op>;
  body: BodyOf<Op>;
  principal: Principal;
  grant: OrganizationGrant;
  seenVersion: number | undefined;
  client: Client;
};

/**
 * What answers it. `inOrganization` works in one unit of the organization's, in which its audit event is kept too;
 * `overOrganization` likewise in the directory's, for what an organization does not write itself; `tellsOfOrganization` has
 * transactions of its own, and tells the trail in them.
 */
export type OrganizationHandler<Op extends Operation = Operation> = (
  | { inOrganization: (asked: OrganizationAsked<Op>, unit: Unit) => Promise<Answer<Op>> }
  | { overOrganization: (asked: OrganizationAsked<Op>, unit: PlatformUnit) => Promise<Answer<Op>> }
  | { tellsOfOrganization: (asked: OrganizationAsked<Op>) => Promise<Answer<Op>> }
) & {
  /** What is looked at before any unit is open. */
  before?: (asked: OrganizationAsked<Op>) => Promise<void>;
};

export type AnyHandler = Handler | PersonHandler | OperatorHandler | OrganizationHandler;

export type HandlerFor<Op extends Operation> = Op['needs'] extends 'an-operator'
  ? OperatorHandler<Op>
  : Op['needs'] extends 'a-session' | 'no-credentials'
    ? PersonHandler<Op>
    : Op['needs'] extends OrganizationPermission
      ? OrganizationHandler<Op>
      : Handler<Op>;

export type Handlers = { readonly [Name in OperationName]: HandlerFor<Api[Name]> };

/** A group of them: every operation of a table of the contract. */
export type HandlersOf<Table extends Readonly<Record<string, Operation>>> = {
  readonly [Name in keyof Table]: HandlerFor<Table[Name]>;
};
