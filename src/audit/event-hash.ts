import { createHash } from 'node:crypto';

/**
 * The bytes that events and seals are hashed by. The database seals with functions of its own (migration 0020); this is
 * written apart from them, so that whoever verifies does not ask the one who is verified.
 */

export const hashBytes = 32;
/** What the first seal of a trail follows. */
export const nothingBefore = Buffer.alloc(hashBytes);

/** An event as its row has it, each value as text. */
export type HashedEvent = {
  tenantId: string;
  id: string;
  at: Date;
  actorKind: string;
  actorId: string | null;
  action: string;
  permission: string | null;
  resourceKind: string;
  resourceId: string | null;
  outcome: string;
  reason: string;
  requestId: string | null;
  /** As the database writes it: the same JSON may be written in many ways. */
  detailText: string;
  personal: string | null;
};

export function hashEvent(event: HashedEvent): Buffer {
  return hashOf(
    field('swarmgate.audit-event.v1'),
    ...[
      event.tenantId,
      event.id,
      milliseconds(event.at),
      event.actorKind,
      event.actorId,
      event.action,
      event.permission,
      event.resourceKind,
      event.resourceId,
      event.outcome,
      event.reason,
      event.requestId,
      event.detailText,
      event.personal,
    ].map(field),
  );
}

export type HashedSeal = { tenantId: string; number: number; sealedAt: Date; eventHashes: Buffer };

export function hashSeal({ tenantId, number, sealedAt, eventHashes }: HashedSeal, previous: Buffer): Buffer {
  return hashOf(
    ...['swarmgate.audit-seal.v1', tenantId, String(number), milliseconds(sealedAt)].map(field),
    previous,
    hashOf(eventHashes),
  );
}

// As Postgres sends a value: its length in four bytes, -1 for NULL, then UTF-8. So no two lists of values look alike.
function field(value: string | null): Buffer {
  const text = Buffer.from(value ?? '');
  const length = Buffer.alloc(4);
  length.writeInt32BE(value === null ? -1 : text.length);
  return Buffer.concat([length, text]);
}

const milliseconds = (time: Date) => String(time.getTime());

function hashOf(...parts: readonly Buffer[]): Buffer {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest();
}
