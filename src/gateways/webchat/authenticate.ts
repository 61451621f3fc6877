import type { Request } from 'express';
import type { Uuid } from '#domain/ids.ts';
import { extendContext } from '#kernel/context.ts';
import { ProblemError } from '#kernel/problem.ts';
import type { OpenChannel } from '../journey.ts';
import { isAllowedOrigin } from './origins.ts';
import { refuseClosed, settingsOf, type WebChatParts } from './parts.ts';
import type { Visitor } from './tokens.ts';

export type Authenticated = { visitor: Visitor; channel: OpenChannel };

/**
 * Proves who calls: the session token, then the channel that it names, then the origin of the page if the browser says
 * one. @throws {ProblemError} 401 or 403
 */
export async function authenticate(
  parts: Pick<WebChatParts, 'tokens' | 'channels' | 'hosts'>,
  request: Request,
): Promise<Authenticated> {
  const { tokens, channels, hosts } = parts;
  const [scheme, token = ''] = (request.get('authorization') ?? '').split(' ');
  if (scheme?.toLowerCase() !== 'bearer')
    throw unauthorized('token_missing', 'Send the session token as "Authorization: Bearer …".');
  const check = await tokens.check('session', token);
  if (!check.ok) {
    const detail =
      check.reason === 'expired' ? 'The session token has expired.' : 'The session token is not valid.';
    throw unauthorized(`token_${check.reason}`, `${detail} Get a new one from POST /chat/v1/sessions.`);
  }
  const { visitor } = check;
  extendContext({ tenantId: visitor.tenantId, conversationId: visitor.conversationId });
  // On a tenant's own host there is nobody else's.
  const hostTenant = await hosts.tenantOf(request.hostname);
  const isElsewhere = hostTenant !== undefined && hostTenant !== visitor.tenantId;
  const channel = isElsewhere ? undefined : await channels.find(visitor.tenantId, visitor.channelId);
  if (!channel) throw unauthorized('token_invalid', 'The session token names a channel that is gone.');
  refuseClosed(channel);
  if (request.get('origin') === undefined) request.res?.removeHeader('Access-Control-Allow-Origin');
  else refuseOrigin(parts, request, channel, hostTenant);
  return { visitor, channel };
}

/**
 * What is answered from here on, only a page of this origin may read. A page of the tenant's own host may talk, whatever
 * else its channel allows. @throws {ProblemError} 403
 */
export function refuseOrigin(
  { hosts }: Pick<WebChatParts, 'hosts'>,
  request: Request,
  channel: OpenChannel,
  hostTenant: Uuid | undefined,
): void {
  const origin = request.get('origin');
  const isOwn = hostTenant === channel.tenantId && hosts.isOwnPage(origin, request.host);
  if (origin !== undefined && (isOwn || isAllowedOrigin(origin, settingsOf(channel).origins))) {
    request.res?.set({ 'Access-Control-Allow-Origin': origin, Vary: 'Origin' });
    return;
  }
  throw new ProblemError(
    403,
    'origin_not_allowed',
    'Origin not allowed',
    origin === undefined
      ? 'The request has no Origin header: sessions are begun by a browser, from a page of an allowed origin.'
      : `${origin.slice(0, 200)} is not among the origins of this channel; add it to the channel's "origins".`,
  );
}

function unauthorized(code: string, detail: string): ProblemError {
  return new ProblemError(401, code, 'Not authorized', detail, { 'WWW-Authenticate': 'Bearer' });
}
