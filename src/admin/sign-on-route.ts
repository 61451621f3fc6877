import { type Request, type Response, Router } from 'express';
import { fromWire, type Uuid } from '#domain/ids.ts';
import type { Identity } from '#identity/identity.ts';
import { networkOf } from '#kernel/network-of.ts';
import { tooManyRequests } from '#kernel/problem.ts';
import { clientOf } from './answer-person.ts';
import type { CountCalls } from './api-parts.ts';
import { keepCookie, readCookie } from './credentials.ts';
import { notFound } from './refusals.ts';

const callsPerMinute = 60;

/**
 * `/sso/{connection}/callback`: where identity providers send people back to. It is a page and no call of the API, since a
 * browser comes here by itself; it ends on one of our own pages, signed in or at the question for the second factor.
 */
export function signOnRoute({
  people,
  countCalls,
  hostTenant,
}: {
  people: () => Pick<Identity, 'signOn' | 'cookie' | 'findSession' | 'revokeSessions'>;
  countCalls: CountCalls;
  /** Whose host is asked; `undefined`: the installation's own. */
  hostTenant: (request: Request) => Promise<Uuid | undefined>;
}): Router {
  // As with every other sign-in: one session in this browser, and not one more that nobody knows of.
  async function endBefore(request: Request, sessionId: string): Promise<void> {
    const { cookie, findSession, revokeSessions } = people();
    const token = readCookie(request, cookie.name);
    const before = token === undefined ? undefined : await findSession(token);
    if (before && before.id !== sessionId)
      await revokeSessions(before, { only: before.id }, clientOf(request));
  }

  const router = Router();
  router.get('/sso/:connection/callback', async (request: Request, response: Response) => {
    response.set('Cache-Control', 'no-store');
    if ((await hostTenant(request)) !== undefined) throw notFound();
    const count = await countCalls(`sign-on ${networkOf(request.ip ?? '')}`, callsPerMinute);
    if (!count.allowed) throw tooManyRequests(count.retryAfterMs, 'That was too much at once.');
    const { signOn, cookie } = people();
    const connectionId = fromWire('signOnConnection', String(request.params['connection']));
    const browserToken = readCookie(request, signOn.cookie.name);
    const { searchParams: answer } = new URL(request.originalUrl, 'http://localhost');
    const finished = connectionId
      ? await signOn.finish({ connectionId, browserToken, answer }, clientOf(request))
      : ({ outcome: 'refused' } as const);
    // Kept otherwise: whoever leads a browser here with something else ends no sign-in of its person.
    if ('returnPath' in finished) keepCookie(response, signOn.cookie, 'ended');
    switch (finished.outcome) {
      case 'signed_in':
        keepCookie(response, cookie, finished.session);
        await endBefore(request, finished.session.id);
        response.redirect(303, finished.returnPath);
        return;
      case 'second_factor':
        // Behind the #, which no server is sent: the page reads it there, and it is good with a code only.
        response.redirect(303, `${finished.returnPath}#second-factor=${finished.challenge}`);
        return;
      case 'refused':
        sendPage(
          response,
          403,
          'That sign-in came to nothing. Begin anew; your administrator finds out why.',
        );
        return;
      case 'unavailable':
        sendPage(response, 503, 'The identity provider did not answer as it should. Try again in a moment.');
        return;
    }
  });
  return router;
}

// A person looks at this. No script, no style, and nothing of what came with the request.
function sendPage(response: Response, status: number, text: string): void {
  response
    .status(status)
    .type('html')
    .send(
      `<!doctype html><html lang="en"><meta charset="utf-8"><title>Signing in</title><p>${text}</p><p><a href="/">Go on</a></p></html>`,
    );
}
