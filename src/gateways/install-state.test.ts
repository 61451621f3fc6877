import { randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { newId } from '#domain/ids.ts';
import { createKeyRing } from '#kernel/key-ring.ts';
import { createStateSeal } from './install-state.ts';

const keyRing = createKeyRing([{ id: 'k.1', bytes: randomBytes(32) }]);
const seal = createStateSeal(keyRing, 'slack');
const tenantId = newId();
const shared = { channelKey: undefined };

describe('the state of an installation', () => {
  test('says which tenant it was begun for, and what is kept of it', () => {
    const { state, stateHash, browserSecret } = seal.begin(tenantId, shared);
    expect(seal.check(state, browserSecret, shared)).toEqual({ tenantId, stateHash });
    expect(stateHash).toMatch(/^[0-9a-f]{64}$/);
    expect(state).not.toContain(stateHash);
  });

  test('is another one each time', () => {
    const [one, other] = [seal.begin(tenantId, shared), seal.begin(tenantId, shared)];
    expect(one.state).not.toBe(other.state);
    expect(one.stateHash).not.toBe(other.stateHash);
    expect(one.browserSecret).not.toBe(other.browserSecret);
  });

  test('holds only in the browser that began it, and only at the address where it was begun', () => {
    const { state, browserSecret } = seal.begin(tenantId, { channelKey: 'ck_a' });
    expect(seal.check(state, browserSecret, { channelKey: 'ck_a' })).toBeDefined();
    expect(
      seal.check(state, seal.begin(tenantId, shared).browserSecret, { channelKey: 'ck_a' }),
    ).toBeUndefined();
    expect(seal.check(state, '', { channelKey: 'ck_a' })).toBeUndefined();
    expect(seal.check(state, browserSecret, { channelKey: 'ck_b' })).toBeUndefined();
    expect(seal.check(state, browserSecret, shared)).toBeUndefined();
  });

  test('is nothing once a byte of it was changed: tenant, nonce or seal', () => {
    const { state, browserSecret } = seal.begin(tenantId, shared);
    const [text = '', ...keyId] = state.split('.');
    const bytes = Buffer.from(text, 'base64url');
    for (let index = 0; index < bytes.length; index++) {
      const changed = Buffer.from(bytes);
      changed[index] = (changed[index] ?? 0) ^ 1;
      const forged = `${changed.toString('base64url')}.${keyId.join('.')}`;
      expect(seal.check(forged, browserSecret, shared)).toBeUndefined();
    }
  });

  test.each([
    '',
    '.',
    'abc',
    '.k.1',
    `${'A'.repeat(107)}.k.1`,
    `${'A'.repeat(107)}.none`,
    'A'.repeat(20_000),
  ])('is none of ours: %.20s', (state) => {
    expect(seal.check(state, 'secret', shared)).toBeUndefined();
  });

  test('of another installation is none of ours', () => {
    const other = createStateSeal(createKeyRing([{ id: 'k.1', bytes: randomBytes(32) }]), 'slack');
    const { state, browserSecret } = other.begin(tenantId, shared);
    expect(seal.check(state, browserSecret, shared)).toBeUndefined();
  });
});
