import { webChatDefaults } from '@swarmgate/contract/web-chat.ts';
import express, { type NextFunction, type Request, type Response, Router } from 'express';
import { authenticate } from './authenticate.ts';
import { streamEvents } from './events.ts';
import { acceptMessage, cancelTurn, listMessages } from './messages.ts';
import { limitsOf, type WebChatParts } from './parts.ts';
import { beginConversation, beginSession } from './sessions.ts';

/** The web chat wire, to be mounted at `/chat/v1`. */
export function webChatRoutes(parts: WebChatParts): Router {
  const router = Router();
  router.use(allowAnyOrigin);
  router.post('/sessions', express.json({ limit: webChatDefaults.bodyBytesMax }), beginSession(parts));
  router.post('/conversations', beginConversation(parts));
  // The token comes before the body, because the body's bound is its tenant's.
  router.post('/messages', authenticateFirst(parts), acceptMessage(parts));
  router.get('/messages', listMessages(parts));
  router.get('/events', streamEvents(parts));
  router.post('/turns/:turnId/cancel', cancelTurn(parts));
  return router;
}

// No cookie counts here, so any page may ask, and read why it is refused. Whether it may talk is decided by the channel's
// origins, on the server, once the channel is known; from then on only a page of that origin reads the answers.
function allowAnyOrigin(request: Request, response: Response, next: NextFunction): void {
  response.set({
    'Access-Control-Allow-Origin': '*',
    'Access-Control-Expose-Headers': 'Retry-After, RateLimit',
    'Cross-Origin-Resource-Policy': 'cross-origin',
    'Cache-Control': 'no-store',
  });
  if (request.method !== 'OPTIONS') {
    next();
    return;
  }
  response.set({
    'Access-Control-Allow-Methods': 'GET, POST',
    'Access-Control-Allow-Headers': 'Authorization, Content-Type, Last-Event-ID',
    'Access-Control-Max-Age': '7200',
  });
  response.sendStatus(204);
}

function authenticateFirst(parts: WebChatParts) {
  return async (request: Request, response: Response, next: NextFunction): Promise<void> => {
    const authenticated = await authenticate(parts, request);
    Object.assign(response.locals, authenticated);
    express.json({ limit: limitsOf(authenticated.channel).bodyBytesMax })(request, response, next);
  };
}
