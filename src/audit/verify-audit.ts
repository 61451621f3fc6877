import type { Uuid } from '#domain/ids.ts';
import type { KeyRing } from '#kernel/key-ring.ts';
import type { Scopes } from '#tenancy/scopes.ts';
import { checkpointKeys } from './checkpoint-keys.ts';
import { readCheckpoints } from './read-checkpoints.ts';
import { readTrails } from './read-seals.ts';
import { type AuditVerdict, type TrailVerdict, worstOf } from './verdict.ts';
import { verifyTrail } from './verify-trail.ts';

export type VerifyParts = { scopes: Scopes; keyRing: KeyRing };

export type Verifying = {
  trail?: Uuid;
  /** Of checkpoints, the older ones first. */
  files: readonly string[];
  /** By when a seal must have been written down. */
  checkpointDelayMs?: number;
};

/** A checkpoint comes within a minute, and a busy machine has half a one more. */
const checkpointDelayMsDefault = 90_000;

/** Verifies one trail, or every one that the database or a checkpoint knows, against the files of checkpoints. */
export async function verifyAudit(
  { scopes, keyRing }: VerifyParts,
  { trail, files, checkpointDelayMs = checkpointDelayMsDefault }: Verifying,
): Promise<AuditVerdict> {
  const keys = checkpointKeys(keyRing);
  const checkpoints = await readCheckpoints(files, keys, trail);
  // Also those of which nothing is left but what was written down.
  const trails = trail
    ? [trail]
    : [...new Set([...(await scopes.inAudit(readTrails)), ...checkpoints.trails.keys()])].sort();
  const verdicts: TrailVerdict[] = [];
  for (const one of trails)
    verdicts.push(await verifyTrail({ scopes, keys }, one, checkpoints.trails.get(one), checkpointDelayMs));
  const { problem, notes } = checkpoints;
  return {
    state: problem ? 'tampered' : worstOf(verdicts.map(({ state }) => state)),
    trails: verdicts,
    ...(problem && { problem }),
    notes,
  };
}
