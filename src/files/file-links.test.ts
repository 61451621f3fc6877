import { randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { newId } from '#domain/ids.ts';
import { createKeyRing } from '#kernel/key-ring.ts';
import { createFileLinks } from './file-links.ts';

const oldKey = { id: 'old', bytes: randomBytes(32) };
const newKey = { id: 'new-1', bytes: randomBytes(32) };
const target = { tenantId: newId(), fileId: newId() };
const startedAt = 1_800_000_000_000;
let now = startedAt;

const linksOver = (...keys: { id: string; bytes: Buffer }[]) =>
  createFileLinks(
    createKeyRing(keys),
    () => 'https://chat.example',
    () => now,
  );

const links = linksOver(newKey, oldKey);

function aToken(by = links, ttlMs = 60_000): string {
  now = startedAt;
  return by.sign({ ...target, ttlMs }).slice('https://chat.example/files/'.length);
}

describe('a link', () => {
  test('is an address of ours that leads to its file', () => {
    const url = links.sign({ ...target, ttlMs: 60_000 });
    expect(url).toMatch(/^https:\/\/chat\.example\/files\/[A-Za-z0-9_-]{90,130}$/);
    expect(links.check(url.split('/').at(-1) ?? '')).toEqual(target);
  });

  test('leads there until its time is over, and not a millisecond longer', () => {
    const token = aToken();
    now = startedAt + 59_999;
    expect(links.check(token)).toEqual(target);
    now = startedAt + 60_000;
    expect(links.check(token)).toBeUndefined();
  });

  test('is good as long as its key is in the ring', () => {
    const token = aToken(linksOver(oldKey));
    expect(links.check(token)).toEqual(target);
    expect(linksOver(newKey).check(token)).toBeUndefined();
  });

  test('of a key with the same name and other bytes is none', () => {
    expect(links.check(aToken(linksOver({ id: newKey.id, bytes: randomBytes(32) })))).toBeUndefined();
  });

  test('changed in any one bit leads nowhere', () => {
    const bytes = Buffer.from(aToken(), 'base64url');
    for (let bit = 0; bit < bytes.byteLength * 8; bit++) {
      const changed = Buffer.from(bytes);
      changed.writeUInt8(changed.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
      expect(links.check(changed.toString('base64url'))).toBeUndefined();
    }
  });

  test.each([
    ['nothing', () => ''],
    ['a part of one', () => aToken().slice(0, -1)],
    ['one with more behind', () => `${aToken()}A`],
    ['one in another spelling', () => `${aToken()}=`],
    ['one with a space', () => `${aToken()} `],
    ['one that is endless', () => aToken().repeat(1_000)],
    ['letters', () => 'a'.repeat(105)],
    ['no letters', () => '\u{1F600}'.repeat(60)],
  ])('%s leads nowhere', (_, token) => {
    expect(links.check(token())).toBeUndefined();
  });

  test('lives for a while, or is not made', () => {
    for (const ttlMs of [0, -1, Number.NaN])
      expect(() => links.sign({ ...target, ttlMs })).toThrow(TypeError);
  });
});
