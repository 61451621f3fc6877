import { type SessionRequest, type SessionResponse, sessionRequest } from '@swarmgate/contract/web-chat.ts';
import type { Request, Response } from 'express';
import { newId, toWire, type Uuid } from '#domain/ids.ts';
import { extendContext } from '#kernel/context.ts';
import { networkOf } from '#kernel/network-of.ts';
import { ProblemError, tooManyRequests } from '#kernel/problem.ts';
import type { OpenChannel } from '../journey.ts';
import { authenticate, refuseOrigin } from './authenticate.ts';
import { limitsOf, refuseClosed, settingsOf, type WebChatParts } from './parts.ts';
import { readBody } from './read-body.ts';
import type { Visitor } from './tokens.ts';

/**
 * `POST /chat/v1/sessions`: who the visitor is, and which conversation is open to them. Writes nothing: a page view
 * leaves no row, the first message makes them.
 */
export function beginSession(parts: WebChatParts) {
  return async (request: Request, response: Response): Promise<void> => {
    const body = readBody(sessionRequest, request.body);
    const hostTenant = await parts.hosts.tenantOf(request.hostname);
    const channel = await findChannel(parts, body.key, hostTenant);
    extendContext({ tenantId: channel.tenantId });
    refuseOrigin(parts, request, channel, hostTenant);
    refuseClosed(channel);
    await limitSessions(parts, channel, request);
    const visitor = await recognise(parts, channel, body);
    response.status(201).json(await describeSession(parts, channel, visitor));
  };
}

/** `POST /chat/v1/conversations`: the same visitor, a new conversation. */
export function beginConversation(parts: WebChatParts) {
  return async (request: Request, response: Response): Promise<void> => {
    const { visitor, channel } = await authenticate(parts, request);
    await limitSessions(parts, channel, request);
    response.status(201).json(await describeSession(parts, channel, { ...visitor, conversationId: newId() }));
  };
}

/** By the key that the page brings, or on a tenant's own host by that. There is no other tenant's on it. */
async function findChannel(
  { channels, hosts }: WebChatParts,
  key: string | undefined,
  hostTenant: Uuid | undefined,
): Promise<OpenChannel> {
  if (key === undefined && hostTenant === undefined)
    throw new ProblemError(400, 'invalid_body', 'Invalid body', '"key": the key of a web chat channel.');
  const channel =
    key === undefined
      ? hostTenant && (await hosts.webChatOf(hostTenant))
      : await channels.findByKey('webchat', key);
  if (channel && (hostTenant === undefined || channel.tenantId === hostTenant)) return channel;
  throw key === undefined
    ? new ProblemError(404, 'no_channel', 'No channel', 'This host leads to no web chat.')
    : new ProblemError(
        404,
        'unknown_key',
        'Unknown key',
        'No channel has this key; check data-key of the widget.',
      );
}

async function limitSessions(
  { rateLimit }: WebChatParts,
  channel: OpenChannel,
  request: Request,
): Promise<void> {
  const network = networkOf(request.ip ?? '');
  const result = await rateLimit(
    `session/${channel.tenantId}/${channel.id}/${network}`,
    limitsOf(channel).sessionsPerMinute,
  );
  if (!result.allowed) throw tooManyRequests(result.retryAfterMs, 'Too many new sessions from this address.');
}

async function recognise(parts: WebChatParts, channel: OpenChannel, body: SessionRequest): Promise<Visitor> {
  const { identity: settings } = settingsOf(channel);
  if (body.identity !== undefined) return recogniseUser(parts, channel, body.identity);
  if (settings?.required) {
    throw new ProblemError(
      401,
      'identity_required',
      'Identity required',
      'This channel takes only visitors with an identity token.',
    );
  }
  const known =
    body.visitorToken === undefined ? undefined : await checkVisitorToken(parts, channel, body.visitorToken);
  const profile = body.profile ?? {};
  if (known) return { ...known, profile };
  return {
    tenantId: channel.tenantId,
    channelId: channel.id,
    conversationId: newId(),
    externalId: `visitor:${newId()}`,
    verified: false,
    profile,
  };
}

// A token of another channel, or of a person whom the site had vouched for, makes nobody out of an anonymous page.
async function checkVisitorToken(
  { tokens }: WebChatParts,
  channel: OpenChannel,
  token: string,
): Promise<Visitor | undefined> {
  const check = await tokens.check('visitor', token);
  if (!check.ok) {
    if (check.reason === 'expired') return undefined;
    throw new ProblemError(
      401,
      'visitor_token_invalid',
      'Not authorized',
      'The visitor token is not valid; leave it out to begin as a new visitor.',
    );
  }
  const { visitor } = check;
  return visitor.channelId === channel.id && visitor.tenantId === channel.tenantId && !visitor.verified
    ? visitor
    : undefined;
}

async function recogniseUser(parts: WebChatParts, channel: OpenChannel, token: string): Promise<Visitor> {
  const check = await parts.checkIdentity(
    token,
    settingsOf(channel).identity,
    channel.secrets['identitySecret'],
  );
  if (!check.ok) throw new ProblemError(401, 'identity_invalid', 'Not authorized', check.reason);
  // What was refused is logged as any refusal is; who it was stands in the site's own log.
  parts.logger.info({}, 'a site has vouched for a visitor');
  const externalId = `user:${check.identity.subject}`;
  const latest = await parts.transcripts.latestConversation(channel.tenantId, channel.id, externalId);
  return {
    tenantId: channel.tenantId,
    channelId: channel.id,
    conversationId: latest ?? newId(),
    externalId,
    verified: true,
    profile: check.identity.profile,
  };
}

async function describeSession(
  { tokens }: WebChatParts,
  channel: OpenChannel,
  visitor: Visitor,
): Promise<SessionResponse> {
  const [session, returning] = await Promise.all([
    tokens.sign('session', visitor),
    tokens.sign('visitor', visitor),
  ]);
  const { greeting, suggestions } = settingsOf(channel);
  return {
    token: session.token,
    visitorToken: returning.token,
    expiresAt: session.expiresAt.toISOString(),
    conversationId: toWire('conversation', visitor.conversationId),
    agent: {
      name: channel.agent?.name ?? 'Assistant',
      ...(channel.agent?.model.startsWith('builtin/') && {
        description: builtinDescriptions[channel.agent.model] ?? '',
      }),
      ...(greeting && { greeting }),
      ...(suggestions && { suggestions }),
    },
  };
}

const builtinDescriptions: Readonly<Record<string, string>> = {
  'builtin/echo': 'Repeats what you write (for testing)',
  'builtin/answers': 'Answers from documents, without a model',
};
