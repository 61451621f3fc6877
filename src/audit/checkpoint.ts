import { createHash, sign, verify } from 'node:crypto';
import { fromWire, toWire, type Uuid } from '#domain/ids.ts';
import { installationTrail } from './audit-trail.ts';
import type { CheckpointKey } from './checkpoint-keys.ts';

/** That a trail stood so far at that time: what whoever keeps it can hold a database against. */
export type Checkpoint = {
  /** `tnt_…`, or `installation`. */
  trail: string;
  /** The number and the hash (hexadecimal) of its last seal. */
  number: number;
  hash: string;
  at: string;
  /** The SHA-256 of the line before it of the same trail; `null` on the first one of a file. */
  previous: string | null;
};

export type CheckpointLine = Checkpoint & { key: string; signature: string };

export function nameTrail(trail: Uuid): string {
  return trail === installationTrail ? 'installation' : toWire('tenant', trail);
}

export function trailOfName(name: string): Uuid | undefined {
  return name === 'installation' ? installationTrail : fromWire('tenant', name);
}

/** A checkpoint as a line of the file, without its end. */
export function signCheckpoint(checkpoint: Checkpoint, { id, privateKey }: CheckpointKey): string {
  const { trail, number, hash, at, previous } = checkpoint;
  const signature = sign(null, signedBytes(checkpoint, id), privateKey).toString('base64url');
  return JSON.stringify({ trail, number, hash, at, previous, key: id, signature });
}

export function isSignedBy(line: CheckpointLine, { publicKey }: CheckpointKey): boolean {
  return verify(null, signedBytes(line, line.key), publicKey, Buffer.from(line.signature, 'base64url'));
}

/** `undefined` for what no checkpoint looks like. */
export function readCheckpoint(text: string): CheckpointLine | undefined {
  let line: Partial<Record<keyof CheckpointLine, unknown>>;
  try {
    line = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof line !== 'object' || line === null) return undefined;
  const { trail, number, hash, at, previous, key, signature } = line;
  const isOne =
    [trail, hash, at, key, signature].every((value) => typeof value === 'string') &&
    Number.isSafeInteger(number) &&
    (previous === null || typeof previous === 'string');
  return isOne ? (line as CheckpointLine) : undefined;
}

/** What the next line of the same trail calls this one by: `printf %s LINE | sha256sum`. */
export function hashLine(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

// An array, because the order of its values is a part of JSON and that of an object's is not.
function signedBytes({ trail, number, hash, at, previous }: Checkpoint, key: string): Buffer {
  return Buffer.from(
    JSON.stringify(['swarmgate.audit-checkpoint.v1', trail, number, hash, at, previous, key]),
  );
}
