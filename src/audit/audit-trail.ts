import type { Uuid } from '#domain/ids.ts';
import type { Unit } from '#tenancy/scopes.ts';

/** The front door of the audit trail: what was done in a tenant, and what was refused. */

/** The trail of the installation itself: sign-ins, operators' acts, whatever is no tenant's. */
export const installationTrail = '00000000-0000-0000-0000-000000000000' as Uuid;

export type AuditActor =
  | { kind: 'user' | 'api_key' | 'operator'; id: Uuid }
  /** The service itself, or an operator at the command line; somebody who did not say who they are. */
  | { kind: 'operator' | 'system' | 'nobody'; id?: undefined };

export type AuditEvent = {
  actor: AuditActor;
  /** In the words of the API's operations (`revokeApiKey`), or of what happened (`sign_in.failed`). */
  action: string;
  /** The permission that it needed. */
  permission?: string;
  resource: { kind: string /** On the wire, as it was asked for. */; id?: string };
  outcome: 'allowed' | 'refused' | 'failed';
  /** Why, in a sentence. */
  reason?: string;
  requestId?: string;
  /** Names of fields, counts, ids: nothing personal, no secret, no message. */
  detail?: Readonly<Record<string, unknown>>;
  /** Sealed under a key of the actor's, so that it can be erased without touching the trail. */
  personal?: { address?: string; userAgent?: string };
};

export interface AuditTrail {
  /**
   * Tells of a change in the unit that makes it, so that there is neither without the other. What is personal is left
   * out there: it needs a look of its own; see `prepare`.
   */
  append(unit: Unit, trail: Uuid, event: PreparedAuditEvent): Promise<void>;
  /** Makes an event ready for `append`, outside of any unit: what is personal in it is sealed. */
  prepare(trail: Uuid, event: AuditEvent): Promise<PreparedAuditEvent>;
  /**
   * Tells of what has no unit of its own, or whose unit was undone: what was read, what was refused. Resolves once it is
   * kept; rejects when it cannot be, and then what it tells of must not happen.
   */
  note(trail: Uuid, event: AuditEvent): Promise<void>;
}

/** An event as it is kept. */
export type PreparedAuditEvent = Omit<AuditEvent, 'personal'> & {
  id: Uuid;
  sealedPersonal: string | undefined;
};
