import type { Identity } from '#identity/identity.ts';
import type { Principal } from '#identity/principal.ts';
import { ProblemError } from '#kernel/problem.ts';
import { forbidden } from './refusals.ts';

/**
 * What is dear takes somebody who is there, and has shown a factor lately. Answers a function that refuses everybody else:
 * keys, and sessions and tokens that somebody may have found. `what` begins a sentence: "A tenant is closed".
 */
export function createRefuseAbsent(people: () => Pick<Identity, 'hasShownFactor'>, what: string) {
  /** @throws {ProblemError} 403 */
  return async ({ principal }: { principal: Principal }): Promise<void> => {
    if (principal.kind !== 'user')
      throw forbidden(`${what} by a person who is signed in, and not by an API key.`);
    if (!(await people().hasShownFactor(principal)))
      throw new ProblemError(
        403,
        'step_up_needed',
        'Forbidden',
        'Show a code of your second factor first (or sign in again, where you have none): it counts for ten minutes.',
      );
  };
}
