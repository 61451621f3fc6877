import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { type HashedEvent, hashEvent, hashSeal, nothingBefore } from './event-hash.ts';

const event: HashedEvent = {
  tenantId: '00000000-0000-0000-0000-000000000000',
  id: '0198c0de-0000-7000-8000-000000000001',
  at: new Date('2026-11-29T22:00:00.123Z'),
  actorKind: 'user',
  actorId: '0198c0de-0000-7000-8000-000000000002',
  action: 'revokeApiKey',
  permission: 'api_keys:admin',
  resourceKind: 'api_key',
  resourceId: 'key_1',
  outcome: 'allowed',
  reason: 'Grüße',
  requestId: null,
  detailText: '{}',
  personal: null,
};

/** Written out by hand, as docs/security/audit.md says it. */
function byHand(...values: (string | null)[]): Buffer {
  return Buffer.concat(
    values.map((value) =>
      value === null
        ? Buffer.from('ffffffff', 'hex')
        : Buffer.concat([
            Buffer.from(Buffer.byteLength(value).toString(16).padStart(8, '0'), 'hex'),
            Buffer.from(value),
          ]),
    ),
  );
}

const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest();

test('an event is hashed value by value, each with its length in front', () => {
  const bytes = byHand(
    ...['swarmgate.audit-event.v1', event.tenantId, event.id, '1795989600123', 'user', event.actorId],
    ...['revokeApiKey', 'api_keys:admin', 'api_key', 'key_1', 'allowed', 'Grüße', null, '{}', null],
  );
  expect(hashEvent(event)).toEqual(sha256(bytes));
});

test('what is absent is another thing than what is empty, and no value runs into the next', () => {
  const hashes = [
    event,
    { ...event, requestId: '' },
    { ...event, personal: '' },
    { ...event, action: 'revokeApiKeya', permission: 'pi_keys:admin' },
    { ...event, resourceKind: '', resourceId: 'api_keykey_1' },
  ].map((one) => hashEvent(one).toString('hex'));
  expect(new Set(hashes).size).toBe(hashes.length);
});

test('a seal is hashed over the one before it and the hashes of its events', () => {
  const eventHashes = Buffer.concat([hashEvent(event), hashEvent({ ...event, action: 'another' })]);
  const seal = { tenantId: event.tenantId, number: 1, sealedAt: event.at, eventHashes };
  const bytes = Buffer.concat([
    byHand('swarmgate.audit-seal.v1', event.tenantId, '1', '1795989600123'),
    nothingBefore,
    sha256(eventHashes),
  ]);
  expect(hashSeal(seal, nothingBefore)).toEqual(sha256(bytes));
  expect(hashSeal(seal, sha256(bytes))).not.toEqual(sha256(bytes));
});
