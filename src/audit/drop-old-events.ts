import { setTimeout as pause } from 'node:timers/promises';
import type { Uuid } from '#domain/ids.ts';
import type { Scopes } from '#tenancy/scopes.ts';
import { keepDrop, readDrop, signDrop } from './audit-drop.ts';
import type { CheckpointKey } from './checkpoint-keys.ts';
import { readSeals, readTrails } from './read-seals.ts';

export type DropParts = { scopes: Scopes; key: CheckpointKey };

/** Any fixed number: one scheduler does it at a time. */
const advisoryLock = 727_073_693;
/** Between two pieces others come first. */
const pauseMs = 20;

/**
 * Takes away the events of every trail that were sealed before a time, whole seals at a time, and keeps the seals. Each piece
 * is signed and taken away in one transaction, so that what verifies a trail finds neither without the other. Answers how
 * many events went.
 */
export async function dropOldEvents(parts: DropParts, before: Date, stop?: AbortSignal): Promise<number> {
  let dropped = 0;
  for (const trail of await parts.scopes.inAudit(readTrails))
    for (;;) {
      const count = stop?.aborted ? 0 : await dropPiece(parts, trail, before);
      if (count === 0) break;
      dropped += count;
      await pause(pauseMs);
    }
  return dropped;
}

function dropPiece({ scopes, key }: DropParts, trail: Uuid, before: Date): Promise<number> {
  return scopes.inAudit(async (unit) => {
    const [lock] = await unit.sql<{ held: boolean }>('SELECT pg_try_advisory_xact_lock($1) AS held', [
      advisoryLock,
    ]);
    if (!lock?.held) return 0;
    const seals = await readSeals(unit, trail, (await readDrop(unit, trail))?.number ?? 0);
    // One follows the other in time: the first that is too young ends it.
    const young = seals.findIndex(({ sealedAt }) => sealedAt >= before);
    const old = young < 0 ? seals : seals.slice(0, young);
    const last = old.at(-1);
    if (!last) return 0;
    const { number, hash } = last;
    await keepDrop(unit, signDrop({ trail, number, hash, at: new Date() }, key));
    const ids = old.flatMap(({ eventIds }) => eventIds);
    await unit.sql('DELETE FROM swarmgate.audit_events WHERE tenant_id = $1 AND id = ANY ($2::uuid[])', [
      trail,
      ids,
    ]);
    return ids.length;
  });
}
