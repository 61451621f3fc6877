import type { Unit } from '#tenancy/scopes.ts';
import { type DeadLetter, describeRow, findDeadLetters, NoSuchDeadLetterError } from './dead-letter.ts';

export type ShownDeadLetter = DeadLetter & {
  /** What it is about; only where it was asked for, since it is what people wrote. */
  text?: string;
  /** Parts of a delivery that the platform has taken. */
  partsSent: number;
  /** Steps of a turn that are kept, behind which a replay goes on. */
  stepsKept: number;
};

/** Looks at one dead letter of the unit's tenant. @throws {NoSuchDeadLetterError} */
export async function showDeadLetter(
  unit: Unit,
  id: string,
  { withText }: { withText: boolean },
): Promise<ShownDeadLetter> {
  const [row] = await findDeadLetters(unit, { ids: [id], limit: 1 });
  if (!row) throw new NoSuchDeadLetterError(id);
  const [more] = await unit.sql<{ text: string; parts_sent: string; steps_kept: string }>(
    `SELECT (SELECT m.text FROM swarmgate.messages m WHERE m.id = coalesce(
           (SELECT t.message_id FROM swarmgate.turns t WHERE t.id = $1),
           (SELECT d.message_id FROM swarmgate.deliveries d WHERE d.id = $1))) AS text,
         (SELECT count(*) FROM swarmgate.delivery_parts p WHERE p.delivery_id = $1 AND p.state <> 'failed') AS parts_sent,
         (SELECT count(*) FROM swarmgate.turn_steps s WHERE s.turn_id = $1 AND s.state = 'done') AS steps_kept`,
    [row.id],
  );
  return {
    ...describeRow(row),
    ...(withText && { text: more?.text ?? '' }),
    partsSent: Number(more?.parts_sent ?? 0),
    stepsKept: Number(more?.steps_kept ?? 0),
  };
}
