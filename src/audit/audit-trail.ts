import { fromWire, type Uuid } from '#domain/ids.ts';
import type { Unit } from '#tenancy/scopes.ts';

/** The front door of the audit trail: what was done in a tenant, and what was refused. */

/** The trail of the installation itself: sign-ins, operators' acts, whatever is no tenant's. */
export const installationTrail = '00000000-0000-0000-0000-000000000000' as Uuid;

export type AuditActor =
  | { kind: 'user' | 'api_key' | 'token_subject' | 'operator'; id: Uuid }
  /** The service itself, or an operator at the command line; somebody who did not say who they are. */
  | { kind: 'operator' | 'system' | 'nobody'; id?: undefined };

export type AuditEvent = {
  actor: AuditActor;
  /** In the words of the API's operations (`revokeApiKey`), or of what happened (`sign_in.refused`). */
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
  personal?: PersonalDetail;
};

export type PersonalDetail = {
  address?: string;
  userAgent?: string;
  /** What the issuer of a token calls its holder. */
  subject?: string;
};

export interface AuditTrail {
  /** Tells of a change in the unit that makes it, so that there is neither without the other. */
  append(unit: Unit, trail: Uuid, event: PreparedAuditEvent): Promise<void>;
  /**
   * Makes an event ready for `append`, outside of any unit, because the key that seals what is personal in it may have to
   * be looked for. What is too long, or no text to the database, is cut.
   */
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

/** What is looked for in a trail. Everything that is given must hold. */
export type AuditSearch = {
  actor?: AuditActorChoice | undefined;
  action?: string | undefined;
  resourceId?: string | undefined;
  outcome?: AuditEvent['outcome'] | undefined;
  /** From then on, and until before then. */
  after?: Date | undefined;
  before?: Date | undefined;
  /** `nextCursor` of the page before. */
  cursor?: string | undefined;
  /** 1 to 1,000. */
  limit: number;
};

export type AuditActorChoice = { kind: AuditActor['kind'] } | { id: Uuid };

/** An event as it is shown: ids as on the wire, times as ISO 8601. */
export type ShownAuditEvent = {
  /** `aud_…` */
  id: string;
  at: string;
  /** `usr_…`, `key_…` or `sub_…`; absent for who has none. */
  actor: { kind: AuditActor['kind']; id?: string };
  action: string;
  permission?: string;
  resource: { kind: string; id?: string };
  outcome: AuditEvent['outcome'];
  reason: string;
  requestId?: string;
  detail: unknown;
  /** Absent where there was nothing personal, and where that was erased: `isErased` tells. */
  personal?: PersonalDetail;
  isErased?: true;
};

export type AuditPage = { events: ShownAuditEvent[] /** Absent on the last page. */; nextCursor?: string };

/** What was recorded, for whoever may read a trail: in a unit of its tenant, or of identity for the installation's. */
export interface AuditRecords {
  /** The latest first. */
  search(unit: Unit, trail: Uuid, search: AuditSearch): Promise<AuditPage>;
  /** The same of a trail whose tenant was deleted, in a unit of auditing: nothing personal is left in it. */
  searchErased(unit: Unit, trail: Uuid, search: AuditSearch): Promise<AuditPage>;
  /**
   * Makes all that is personal about a person or key in a trail unreadable, for good. The events stay, and so does what
   * they are sealed with.
   */
  eraseSubject(unit: Unit, trail: Uuid, subjectId: Uuid): Promise<void>;
}

/** `usr_…`, `key_…`, `sub_…`, or a kind of actor; `undefined` for anything else. */
export function readAuditActor(text: string): AuditActorChoice | undefined {
  const id = fromWire('user', text) ?? fromWire('apiKey', text) ?? fromWire('tokenSubject', text);
  if (id !== undefined) return { id };
  return isActorKind(text) ? { kind: text } : undefined;
}

const actorKinds: readonly string[] = [
  'user',
  'api_key',
  'token_subject',
  'operator',
  'system',
  'nobody',
] satisfies AuditActor['kind'][];

function isActorKind(text: string): text is AuditActor['kind'] {
  return actorKinds.includes(text);
}
