import type { Identity } from '#identity/identity.ts';
import { ProblemError, tooManyRequests } from '#kernel/problem.ts';
import { forbidden, unauthorized } from './refusals.ts';

/** What a sign-in is answered, by whichever way it came. */

type SignInOutcome = Awaited<ReturnType<Identity['signIn']>>;

/** After a first factor. @throws {ProblemError} 401 or 429 */
export function showSignIn(signedIn: SignInOutcome) {
  switch (signedIn.outcome) {
    case 'signed_in':
      return showSignedIn(signedIn);
    case 'second_factor': {
      const { outcome, challenge, expiresInMs, methods } = signedIn;
      const expiresInSeconds = Math.floor(expiresInMs / 1_000);
      return { body: { outcome, challenge, expiresInSeconds, methods: [...methods] } };
    }
    case 'single_sign_on':
      return refuseSignOn();
    default:
      return refuseSignIn(signedIn);
  }
}

/** What was shown is right, and counts for nothing with the organization. @throws {ProblemError} 403 */
export function refuseSignOn(): never {
  throw new ProblemError(
    403,
    'single_sign_on_required',
    'Single sign-on required',
    'The organization takes no passwords and passkeys: sign in by its single sign-on.',
  );
}

/** With a session, for the browser to keep. */
export function showSignedIn({
  session,
  mustAddSecondFactor = false,
}: Pick<Extract<SignInOutcome, { outcome: 'signed_in' }>, 'session'> & { mustAddSecondFactor?: boolean }) {
  const expiresAt = session.expiresAt.toISOString();
  return { body: { outcome: 'signed_in', expiresAt, mustAddSecondFactor } as const, session };
}

/** The same for whatever it was that did not fit. @throws {ProblemError} 401 or 429 */
export function refuseSignIn(
  refused: { outcome: 'refused' } | { outcome: 'blocked'; retryAfterMs: number },
): never {
  if (refused.outcome === 'blocked')
    throw tooManyRequests(refused.retryAfterMs, 'Too many attempts have failed.');
  throw unauthorized('sign_in_refused', 'What was given does not fit together, or is good no more.');
}

/** What is dear takes a factor that was shown lately. */
export function notFresh(): ProblemError {
  return forbidden('Show the second factor once more, or sign in anew, and try within ten minutes.');
}
