import { Router } from 'express';
import type { Identity } from '#identity/identity.ts';

/** `/.well-known/jwks.json`: the public keys of access tokens, for whoever wants to check one (RFC 7517). */
export function jwksRoute(people: () => Pick<Identity, 'publishedKeys'>): Router {
  const router = Router();
  router.get('/.well-known/jwks.json', async (_request, response) => {
    response.set('Cache-Control', 'public, max-age=300').json(await people().publishedKeys());
  });
  return router;
}
