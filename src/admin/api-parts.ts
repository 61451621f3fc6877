import type { Request } from 'express';
import type { AuditTrail } from '#audit/audit-trail.ts';
import type { Uuid } from '#domain/ids.ts';
import type { Grant, OrganizationGrant, Principal } from '#identity/principal.ts';
import type { KeyRing } from '#kernel/key-ring.ts';
import type { Scopes } from '#tenancy/scopes.ts';

/** Counts calls within a minute. */
export type CountCalls = (
  key: string,
  perMinute: number,
) => Promise<
  { allowed: true; remaining: number; resetMs: number } | { allowed: false; retryAfterMs: number }
>;

/** Finds out who calls. @throws {ProblemError} 401 */
export type Authenticate = (request: Request) => Promise<Principal>;

/** What every call of the API needs, whatever it does. */
export type ApiParts = {
  scopes: Scopes;
  keyRing: KeyRing;
  trail: AuditTrail;
  countCalls: CountCalls;
  /** Somebody has reached for a tenant that is none of theirs. */
  onForeignTenant: () => void;
  /** Whose host is asked; `undefined`: the installation's own, where all of its tenants are. */
  hostTenant: (request: Request) => Promise<Uuid | undefined>;
  authenticate: Authenticate;
  /** What they may do in a tenant; `undefined`: it is none of theirs, or is not there. */
  grantIn: (principal: Principal, tenantId: Uuid) => Promise<Grant | undefined>;
  /** The same with an organization. */
  organizationGrantIn: (principal: Principal, organizationId: Uuid) => Promise<OrganizationGrant | undefined>;
};
