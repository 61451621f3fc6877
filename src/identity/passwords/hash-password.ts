import { hash, verify } from '@node-rs/argon2';
import { passwordLengthMax } from './judge-password.ts';

/**
 * argon2id (2, which is what its algorithm is called; a const enum of the package cannot be named in erasable TypeScript),
 * as OWASP has it: 19 MiB, two passes, one lane. About 9 ms.
 */
const parameters = { algorithm: 2, memoryCost: 19_456, timeCost: 2, parallelism: 1 } as const;
const ownBeginning = '$argon2id$v=19$m=19456,t=2,p=1$';
/** Nobody's: there is no password that it was made from. */
const decoy = `${ownBeginning}${'A'.repeat(22)}$${'A'.repeat(43)}`;

export function hashPassword(password: string): Promise<string> {
  return hash(prepare(password), parameters);
}

export type PasswordCheck = {
  matches: boolean;
  /** It was hashed with other parameters than today's. */
  isOutdated: boolean;
};

/**
 * Whether a password is the one of a hash. Without a hash (nobody has that address, or no password) it takes as long and
 * does not match.
 */
export async function checkPassword(kept: string | undefined, password: string): Promise<PasswordCheck> {
  // What is too long for any password is not worth hashing in full, but takes its time all the same.
  const isPossible = password.length <= 2 * passwordLengthMax;
  const matches = await verify(kept ?? decoy, isPossible ? prepare(password) : '');
  return {
    matches: matches && isPossible && kept !== undefined,
    isOutdated: kept !== undefined && !kept.startsWith(ownBeginning),
  };
}

// The same text typed on two keyboards may be other code points (NIST SP 800-63B §3.1.1.2).
function prepare(password: string): string {
  return password.normalize('NFKC');
}
