import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { fromWire, type IdKind, isUuid, newId, toWire } from './ids.ts';

const kinds: readonly IdKind[] = [
  'organization',
  'tenant',
  'channel',
  'participant',
  'conversation',
  'message',
  'turn',
  'delivery',
  'agent',
  'document',
  'event',
  'visitor',
  'user',
  'role',
  'apiKey',
  'invitation',
  'session',
  'auditEvent',
];
const uuids = fc.uuid().map((uuid) => uuid.toLowerCase());

describe('a new id', () => {
  test('is a UUID of version 7', () => {
    for (let count = 0; count < 1_000; count++)
      expect(newId()).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  });

  test('tells when it was made, and sorts by it', () => {
    fc.assert(
      fc.property(fc.nat({ max: 2 ** 48 - 1 }), fc.nat({ max: 2 ** 48 - 1 }), (a, b) => {
        expect(Number.parseInt(newId(a).replaceAll('-', '').slice(0, 12), 16)).toBe(a);
        fc.pre(a !== b);
        expect(newId(a) < newId(b)).toBe(a < b);
      }),
    );
  });

  test('is nobody else’s', () => {
    expect(new Set(Array.from({ length: 10_000 }, () => newId(0))).size).toBe(10_000);
  });
});

describe('on the wire', () => {
  test('an id comes back as it went', () => {
    fc.assert(
      fc.property(fc.constantFrom(...kinds), uuids, (kind, id) => {
        expect(fromWire(kind, toWire(kind, id))).toBe(id);
      }),
    );
  });

  test('an id of one kind is none of another', () => {
    fc.assert(
      fc.property(fc.constantFrom(...kinds), fc.constantFrom(...kinds), uuids, (kind, other, id) => {
        fc.pre(kind !== other);
        expect(fromWire(other, toWire(kind, id))).toBeUndefined();
      }),
    );
  });

  test('whatever is read is a UUID or nothing', () => {
    fc.assert(
      fc.property(fc.constantFrom(...kinds), fc.string({ unit: 'binary' }), (kind, text) => {
        const id = fromWire(kind, text);
        expect(id === undefined || isUuid(id)).toBe(true);
      }),
    );
  });

  test.each([
    '',
    'msg_',
    '0198c0de000070008000000000000001',
    'msg_0198c0de-0000-7000-8000-000000000001',
    'msg_0198C0DE000070008000000000000001',
    'msg_0198c0de0000700080000000000000011',
    'msg_0198c0de000070008000000000000001\n',
    ' msg_0198c0de000070008000000000000001',
    'MSG_0198c0de000070008000000000000001',
  ])('%j is no message', (text) => {
    expect(fromWire('message', text)).toBeUndefined();
  });
});

test.each([
  '0198c0de-0000-7000-8000-00000000000',
  '0198c0de-0000-7000-8000-000000000001 ',
  '0198c0de-0000-7000-8000-000000000001\n',
  '0198C0DE-0000-7000-8000-000000000001',
  '{0198c0de-0000-7000-8000-000000000001}',
  "0198c0de-0000-7000-8000-00000000000'",
])('%j is no UUID in canonical form', (text) => {
  expect(isUuid(text)).toBe(false);
});
