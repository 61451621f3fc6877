import { AppError } from '#domain/errors.ts';
import { fromWire, toWire, type Uuid } from '#domain/ids.ts';
import type { PlatformUnit, Unit } from '#tenancy/scopes.ts';

/** Something that was given up after its tries: the answer to a message (`turn`), or an answer on its way (`delivery`). */
export type DeadLetterKind = 'turn' | 'delivery';

export type DeadLetter = {
  kind: DeadLetterKind;
  /** On the wire: `trn_…` or `dlv_…`. */
  id: string;
  conversationId: string;
  channel: string;
  platform: string;
  /** Why it was given up, in a word and in a sentence. */
  code: string;
  reason: string;
  attempts: number;
  /** How often an operator had it tried once more. */
  replays: number;
  /** An ISO time: when the turn ended, or since when the delivery had been trying. */
  at: string;
};

/** Which dead letters of a tenant are meant. What is absent means any. */
export type DeadLetterChoice = {
  kind?: DeadLetterKind;
  code?: string;
  /** An ISO time: those before it. */
  before?: string;
  /** On the wire. */
  ids?: readonly string[];
  /** Where a page ended: those behind it. */
  behind?: { at: string; id: Uuid };
  limit: number;
};

export type DeadLetterRow = Omit<DeadLetter, 'id' | 'conversationId' | 'at'> & {
  id: Uuid;
  conversation_id: Uuid;
  at: Date;
};

/** What was asked for is no dead letter of this tenant. */
export class NoSuchDeadLetterError extends AppError<'no_such_dead_letter'> {
  override readonly name = 'NoSuchDeadLetterError';

  constructor(id: string) {
    super(
      'no_such_dead_letter',
      `${id} is no dead letter of this tenant: it was replayed or purged, or is another's.`,
    );
  }
}

// A platform may have failed a part that was sent: then the part says why.
const letters = `
  SELECT 'turn' AS kind, t.id, t.conversation_id, t.error_code AS code, t.error_message AS reason,
      t.attempt AS attempts, t.replays, t.finished_at AS at
    FROM swarmgate.turns t WHERE t.state = 'dead' AND t.purged_at IS NULL
  UNION ALL
  SELECT 'delivery', d.id, d.conversation_id, d.error_code, d.error_message, d.attempt, d.replays, d.queued_at
    FROM swarmgate.deliveries d WHERE d.state = 'failed' AND d.purged_at IS NULL`;

/** The dead letters of the unit's tenant that a choice means, the latest first. */
export async function findDeadLetters(
  unit: Unit | PlatformUnit,
  { kind, code, before, ids, behind, limit }: DeadLetterChoice,
): Promise<DeadLetterRow[]> {
  return unit.sql<DeadLetterRow>(
    `SELECT l.kind, l.id, l.conversation_id, l.attempts, l.replays, l.at, c.slug AS channel, c.platform,
         coalesce(l.code, 'unknown') AS code, coalesce(l.reason, '') AS reason
       FROM (${letters}) l
       JOIN swarmgate.conversations v ON v.id = l.conversation_id
       JOIN swarmgate.channels c ON c.id = v.channel_id
       WHERE ($1::text IS NULL OR l.kind = $1)
         AND ($2::text IS NULL OR l.code = $2 OR l.code LIKE $2 || '/%')
         AND ($3::timestamptz IS NULL OR l.at < $3)
         AND ($4::uuid[] IS NULL OR l.id = ANY ($4))
         AND ($5::timestamptz IS NULL OR (l.at, l.id) < ($5, $6::uuid))
       ORDER BY l.at DESC, l.id DESC LIMIT $7`,
    [
      ...[kind ?? null, code ?? null, before ?? null, ids?.map(readId) ?? null],
      ...[behind?.at ?? null, behind?.id ?? null, limit],
    ],
  );
}

export function describeRow({ id, conversation_id, at, ...rest }: DeadLetterRow): DeadLetter {
  return {
    ...rest,
    id: toWire(rest.kind, id),
    conversationId: toWire('conversation', conversation_id),
    at: at.toISOString(),
  };
}

function readId(id: string): Uuid {
  const found = fromWire('turn', id) ?? fromWire('delivery', id);
  if (!found) throw new NoSuchDeadLetterError(id);
  return found;
}
