import { type MessageAccepted, type MessagePage, messageRequest } from '@swarmgate/contract/web-chat.ts';
import type { Request, Response } from 'express';
import { fromWire, toWire } from '#domain/ids.ts';
import { ProblemError, tooManyRequests } from '#kernel/problem.ts';
import { type Authenticated, authenticate } from './authenticate.ts';
import { limitsOf, type WebChatParts } from './parts.ts';
import { readBody } from './read-body.ts';
import { toChatMessage } from './wire.ts';

/** `POST /chat/v1/messages`: 202 once the message is committed. The same id again answers the same and adds nothing. */
export function acceptMessage(parts: WebChatParts) {
  return async (request: Request, response: Response<MessageAccepted, Authenticated>): Promise<void> => {
    const { visitor, channel } = response.locals;
    const { id, text } = readBody(messageRequest, request.body);
    const limits = limitsOf(channel);
    if (text.length > limits.textLengthMax) {
      throw new ProblemError(
        413,
        'text_too_long',
        'Text too long',
        `The text has ${text.length} characters; at most ${limits.textLengthMax} are taken.`,
      );
    }
    if (text.trim() === '')
      throw new ProblemError(400, 'invalid_body', 'Invalid body', '"text": only white space.');
    const rate = await parts.rateLimit(
      `message/${visitor.tenantId}/${visitor.channelId}/${visitor.externalId}`,
      limits.messagesPerMinute,
    );
    if (!rate.allowed) throw tooManyRequests(rate.retryAfterMs, 'Too many messages.');

    const at = { tenantId: visitor.tenantId, channelId: visitor.channelId, platform: 'webchat' as const };
    const received = await parts.receive(at, {
      kind: 'message',
      conversationId: visitor.conversationId,
      conversationExternalId: visitor.conversationId,
      // The visitor is part of the key: an id that somebody else chose too is another message.
      key: `${visitor.conversationId}/${id.toLowerCase()}`,
      clientId: id.toLowerCase(),
      participant: { externalId: visitor.externalId, verified: visitor.verified, profile: visitor.profile },
      text,
      content: {},
    });
    if (!received) throw new TypeError('A message of the web chat is never ignored.');
    response.status(202).json({
      id: toWire('message', received.messageId),
      sequence: received.sequence,
      createdAt: received.createdAt.toISOString(),
    });
  };
}

const pageSizeMax = 200;
const pageSizeDefault = 50;

/** `GET /chat/v1/messages?after=&before=&limit=`: a piece of the transcript, in order. */
export function listMessages(parts: WebChatParts) {
  return async (request: Request, response: Response<MessagePage>): Promise<void> => {
    const { visitor } = await authenticate(parts, request);
    const after = readCount(request, 'after');
    const before = readCount(request, 'before');
    const limit = Math.min(readCount(request, 'limit') ?? pageSizeDefault, pageSizeMax);
    if (limit === 0) throw new ProblemError(400, 'invalid_query', 'Invalid query', '"limit": at least 1.');
    const range = {
      ...(after !== undefined && { after }),
      ...(before !== undefined && { before }),
      limit: limit + 1,
    };
    const found = await parts.transcripts.page(visitor, range);
    const hasMore = found.length > limit;
    // One too many was asked for; it is the farthest from where the page begins.
    const page = hasMore ? (after === undefined ? found.slice(1) : found.slice(0, limit)) : found;
    response.json({ messages: page.map(toChatMessage), hasMore });
  };
}

function readCount(request: Request, name: string): number | undefined {
  const value = request.query[name];
  if (value === undefined) return undefined;
  if (typeof value !== 'string' || !/^\d{1,15}$/.test(value)) {
    throw new ProblemError(
      400,
      'invalid_query',
      'Invalid query',
      `"${name}": a whole number that is not negative.`,
    );
  }
  return Number(value);
}

/** `POST /chat/v1/turns/{turnId}/cancel`: 202, also when the turn ends by itself at the same moment. */
export function cancelTurn(parts: WebChatParts) {
  return async (request: Request, response: Response): Promise<void> => {
    const { visitor } = await authenticate(parts, request);
    const turnId = fromWire('turn', String(request.params['turnId']));
    const cancelled = turnId !== undefined && (await parts.cancelTurn(visitor, turnId));
    if (!cancelled)
      throw new ProblemError(404, 'not_found', 'Not found', 'This conversation has no such turn at work.');
    response.status(202).json({});
  };
}
