import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import type { Uuid } from '#domain/ids.ts';
import { hashLine, isSignedBy, readCheckpoint, trailOfName } from './checkpoint.ts';
import type { CheckpointKey } from './checkpoint-keys.ts';
import type { AuditProblem } from './verdict.ts';

/** What the files say of a trail: where it stood, in order, and the first thing that is wrong with them. */
export type KnownPoint = { number: number; hash: string; line: string };
export type TrailCheckpoints = { points: KnownPoint[]; problem?: AuditProblem };

export type ReadCheckpoints = {
  trails: Map<Uuid, TrailCheckpoints>;
  /** What belongs to no trail. */
  problem?: AuditProblem;
  notes: string[];
};

/**
 * Reads files of checkpoints, the older ones first, and checks each line: its signature, that it follows the line before it,
 * and that a trail only grows. `only`: of that trail alone.
 */
export async function readCheckpoints(
  paths: readonly string[],
  keys: readonly CheckpointKey[],
  only?: Uuid,
): Promise<ReadCheckpoints> {
  const found: ReadCheckpoints = { trails: new Map(), notes: [] };
  let foreign = 0;
  for (const path of paths) {
    const isThere = await stat(path).then(
      () => true,
      () => false,
    );
    if (!isThere) {
      found.notes.push(`There is no file ${path}.`);
      continue;
    }
    foreign += await readFile(path, keys, only, found);
  }
  if (foreign > 0)
    found.notes.push(
      `${foreign} checkpoints are signed with keys that are not derived from the master keys of this installation; they prove nothing here.`,
    );
  return found;
}

async function readFile(
  path: string,
  keys: readonly CheckpointKey[],
  only: Uuid | undefined,
  found: ReadCheckpoints,
): Promise<number> {
  // Of the lines of this file: between files there may be some that nobody has kept.
  const lastHash = new Map<Uuid, string>();
  let number = 0;
  let foreign = 0;
  for await (const text of createInterface({
    input: createReadStream(path),
    crlfDelay: Number.POSITIVE_INFINITY,
  })) {
    number += 1;
    if (text === '') continue;
    const place = `${path}:${number}`;
    const line = readCheckpoint(text);
    const trail = line && trailOfName(line.trail);
    if (!line || !trail) {
      found.problem ??= { kind: 'checkpoint', line: place, says: 'the line is not a checkpoint' };
      continue;
    }
    if (only !== undefined && trail !== only) continue;
    const before = lastHash.get(trail);
    lastHash.set(trail, hashLine(text));
    const key = keys.find(({ id }) => id === line.key);
    if (!key) {
      foreign += 1;
      continue;
    }
    const known = found.trails.get(trail) ?? { points: [] };
    found.trails.set(trail, known);
    if (known.problem) continue;
    const wrong = (says: string) => {
      known.problem = { kind: 'checkpoint', line: place, seal: line.number, says };
    };
    if (!isSignedBy(line, key)) wrong('the signature is not that of what the line says');
    else if (before !== undefined && line.previous !== before)
      wrong('the checkpoint does not follow the one before it: a line was removed or changed');
    else if (line.number <= (known.points.at(-1)?.number ?? 0))
      wrong('the trail was longer at an earlier checkpoint');
    else known.points.push({ number: line.number, hash: line.hash, line: place });
  }
  return foreign;
}
