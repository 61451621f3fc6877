import type { AuditTrail } from '#audit/audit-trail.ts';
import type { KeyRing } from '#kernel/key-ring.ts';
import type { SecurityEventKind } from '#kernel/metrics.ts';
import type { Scopes } from '#tenancy/scopes.ts';
import type { Attempts } from './attempts.ts';
import type { RelyingParty } from './passkeys/relying-party.ts';

/** What the use cases of identity stand on; each names those that it needs. */
export type IdentityParts = {
  scopes: Scopes;
  keyRing: KeyRing;
  audit: AuditTrail;
  attempts: Attempts;
  nowMs: () => number;
  /** Counts what operators look at. */
  onSecurityEvent: (kind: SecurityEventKind) => void;
  /** What authenticator apps call this installation. */
  issuerName: string;
  /** Whom passkeys are made for; absent where browsers have none. */
  relyingParty: RelyingParty | undefined;
  /** Of whom a second factor is asked before they may do what only those may who run things. */
  secondFactorOf: SecondFactorPolicy;
};

/**
 * `admins`: operators of the installation, and whoever is owner or admin of a tenant or may do there what admins do.
 * `nobody`: for an installation that only its own machine reaches. Of what comes from elsewhere all the same, by a proxy that
 * nobody spoke of, it is asked as ever.
 */
export type SecondFactorPolicy = 'admins' | 'nobody';

/** Whether a second factor is asked of who runs things, coming from there. */
export function isSecondFactorAsked(
  policy: SecondFactorPolicy,
  { isFromThisMachine = false }: { isFromThisMachine?: boolean },
): boolean {
  return policy === 'admins' || !isFromThisMachine;
}
