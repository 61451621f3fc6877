import { newId } from '#domain/ids.ts';
import type { Unit } from '#tenancy/scopes.ts';
import {
  type DeadLetter,
  type DeadLetterChoice,
  type DeadLetterRow,
  describeRow,
  findDeadLetters,
} from './dead-letter.ts';

/**
 * Puts dead letters of the unit's tenant away: they are not listed and cannot be replayed any more. Their rows, how they
 * ended and what was said stay. Answers what was put away; a second time that is nothing.
 */
export async function purgeDeadLetters(unit: Unit, choice: DeadLetterChoice): Promise<DeadLetter[]> {
  const found = await findDeadLetters(unit, choice);
  if (found.length === 0) return [];
  const idsOf = (kind: DeadLetterRow['kind']) => found.filter((row) => row.kind === kind).map(({ id }) => id);
  await unit.sql(
    `UPDATE swarmgate.turns SET purged_at = clock_timestamp() WHERE id = ANY ($1::uuid[]) AND state = 'dead'`,
    [idsOf('turn')],
  );
  await unit.sql(
    `UPDATE swarmgate.deliveries SET purged_at = clock_timestamp() WHERE id = ANY ($1::uuid[]) AND state = 'failed'`,
    [idsOf('delivery')],
  );
  await unit.sql(
    `INSERT INTO swarmgate.events (tenant_id, id, kind, subject)
       VALUES (swarmgate.current_tenant(), $1, 'dead_letters.purged', jsonb_build_object('ids', to_jsonb($2::text[])))`,
    [newId(), found.map(({ id }) => id)],
  );
  return found.map(describeRow);
}
