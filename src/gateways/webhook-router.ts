import express, { type NextFunction, type Request, type Response, Router } from 'express';
import { ProblemError } from '#kernel/problem.ts';
import type { Platform, RawRequest, WebhookGateway } from './gateway.ts';
import { WebhookRejectedError } from './gateway-error.ts';
import type { ReceiveWebhook } from './receive-webhook.ts';

/** A page of a gateway's own, for a person's browser: an installation. */
export type GatewayPage = (request: {
  endpoint: string;
  channelKey: string | undefined;
  url: URL;
  cookies: string | undefined;
}) => Promise<{ status: number; headers: Readonly<Record<string, string>>; body: string } | undefined>;

export type WebhookRouterParts = {
  gateways: readonly WebhookGateway[];
  pages: Partial<Record<Platform, GatewayPage>>;
  receiveWebhook: ReceiveWebhook;
  /** The address that platforms know us by. */
  publicUrl: () => string;
};

/** The largest body that any of the platforms sends is far below it. */
const bodyBytesMax = 1_048_576;
const channelKeyForm = /^[a-z]{2}_[A-Za-z0-9_-]{3,80}$/;

/**
 * `/webhooks/<platform>/<endpoint>` for the environment's shared app, `/webhooks/<platform>/<channel key>/<endpoint>` for
 * an app of a tenant's own. To be mounted at the root: signatures are over the whole address.
 */
export function webhookRoutes({ gateways, pages, receiveWebhook, publicUrl }: WebhookRouterParts): Router {
  const byPlatform = new Map<string, WebhookGateway>(gateways.map((gateway) => [gateway.platform, gateway]));
  const pageOf = new Map<string, GatewayPage>(Object.entries(pages));
  const router = Router();

  router.post(
    ['/webhooks/:platform{/:channelKey}/:endpoint', ...Object.keys(aliases)],
    // As it came: the signature is over these bytes. Platforms do not compress.
    express.raw({ type: () => true, limit: bodyBytesMax, inflate: false }),
    async (request: Request, response: Response, next: NextFunction) => {
      const { platform, channelKey, endpoint } = addressOf(request);
      const gateway = byPlatform.get(platform);
      if (!gateway?.endpoints.includes(endpoint) || isNoKey(channelKey)) return next();
      const body = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
      if (body.length > gateway.bodyBytesMax)
        throw new ProblemError(
          413,
          'body_too_large',
          'Body too large',
          'The body is larger than this call takes.',
        );
      const raw: RawRequest = {
        method: request.method,
        urls: urlsOf(request, publicUrl()),
        endpoint,
        headers: request.headers,
        body,
      };
      const handled = await receiveWebhook.receive(gateway, channelKey, raw).catch(explainRejection);
      if (!handled) return next();
      response.status(handled.reply.status).type(handled.reply.contentType).send(handled.reply.body);
      await handled.afterwards?.();
    },
  );

  router.get('/webhooks/:platform{/:channelKey}/:endpoint', async (request, response, next) => {
    const { platform, channelKey, endpoint } = addressOf(request);
    const page = pageOf.get(platform);
    if (!page || isNoKey(channelKey)) return next();
    const url = new URL(`${publicUrl()}${request.originalUrl}`);
    const answer = await page({ endpoint, channelKey, url, cookies: request.get('cookie') });
    if (!answer) return next();
    response
      .status(answer.status)
      .set({ 'Cache-Control': 'no-store', ...answer.headers })
      .send(answer.body);
  });
  return router;
}

/** Where a platform's own guides put the shared app. */
const aliases: Readonly<Record<string, { platform: Platform; endpoint: string }>> = {
  '/api/messages': { platform: 'teams', endpoint: 'messages' },
};

function addressOf({ params, path }: Request): {
  platform: string;
  channelKey: string | undefined;
  endpoint: string;
} {
  const alias = aliases[path];
  if (alias) return { ...alias, channelKey: undefined };
  const { platform, channelKey, endpoint } = params as Record<string, string | undefined>;
  return { platform: platform ?? '', channelKey, endpoint: endpoint ?? '' };
}

function isNoKey(channelKey: string | undefined): boolean {
  return channelKey !== undefined && !channelKeyForm.test(channelKey);
}

function urlsOf(request: Request, publicUrl: string): string[] {
  const known = `${publicUrl}${request.originalUrl}`;
  const said = `${request.protocol}://${request.host}${request.originalUrl}`;
  return said === known ? [known] : [known, said];
}

function explainRejection(error: unknown): never {
  if (!(error instanceof WebhookRejectedError)) throw error;
  if (error.status === 403)
    throw new ProblemError(403, error.code, 'Not allowed', 'This call may not say what it says.');
  throw new ProblemError(401, error.code, 'Not authorized', 'This call is not signed as it must be.');
}
