import { createHash } from 'node:crypto';
import type { Uuid } from '#domain/ids.ts';
import type { KeyRing } from '#kernel/key-ring.ts';
import { ProblemError } from '#kernel/problem.ts';
import type { Unit } from '#tenancy/scopes.ts';

/** What a call with an `Idempotency-Key` is known by, and what it asks for. */
export type IdempotentCall = { tenantId: Uuid; key: string; requestHash: string };

export type KeptAnswer = { body: unknown; version?: number };

const keptFor = '1 day';

/** @throws {ProblemError} 400 for a header that is none */
export function readIdempotencyKey(header: string | undefined): string | undefined {
  if (header === undefined) return undefined;
  if (!/^[\x21-\x7e]{1,255}$/.test(header))
    throw new ProblemError(
      400,
      'invalid_idempotency_key',
      'Invalid Idempotency-Key',
      'An Idempotency-Key has 1 to 255 visible ASCII characters; a UUID will do.',
    );
  return header;
}

/** The same key of another caller, or for another operation, is another call. */
export function identifyCall(
  tenantId: Uuid,
  {
    caller,
    operation,
    header,
    request,
  }: { caller: string; operation: string; header: string; request: unknown },
): IdempotentCall {
  const hash = (value: unknown) => createHash('sha256').update(JSON.stringify(value)).digest('base64url');
  return { tenantId, key: hash([caller, operation, header]), requestHash: hash(request) };
}

/**
 * Takes the key for this unit; or answers what the call was answered when it went through before. Of two at once the
 * second waits for the first. @throws {ProblemError} 422 when the key came with another request
 */
export async function takeKey(
  unit: Unit,
  keyRing: KeyRing,
  { tenantId, key, requestHash }: IdempotentCall,
): Promise<KeptAnswer | undefined> {
  await unit.sql(`DELETE FROM swarmgate.idempotent_answers WHERE created_at < now() - interval '${keptFor}'`);
  const taken = await unit.sql(
    `INSERT INTO swarmgate.idempotent_answers (tenant_id, key, request_hash, status, answer) VALUES ($1, $2, $3, 0, '')
       ON CONFLICT (tenant_id, key) DO NOTHING RETURNING key`,
    [tenantId, key, requestHash],
  );
  if (taken.length > 0) return undefined;
  const [kept] = await unit.sql<{ request_hash: string; answer: string }>(
    'SELECT request_hash, answer FROM swarmgate.idempotent_answers WHERE key = $1',
    [key],
  );
  if (kept?.request_hash !== requestHash)
    throw new ProblemError(
      422,
      'idempotency_key_reused',
      'Idempotency-Key reused',
      'This key came with another request before; use a new key for a new request.',
    );
  // It was taken, and whoever took it did not come to an answer.
  if (kept.answer === '') return undefined;
  return JSON.parse(keyRing.open(kept.answer, placeOf(tenantId, key))) as KeptAnswer;
}

/** Keeps the answer for who sends the call again, sealed: it may hold a secret that is shown once. */
export async function keepAnswer(
  unit: Unit,
  keyRing: KeyRing,
  { tenantId, key }: IdempotentCall,
  status: number,
  answer: KeptAnswer,
): Promise<void> {
  await unit.sql('UPDATE swarmgate.idempotent_answers SET status = $2, answer = $3 WHERE key = $1', [
    key,
    status,
    keyRing.seal(JSON.stringify(answer), placeOf(tenantId, key)),
  ]);
}

const placeOf = (tenantId: Uuid, key: string) => ({ tenantId, table: 'idempotent_answers', column: key });
