import type { FoundSession, Identity } from '#identity/identity.ts';
import { forbidden } from './refusals.ts';

/**
 * What an account signs in with is good wherever it belongs: no organization's provider decides over that for another.
 * Answers a function that refuses a session which came by one, where the account belongs elsewhere too.
 */
export function createRefuseForeign(people: () => Pick<Identity, 'mayChangeAccount'>) {
  /** @throws {ProblemError} 403 */
  return async (session: FoundSession): Promise<void> => {
    if (!(await people().mayChangeAccount(session)))
      throw forbidden(
        'The account belongs elsewhere too: sign in with its password to change what it signs in with.',
      );
  };
}
