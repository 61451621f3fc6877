import { describe, expect, test } from 'vitest';
import { judgePassword } from './judge-password.ts';

const ann = { email: 'ann.baker@acme.example', name: 'Ann Baker' };

describe('a password', () => {
  test.each([
    'a quiet boat upstream',
    'tqmw-lrzp-nvke',
    'ÄpfelUndBirnen im Korb',
    '鳥が飛ぶ空は青いですよね今',
    '9f8a2c7be1d3',
    'jordan shovels gravel',
    'unbelievable marmots',
  ])('is taken for its length, whatever is in it: %s', (password) => {
    expect(judgePassword(password, ann)).toBeUndefined();
  });

  test.each([
    ['', 'too_short'],
    ['elevenchars', 'too_short'],
    ['Aa1!Aa1!', 'too_short'],
    [`${'long '.repeat(60)}end`, 'too_long'],
    ['password1234', 'too_common'],
    ['P@ssw0rd2026!', 'too_common'],
    ['Swarmgate2026', 'too_common'],
    ['qwertyuiopas', 'too_common'],
    ['123456789012', 'too_common'],
    ['aaaaaaaaaaaaaa', 'too_common'],
    ['abcabcabcabcabc', 'too_common'],
    ['correct horse battery staple', 'too_common'],
    ['needforspeed', 'too_common'],
    ['SonyEricsson!', 'too_common'],
    ['michelle202612', 'too_common'],
    ['2026-jennifer-!', 'too_common'],
    ['JordanJordan', 'too_common'],
    ['Alex4nder-2026', 'too_common'],
    ['ann.baker@acme.example', 'like_the_account'],
    ['annbaker2026!', 'like_the_account'],
    ['acme.example.1', 'like_the_account'],
  ])('is refused when it is what is tried first: %s', (password, fault) => {
    expect(judgePassword(password, ann)).toBe(fault);
  });

  test('counts characters as people do, not code units', () => {
    expect(judgePassword('🐟🐠🐡🦐🦑🐙', ann)).toBe('too_short');
  });
});
