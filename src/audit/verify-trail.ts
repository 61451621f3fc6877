import { toWire, type Uuid } from '#domain/ids.ts';
import type { Scopes } from '#tenancy/scopes.ts';
import { isSignedDrop, readDrop, type SignedDrop } from './audit-drop.ts';
import { nameTrail } from './checkpoint.ts';
import type { CheckpointKey } from './checkpoint-keys.ts';
import { hashBytes, hashEvent, hashSeal, nothingBefore } from './event-hash.ts';
import type { TrailCheckpoints } from './read-checkpoints.ts';
import { readEvents, readSeals, readUnsealed, type SealRow } from './read-seals.ts';
import type { AuditProblem, TrailVerdict } from './verdict.ts';

/** A seal comes within a second, unless a transaction is open for long. */
const unsealedSecondsMax = 5;

/**
 * Goes through a trail from its beginning, hashes everything anew, and ends at the first thing that is wrong. Piece by piece,
 * each in a unit of its own: what is read does not stand in the way of what is written.
 */
export async function verifyTrail(
  { scopes, keys }: { scopes: Scopes; keys: readonly CheckpointKey[] },
  trail: Uuid,
  known: TrailCheckpoints | undefined,
  checkpointDelayMs: number,
): Promise<TrailVerdict> {
  const verdict = {
    trail: nameTrail(trail),
    events: 0,
    seals: 0,
    checkpoints: 0,
    dropped: 0,
    unsealed: 0,
    unsealedSeconds: 0,
  };
  const fail = (problem: AuditProblem): TrailVerdict => ({ ...verdict, state: 'tampered', problem });
  const points = known?.points ?? [];
  let previous: Buffer = nothingBefore;
  /** The last seal that a checkpoint must have followed by now. */
  let dueNumber = 0;
  let drop: SignedDrop | undefined;

  for (;;) {
    const piece = await scopes.inAudit(async (unit) => {
      const seals = await readSeals(unit, trail, verdict.seals);
      const events = await readEvents(
        unit,
        trail,
        seals.flatMap(({ eventIds }) => eventIds),
      );
      const [clock] = await unit.sql<{ now: Date }>('SELECT clock_timestamp() AS now');
      // Behind the events: of what went meanwhile it tells.
      const drop = await readDrop(unit, trail);
      return { seals, events, drop, now: clock?.now ?? new Date() };
    });
    drop = piece.drop;
    if (drop && !isSignedDrop(drop, keys))
      return fail({
        kind: 'gap',
        seal: drop.number,
        says: 'what says up to which seal the events were old enough to go was not signed by our keys',
      });
    if (piece.seals.length === 0) break;
    for (const seal of piece.seals) {
      const mayBeDropped = drop !== undefined && seal.number <= drop.number;
      const problem =
        checkSeal(trail, seal, verdict.seals + 1, previous, { events: piece.events, mayBeDropped }) ??
        (seal.number === drop?.number && !seal.hash.equals(drop.hash) ? otherSeal(seal) : undefined);
      if (problem) {
        // Of the last seal, what is missing is the end of the trail.
        const isEnd =
          problem.kind === 'gap' &&
          problem.seal === seal.number &&
          !(await hasMore(scopes, trail, seal.number));
        return fail(isEnd ? { ...problem, kind: 'head' } : problem);
      }
      previous = seal.hash;
      verdict.seals = seal.number;
      const present = seal.eventIds.filter((id) => piece.events.has(id)).length;
      verdict.events += present;
      verdict.dropped += seal.eventIds.length - present;
      if (piece.now.getTime() - seal.sealedAt.getTime() > checkpointDelayMs) dueNumber = seal.number;
      const point = points[verdict.checkpoints];
      if (point?.number !== seal.number) continue;
      if (point.hash !== seal.hash.toString('hex'))
        return fail({
          kind: 'checkpoint',
          seal: seal.number,
          line: point.line,
          says: 'the seal is not the one that was written down: the trail was written anew',
        });
      verdict.checkpoints += 1;
    }
  }

  const ahead = points[verdict.checkpoints];
  if (ahead)
    return fail({
      kind: 'checkpoint',
      seal: ahead.number,
      line: ahead.line,
      says: `the trail had ${ahead.number} seals then and has ${verdict.seals} now: its end was cut off`,
    });
  if (known?.problem) return fail(known.problem);
  if (drop && drop.number > verdict.seals)
    return fail({
      kind: 'head',
      seal: drop.number,
      says: `the trail had ${drop.number} seals when old events went, and has ${verdict.seals} now: its end was cut off`,
    });
  return concludeWhole(scopes, trail, verdict, { dueNumber, lastNumber: points.at(-1)?.number ?? 0 });
}

function otherSeal({ number }: SealRow): AuditProblem {
  return {
    kind: 'head',
    seal: number,
    says: 'the seal is not the one up to which the events were old enough to go: the trail was written anew',
  };
}

function checkSeal(
  trail: Uuid,
  seal: SealRow,
  expected: number,
  previous: Buffer,
  { events, mayBeDropped }: { events: Awaited<ReturnType<typeof readEvents>>; mayBeDropped: boolean },
): AuditProblem | undefined {
  if (seal.number !== expected) return { kind: 'gap', seal: expected, says: `seal ${expected} is missing` };
  for (const [index, id] of seal.eventIds.entries()) {
    const at = { seal: seal.number, event: toWire('auditEvent', id) };
    const event = events.get(id);
    if (!event && mayBeDropped) continue;
    if (!event) return { kind: 'gap', ...at, says: 'the event was sealed and is missing' };
    const sealed = seal.eventHashes.subarray(index * hashBytes, (index + 1) * hashBytes);
    if (!hashEvent(event).equals(sealed))
      return { kind: 'content', ...at, says: 'the event is not what was sealed' };
  }
  const isComplete = seal.eventHashes.length === seal.eventIds.length * hashBytes;
  if (isComplete && hashSeal({ tenantId: trail, ...seal }, previous).equals(seal.hash)) return undefined;
  return {
    kind: 'head',
    seal: seal.number,
    says: 'the seal does not follow from its events and the seal before it',
  };
}

async function hasMore(scopes: Scopes, trail: Uuid, number: number): Promise<boolean> {
  const [more] = await scopes.inAudit((unit) => readSeals(unit, trail, number));
  return more !== undefined;
}

async function concludeWhole(
  scopes: Scopes,
  trail: Uuid,
  verdict: Omit<TrailVerdict, 'state'>,
  { dueNumber, lastNumber }: { dueNumber: number; lastNumber: number },
): Promise<TrailVerdict> {
  const unsealed = await scopes.inAudit((unit) => readUnsealed(unit, trail));
  const missing: string[] = [];
  if (unsealed.seconds > unsealedSecondsMax)
    missing.push(
      `${unsealed.count} events are not sealed, the oldest for ${Math.round(unsealed.seconds)} s: does a scheduler run?`,
    );
  if (dueNumber > lastNumber)
    missing.push(
      lastNumber === 0
        ? `no checkpoint: seal ${dueNumber} should have been written down`
        : `the checkpoints end with seal ${lastNumber}: seal ${dueNumber} should have been written down`,
    );
  return {
    ...verdict,
    unsealed: unsealed.count,
    unsealedSeconds: unsealed.seconds,
    state: missing.length > 0 ? 'incomplete' : 'whole',
    ...(missing.length > 0 && { missing }),
  };
}
