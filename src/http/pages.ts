import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import compression from 'compression';
import express, { type Response, Router } from 'express';

export type PagesParts = {
  /** The built widget: widget.js, app-<hash>.js, demo/. */
  directory: string;
  /** Whether the demo tenant is here for the demo page to talk to. */
  hasDemo: () => Promise<boolean>;
  /** What the host that is asked leads to: a tenant's web chat, a tenant without one, or the installation. */
  hostLeadsTo: (host: string | undefined) => Promise<'chat' | 'nothing' | 'installation'>;
};

const demoPolicy = [
  "default-src 'self'",
  "object-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "connect-src 'self'",
  "img-src 'self' data:",
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

/** `/widget.js` and what it loads, for pages of any origin, and the demo page at `/`. */
export function pageRoutes({ directory, hasDemo, hostLeadsTo }: PagesParts): Router {
  const router = Router();
  router.use(compression());
  const forAnyPage = (response: Response) => {
    response.set({ 'Access-Control-Allow-Origin': '*', 'Cross-Origin-Resource-Policy': 'cross-origin' });
  };

  router.get('/widget.js', (_request, response) => {
    forAnyPage(response);
    response.set('Cache-Control', 'public, max-age=300').sendFile(join(directory, 'widget.js'));
  });
  router.use(
    '/widget',
    express.static(directory, { index: false, immutable: true, maxAge: '1y', setHeaders: forAnyPage }),
  );
  router.use(
    '/demo',
    express.static(join(directory, 'demo'), {
      index: false,
      maxAge: '5m',
      // Its pages of documentation load what the demo page loads.
      setHeaders: (response) => response.setHeader('Content-Security-Policy', demoPolicy),
    }),
  );
  router.get('/', async (request, response, next) => {
    const leadsTo = await hostLeadsTo(request.hostname);
    const isPage = leadsTo === 'chat' || (leadsTo === 'installation' && (await hasDemo()));
    if (!isPage) return next();
    response.set({ 'Content-Security-Policy': demoPolicy, 'Cache-Control': 'no-cache' });
    const page = leadsTo === 'chat' ? 'chat.html' : 'index.html';
    response.type('html').send(readFileSync(join(directory, 'demo', page)));
  });
  return router;
}
