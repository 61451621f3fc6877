import { isMuchUsed } from './common-passwords.ts';

/** Why a password is not taken. */
export type PasswordFault = 'too_short' | 'too_long' | 'too_common' | 'like_the_account';

const passwordLengthMin = 12;
/** Long enough for any sentence; what is hashed is bounded. */
export const passwordLengthMax = 256;
const distinctCharactersMin = 5;

/**
 * Length is what counts; which kinds of characters are in it does not (NIST SP 800-63B §3.1.1.2, ASVS 5.0 V6.2). Refused is
 * what is tried first: what many have, also said twice or with digits beside it, what repeats itself or runs along the
 * keyboard, and what stands in the address.
 */
export function judgePassword(
  password: string,
  account: { email: string; name?: string },
): PasswordFault | undefined {
  const characters = [...password.normalize('NFKC')];
  if (characters.length < passwordLengthMin) return 'too_short';
  if (characters.length > passwordLengthMax) return 'too_long';
  const plain = lettersAndDigits(password);
  if (
    new Set(characters).size < distinctCharactersMin ||
    commonParts.some((part) => isMostly(plain, part)) ||
    isRun(plain) ||
    isRepetition(plain) ||
    isMadeOfMuchUsed(password)
  )
    return 'too_common';
  const [local = '', domain = ''] = account.email.split('@');
  const own = [account.email, local, domain, domain.split('.')[0] ?? '', account.name ?? ''];
  return own.some((part) => isMostly(plain, lettersAndDigits(part))) ? 'like_the_account' : undefined;
}

// What stands in the lists of the most used passwords, in the forms that reach twelve characters; ours besides.
const commonParts =
  'password passwort motdepasse contrasena letmein welcome changeme iloveyou qwerty qwertyuiop azerty administrator admin monkey dragon football baseball superman trustno1 sunshine princess starwars whatever correcthorsebatterystaple swarmgate chatgateway'.split(
    ' ',
  );

/** What others may stand beside a common part and yet add nothing that is not tried. */
const decorationMax = 6;

function isMostly(plain: string, part: string): boolean {
  if (part.length < 4 || !plain.includes(part)) return false;
  return plain.replaceAll(part, '').length <= decorationMax;
}

// Few of those that are used most have twelve characters; what people make of the others when they must is tried next.
function isMadeOfMuchUsed(password: string): boolean {
  const lower = password.normalize('NFKC').toLowerCase();
  if (isMuchUsed(lower) || isMuchUsed(bare(lower))) return true;
  const word = lower.replace(/^[^\p{L}]+|[^\p{L}]+$/gu, '');
  if (bare(lower).length - bare(word).length > decorationMax) return false;
  return [bare(word), lettersAndDigits(word)].some((text) =>
    isMuchUsed(/^(.{4,}?)\1+$/u.exec(text)?.[1] ?? text),
  );
}

const runs = [
  'abcdefghijklmnopqrstuvwxyz',
  '01234567890123456789',
  'qwertyuiopasdfghjklzxcvbnm',
  '1qaz2wsx3edc4rfv5tgb',
];

function isRun(plain: string): boolean {
  const backwards = [...plain].reverse().join('');
  return runs.some((run) => run.includes(plain) || run.includes(backwards));
}

function isRepetition(plain: string): boolean {
  return /^(.{1,6})\1+.{0,5}$/u.test(plain) && new Set(plain).size <= 6;
}

// `P@ssw0rd` is tried with `password`.
const lookalikes: Readonly<Record<string, string>> = {
  '@': 'a',
  '4': 'a',
  '0': 'o',
  '3': 'e',
  $: 's',
  '5': 's',
};

function lettersAndDigits(text: string): string {
  const lower = text.normalize('NFKC').toLowerCase();
  const isAllDigits = /^\d+$/.test(lower);
  const read = isAllDigits ? lower : lower.replace(/[@403$5]/g, (sign) => lookalikes[sign] ?? sign);
  return bare(read);
}

function bare(text: string): string {
  return text.replace(/[^\p{L}\p{N}]/gu, '');
}
