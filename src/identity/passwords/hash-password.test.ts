import { hash } from '@node-rs/argon2';
import { describe, expect, test } from 'vitest';
import { checkPassword, hashPassword } from './hash-password.ts';

const password = 'a quiet boat upstream';

describe('a password', () => {
  test('fits its own hash, and no other does', async () => {
    const kept = await hashPassword(password);
    expect(kept).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
    expect(await checkPassword(kept, password)).toEqual({ matches: true, isOutdated: false });
    for (const other of ['', `${password} `, password.toUpperCase(), `${password}\u0000`])
      expect((await checkPassword(kept, other)).matches).toBe(false);
    expect(await hashPassword(password)).not.toBe(kept);
  });

  test('is the same on every keyboard', async () => {
    const kept = await hashPassword('ein Käse-Ö-Schloß'.normalize('NFD'));
    expect((await checkPassword(kept, 'ein Käse-Ö-Schloß'.normalize('NFC'))).matches).toBe(true);
  });

  test('fits a hash of other parameters, which is then outdated', async () => {
    const weak = await hash(password, { memoryCost: 4_096, timeCost: 1, parallelism: 1 });
    expect(await checkPassword(weak, password)).toEqual({ matches: true, isOutdated: true });
  });

  test('fits nothing where there is no hash, and that takes as long', async () => {
    for (const any of ['', password, 'nobody has this password', 'x'.repeat(100_000)])
      expect(await checkPassword(undefined, any)).toEqual({ matches: false, isOutdated: false });
    const timeOf = async (kept: string | undefined) => {
      const startedAt = performance.now();
      for (let count = 0; count < 5; count++) await checkPassword(kept, password);
      return performance.now() - startedAt;
    };
    const kept = await hashPassword('another quiet boat');
    const [somebody, nobody] = [await timeOf(kept), await timeOf(undefined)];
    // As an order of magnitude: a hash that was left out would cost a thousandth.
    expect(nobody).toBeGreaterThan(somebody / 5);
  });

  test('of a megabyte is not hashed, and fits nothing', async () => {
    const kept = await hashPassword(password);
    expect((await checkPassword(kept, 'x'.repeat(1_000_000))).matches).toBe(false);
  });
});
