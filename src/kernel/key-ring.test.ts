import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createKeyRing, equalInConstantTime, SealBrokenError, type SealPlace } from './key-ring.ts';

const oldKey = { id: 'old', bytes: randomBytes(32) };
const newKey = { id: 'new', bytes: randomBytes(32) };
const ring = createKeyRing([newKey, oldKey]);
const place: SealPlace = { tenantId: 'tenant', table: 'channels', column: 'channel/secret' };

const places = fc.record({ tenantId: fc.string(), table: fc.string(), column: fc.string() });

describe('what is sealed', () => {
  test('opens in its place', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), places, (secret, at) => {
        expect(ring.open(ring.seal(secret, at), at)).toBe(secret);
      }),
    );
  });

  test('opens in no other place', () => {
    fc.assert(
      fc.property(places, places, (at, elsewhere) => {
        fc.pre(JSON.stringify(at) !== JSON.stringify(elsewhere));
        expect(() => ring.open(ring.seal('secret', at), elsewhere)).toThrow(SealBrokenError);
      }),
    );
  });

  test.each([
    ['tenant', { ...place, tenantId: 'other' }],
    ['table', { ...place, table: 'agents' }],
    ['column', { ...place, column: 'channel/other' }],
    ['borders between the parts', { ...place, tenantId: 'tenantchannels', table: '' }],
  ])('is bound to its %s', (_, elsewhere) => {
    expect(() => ring.open(ring.seal('secret', place), elsewhere)).toThrow(SealBrokenError);
  });

  test('does not open once a byte of it was changed', () => {
    const sealed = ring.seal('secret', place);
    const body = Buffer.from(sealed.split('.')[2] ?? '', 'base64url');
    for (let index = 0; index < body.length; index++) {
      const changed = Buffer.from(body);
      changed.writeUInt8((changed.readUInt8(index) ^ 1) & 0xff, index);
      expect(() => ring.open(`v1.new.${changed.toString('base64url')}`, place)).toThrow(SealBrokenError);
    }
  });

  test.each([
    '',
    'v1',
    'v1.new',
    'v1.new.',
    'v1.new.AAAA',
    'v2.new.AAAA',
    'v1..AAAA',
    'plain text',
    'v1.none.AAAA',
  ])('is not this: %j', (sealed) => {
    expect(() => ring.open(sealed, place)).toThrow(SealBrokenError);
  });

  test('does not open when its tag was cut short', () => {
    const body = Buffer.from(ring.seal('secret', place).split('.')[2] ?? '', 'base64url');
    for (let cut = 1; cut < body.length; cut++) {
      const short = body.subarray(0, -cut).toString('base64url');
      expect(() => ring.open(`v1.new.${short}`, place)).toThrow(SealBrokenError);
    }
  });

  test('differs each time, and shows nothing of the secret', () => {
    const sealed = Array.from({ length: 100 }, () => ring.seal('secret', place));
    expect(new Set(sealed).size).toBe(100);
    expect(sealed.join('')).not.toContain('secret');
  });
});

describe('a ring', () => {
  test('seals with its first key and opens with any', () => {
    const before = createKeyRing([oldKey]).seal('secret', place);
    expect(before).toMatch(/^v1\.old\./);
    expect(ring.seal('secret', place)).toMatch(/^v1\.new\./);
    expect(ring.open(before, place)).toBe('secret');
  });

  test('does not open what a key of the same name but other bytes sealed', () => {
    const impostor = createKeyRing([{ id: 'new', bytes: randomBytes(32) }]);
    expect(() => impostor.open(ring.seal('secret', place), place)).toThrow(SealBrokenError);
  });

  test('names the missing key, never a secret', () => {
    const sealed = ring.seal('secret', place);
    const open = () => createKeyRing([oldKey]).open(sealed, place);
    expect(open).toThrow(/sealed with key "new"/);
    expect(open).not.toThrow(/secret"/);
  });

  test('needs a key', () => {
    expect(() => createKeyRing([])).toThrow(TypeError);
  });

  test('derives other bytes for each purpose and key, always the same ones', () => {
    const derived = [
      ring.derive('web-chat-token', 'new'),
      ring.derive('web-chat-token', 'old'),
      ring.derive('seal', 'new'),
      ring.derive('seal', 'old'),
    ].map((bytes) => Buffer.from(bytes ?? []).toString('hex'));
    expect(new Set(derived).size).toBe(4);
    expect(Buffer.from(ring.derive('seal', 'old') ?? []).toString('hex')).toBe(derived[3]);
    expect(ring.derive('seal', 'none')).toBeUndefined();
  });

  test('has check values that tell keys apart', () => {
    expect(ring.checkValue('new')).toBe(createKeyRing([newKey]).checkValue('new'));
    expect(ring.checkValue('new')).not.toBe(ring.checkValue('old'));
    const impostor = createKeyRing([{ id: 'new', bytes: randomBytes(32) }]);
    expect(impostor.checkValue('new')).not.toBe(ring.checkValue('new'));
    expect(ring.checkValue('none')).toBeUndefined();
  });
});

test('texts are compared as texts', () => {
  fc.assert(
    fc.property(fc.string(), fc.string(), (a, b) => {
      expect(equalInConstantTime(a, b)).toBe(a === b);
      expect(equalInConstantTime(a, a)).toBe(true);
    }),
  );
});
