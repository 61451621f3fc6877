import { Secret } from 'otpauth';
import { describe, expect, test } from 'vitest';
import { newTotpSecret, stepOfCode, totpUri } from './totp-code.ts';

const secretOf = (ascii: string) => Secret.fromUTF8(ascii).base32;
const seeds = {
  SHA1: secretOf('12345678901234567890'),
  SHA256: secretOf('12345678901234567890123456789012'),
  SHA512: secretOf('1234567890123456789012345678901234567890123456789012345678901234'),
};

/** RFC 6238, appendix B. */
const vectors = [
  [59, { SHA1: '94287082', SHA256: '46119246', SHA512: '90693936' }],
  [1_111_111_109, { SHA1: '07081804', SHA256: '68084774', SHA512: '25091201' }],
  [1_111_111_111, { SHA1: '14050471', SHA256: '67062674', SHA512: '99943326' }],
  [1_234_567_890, { SHA1: '89005924', SHA256: '91819424', SHA512: '93441116' }],
  [2_000_000_000, { SHA1: '69279037', SHA256: '90698825', SHA512: '38618901' }],
  [20_000_000_000, { SHA1: '65353130', SHA256: '77737706', SHA512: '47863826' }],
] as const;

describe('a code', () => {
  test.each(vectors)('of RFC 6238 at second %d is of its step', (seconds, codes) => {
    for (const algorithm of ['SHA1', 'SHA256', 'SHA512'] as const)
      expect(stepOfCode(seeds[algorithm], codes[algorithm], seconds * 1_000, { algorithm, digits: 8 })).toBe(
        Math.floor(seconds / 30),
      );
  });

  test('is good one step early and one late, and no farther', () => {
    const [seconds, { SHA1: code }] = vectors[2];
    const at = (away: number) => stepOfCode(seeds.SHA1, code, (seconds + away * 30) * 1_000, { digits: 8 });
    expect([-2, -1, 0, 1, 2].map((away) => at(away) !== undefined)).toEqual([false, true, true, true, false]);
    expect(at(-1)).toBe(at(1));
  });

  test.each(['', '94287', '942870822', '9428708x', '९४२८७०८२', '-4287082', '9428.082', '1e7'])(
    'is none when it is not its digits: "%s"',
    (code) => {
      expect(stepOfCode(seeds.SHA1, code, 59_000, { digits: 8 })).toBeUndefined();
    },
  );

  test('may be typed in groups', () => {
    expect(stepOfCode(seeds.SHA1, ' 9428 70-82 ', 59_000, { digits: 8 })).toBe(1);
  });
});

test('a secret has 160 bits, and its address is what apps read', () => {
  const secret = newTotpSecret();
  expect(Secret.fromBase32(secret).bytes).toHaveLength(20);
  expect(secret).not.toBe(newTotpSecret());
  const uri = new URL(totpUri(secret, { issuer: 'Swarmgate', account: 'ann@acme.example' }));
  expect([uri.protocol, uri.host, decodeURIComponent(uri.pathname)]).toEqual([
    'otpauth:',
    'totp',
    '/Swarmgate:ann@acme.example',
  ]);
  expect(uri.searchParams.get('secret')).toBe(secret);
});
