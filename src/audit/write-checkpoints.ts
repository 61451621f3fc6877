import type { Uuid } from '#domain/ids.ts';
import type { Scopes } from '#tenancy/scopes.ts';
import { nameTrail, signCheckpoint } from './checkpoint.ts';
import type { CheckpointFile } from './checkpoint-file.ts';
import type { CheckpointKey } from './checkpoint-keys.ts';

export type CheckpointParts = { scopes: Scopes; file: CheckpointFile; key: CheckpointKey };

/** Any fixed number: one scheduler writes at a time, so that two on one machine do not mix their lines. */
const advisoryLock = 727_073_692;

/** Writes down where each trail stands whose last seal is a new one. Answers how many there were. */
export function writeCheckpoints({ scopes, file, key }: CheckpointParts): Promise<number> {
  return scopes.inAudit(async (unit) => {
    const [lock] = await unit.sql<{ held: boolean }>('SELECT pg_try_advisory_xact_lock($1) AS held', [
      advisoryLock,
    ]);
    if (!lock?.held) return 0;
    const heads = await unit.sql<Head>(headsOfTrails);
    const known = await file.lastLines();
    const at = new Date().toISOString();
    const lines = heads.flatMap((head) => {
      const [trail, number] = [nameTrail(head.tenant_id), Number(head.number)];
      const before = known.get(trail);
      if (before?.number === number) return [];
      return [
        signCheckpoint({ trail, number, hash: head.hash, at, previous: before?.lineHash ?? null }, key),
      ];
    });
    if (lines.length > 0) await file.append(lines);
    return lines.length;
  });
}

type Head = { tenant_id: Uuid; number: string; hash: string };

// From trail to trail along the key: reading the last seal of each costs nothing for all those before it.
const headsOfTrails = `
  WITH RECURSIVE trails AS (
    (SELECT s.tenant_id FROM swarmgate.audit_seals s ORDER BY s.tenant_id LIMIT 1)
    UNION ALL
    SELECT (SELECT s.tenant_id FROM swarmgate.audit_seals s WHERE s.tenant_id > t.tenant_id ORDER BY s.tenant_id LIMIT 1)
      FROM trails t WHERE t.tenant_id IS NOT NULL)
  SELECT t.tenant_id, head.number, encode(head.hash, 'hex') AS hash
    FROM trails t CROSS JOIN LATERAL (
      SELECT s.number, s.hash FROM swarmgate.audit_seals s WHERE s.tenant_id = t.tenant_id ORDER BY s.number DESC LIMIT 1) head`;
