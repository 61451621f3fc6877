import { newId, type Uuid } from '#domain/ids.ts';
import type { Unit } from '#tenancy/scopes.ts';
import {
  type DeadLetter,
  type DeadLetterChoice,
  type DeadLetterRow,
  describeRow,
  findDeadLetters,
} from './dead-letter.ts';

/**
 * Has dead letters of the unit's tenant tried once more, the oldest first, with all their attempts before them. A turn
 * goes on behind the steps that are kept, and its answer is said in addition to what was said of its failure. A delivery
 * goes on behind the parts that the platform has; where nobody knows what arrived, it looks there first.
 *
 * It is due with its commit: the sweeper wakes it within seconds. Answers what was put back; what ceased to be a dead
 * letter meanwhile is not among it.
 */
export async function replayDeadLetters(unit: Unit, choice: DeadLetterChoice): Promise<DeadLetter[]> {
  const replayed: DeadLetterRow[] = [];
  for (const row of (await findDeadLetters(unit, choice)).reverse()) {
    const put = await (row.kind === 'turn' ? replayTurn : replayDelivery)(unit, row);
    if (!put) continue;
    await unit.sql(
      `INSERT INTO swarmgate.events (tenant_id, id, kind, subject)
         VALUES (swarmgate.current_tenant(), $1, $2, jsonb_build_object('conversationId', $3::text, 'id', $4::text, 'error', $5::text))`,
      [newId(), `${row.kind}.replayed`, row.conversation_id, row.id, row.code],
    );
    replayed.push(row);
  }
  return replayed.map(describeRow);
}

// The conversation's row first, as everywhere, so that no turn of it begins or ends meanwhile.
async function replayTurn(unit: Unit, { id, conversation_id }: DeadLetterRow): Promise<boolean> {
  await unit.sql('SELECT FROM swarmgate.conversations WHERE id = $1 FOR UPDATE', [conversation_id]);
  const put = await unit.sql<{ id: Uuid }>(
    `UPDATE swarmgate.turns SET state = 'pending', attempt = 0, fence = 0, replays = replays + 1, reply_message_id = NULL,
         cancel_requested_at = NULL, started_at = NULL, finished_at = NULL, error_code = NULL, error_message = NULL
       WHERE id = $1 AND state = 'dead' AND purged_at IS NULL RETURNING id`,
    [id],
  );
  if (put.length === 0) return false;
  // Whatever it waits for goes before; a tenant that is suspended is found out when it begins.
  await unit.sql(
    `UPDATE swarmgate.conversations SET due_at = coalesce(due_at, clock_timestamp()) WHERE id = $1 AND waiting_for IS NULL`,
    [conversation_id],
  );
  return true;
}

// Parts that the platform has failed are to be sent again, and with them what stands behind them.
async function replayDelivery(unit: Unit, { id }: DeadLetterRow): Promise<boolean> {
  const put = await unit.sql<{ id: Uuid }>(
    `UPDATE swarmgate.deliveries SET state = 'pending', attempt = 0, deferrals = 0, replays = replays + 1,
         due_at = clock_timestamp(), queued_at = clock_timestamp(), sent_at = NULL, error_code = NULL, error_message = NULL
       WHERE id = $1 AND state = 'failed' AND purged_at IS NULL RETURNING id`,
    [id],
  );
  if (put.length === 0) return false;
  await unit.sql(
    `DELETE FROM swarmgate.delivery_parts WHERE delivery_id = $1 AND number >=
         (SELECT min(number) FROM swarmgate.delivery_parts WHERE delivery_id = $1 AND state = 'failed')`,
    [id],
  );
  return true;
}
