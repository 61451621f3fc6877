import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Uuid } from '#domain/ids.ts';
import { scrub } from '#kernel/scrub.ts';
import { hashOfKey, makeKey, parseKey } from './key-format.ts';

const tenants = fc.uuid().map((uuid) => uuid.toLowerCase() as Uuid);

describe('a key', () => {
  test('names its tenant and its prefix', () => {
    fc.assert(
      fc.property(tenants, (tenantId) => {
        const { key, prefix, hash } = makeKey(tenantId);
        expect(parseKey(key)).toEqual({ tenantId, prefix });
        expect(key).toMatch(/^sgk_[0-9A-Za-z]{73}$/);
        expect(key.startsWith(`sgk_${prefix}`)).toBe(true);
        expect(hashOfKey(key)).toEqual(hash);
      }),
    );
  });

  test('is nobody else’s', () => {
    const tenantId = '0198c0de-0000-7000-8000-000000000001' as Uuid;
    const keys = Array.from({ length: 1_000 }, () => makeKey(tenantId));
    expect(new Set(keys.map(({ key }) => key)).size).toBe(1_000);
    expect(new Set(keys.map(({ prefix }) => prefix)).size).toBe(1_000);
  });

  test('is taken out of a log line', () => {
    fc.assert(
      fc.property(tenants, (tenantId) => {
        expect(scrub(`with ${makeKey(tenantId).key}!`)).toBe('with [secret]!');
      }),
    );
  });
});

describe('what is no key', () => {
  test.each([
    '',
    'sgk_',
    'sgk_short',
    `sgk_${'a'.repeat(72)}`,
    `sgk_${'a'.repeat(74)}`,
    `sgk_${'-'.repeat(73)}`,
    `SGK_${'a'.repeat(73)}`,
    `sgk_${'a'.repeat(73)}\n`,
  ])('%j', (text) => expect(parseKey(text)).toBeUndefined());

  test('is a tenant beyond 128 bits', () => {
    expect(parseKey(`sgk_${'a'.repeat(8)}${'z'.repeat(22)}${'a'.repeat(43)}`)).toBeUndefined();
  });

  test('is any other text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(parseKey(text)).toBeUndefined();
      }),
    );
  });
});
