import { checkActivity } from './check-activity.ts';
import type { createFaults } from './faults.ts';
import type { Call, Judge } from './judge.ts';
import type { createLimits } from './limits.ts';
import { Refusal } from './refusal.ts';
import { type Streams, streamInfoOf } from './streams.ts';
import type { TokenEndpoint } from './token-endpoint.ts';
import type { Conversation, Post, World } from './world.ts';

export type ConnectorParts = {
  world: World;
  judge: Judge;
  tokens: TokenEndpoint;
  streams: Streams;
  limits: ReturnType<typeof createLimits>;
  faults: ReturnType<typeof createFaults>;
  now: () => number;
};

export type ConnectorRequest = {
  method: string;
  tenant: string;
  /** Behind `/v3/conversations`, decoded. */
  segments: readonly string[];
  authorization: string | undefined;
  body: string;
};

export type ConnectorAnswer =
  | { status: number; body: object; headers?: Readonly<Record<string, string>> }
  | 'lost';

type Fields = Readonly<Record<string, unknown>>;

/**
 * The connector's REST API of one tenant: what a bot calls. A token that nobody was given, or of a bot that has no
 * business there, is refused and held against the client.
 *
 * @see https://learn.microsoft.com/azure/bot-service/rest-api/bot-framework-rest-connector-api-reference
 */
export async function answerConnector(
  parts: ConnectorParts,
  request: ConnectorRequest,
): Promise<ConnectorAnswer> {
  const { judge, faults } = parts;
  const call: Call = {
    ...{ method: request.method, path: request.segments.join('/'), appId: undefined, tenant: request.tenant },
    ...{ conversationId: request.segments[0], activity: {}, status: 0 },
  };
  judge.calls.push(call);
  try {
    call.activity = parseBody(request.body);
    call.appId = authenticate(parts, request);
    const isLost = await faults.meet(call);
    const answer = route(parts, request, call.appId, call.activity);
    call.status = answer.status;
    return isLost ? 'lost' : answer;
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    call.status = error.status;
    const { status, code, headers } = error;
    if (status === 400)
      judge.accuse('a call was malformed', { code, what: headers['x-what'], path: call.path });
    if (status === 413) judge.accuse('a message was too large', { path: call.path });
    return { status, headers, body: bodyOf(code) };
  }
}

/** Of a block it is told in another form, with the code in a text. */
function bodyOf(code: string): object {
  if (code !== 'MessageWritesBlocked') return { error: { code, message: 'refused' } };
  return { errorCode: 209, message: JSON.stringify({ subCode: code, details: 'blocked' }, undefined, 2) };
}

function parseBody(body: string): Fields {
  if (body === '') return {};
  try {
    const parsed: unknown = JSON.parse(body);
    if (typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed)) return parsed as Fields;
  } catch {
    // told below
  }
  throw new Refusal(400, 'BadSyntax', { 'x-what': 'no JSON' });
}

function authenticate({ tokens, judge, now, world }: ConnectorParts, request: ConnectorRequest): string {
  const [, token = ''] = /^Bearer (\S+)$/.exec(request.authorization ?? '') ?? [];
  const granted = tokens.find(token);
  if (!granted || granted.expiresAtMs <= now()) {
    if (!granted) judge.accuse('a call came with a token that nobody was given', { tenant: request.tenant });
    throw new Refusal(401, 'Unauthorized');
  }
  const home = world.apps.get(granted.appId)?.homeTenant;
  if (home !== undefined && home !== request.tenant) {
    judge.accuse('a single-tenant bot called another tenant', {
      appId: granted.appId,
      tenant: request.tenant,
    });
    throw new Refusal(403, 'Forbidden');
  }
  return granted.appId;
}

function route(
  parts: ConnectorParts,
  request: ConnectorRequest,
  appId: string,
  body: Fields,
): { status: number; body: object } {
  const [address, kind, activityId, ...more] = request.segments;
  if (address === undefined && request.method === 'POST')
    return createConversation(parts, request, appId, body);
  if (address === undefined || kind !== 'activities' || more.length > 0) throw new Refusal(404, 'NotFound');
  const conversation = findConversation(parts, request, appId, address);
  parts.limits.count(appId, request.tenant, conversation.id);
  if (conversation.blockedApps.has(appId)) throw new Refusal(403, 'MessageWritesBlocked');
  switch (request.method) {
    case 'POST':
      checkActivity(body, request.body);
      return post(parts, conversation, address, appId, body);
    case 'PUT': {
      checkActivity(body, request.body);
      const found = findPost(parts, conversation, appId, activityId);
      if (found.isStreaming) throw new Refusal(403, 'ContentStreamNotAllowed');
      Object.assign(found, { activity: body, text: String(body['text'] ?? '') });
      found.versions.push(found.text);
      return { status: 200, body: { id: found.id } };
    }
    case 'DELETE':
      findPost(parts, conversation, appId, activityId).isDeleted = true;
      return { status: 200, body: {} };
    default:
      throw new Refusal(405, 'MethodNotAllowed');
  }
}

function findConversation(
  { world, judge }: ConnectorParts,
  { tenant }: ConnectorRequest,
  appId: string,
  address: string,
): Conversation {
  const [base = ''] = address.split(';');
  const conversation = world.conversations.get(base);
  if (!conversation) throw new Refusal(404, 'ConversationNotFound');
  if (conversation.tenant !== tenant) {
    judge.accuse('a conversation was looked for in another tenant', { appId, tenant });
    throw new Refusal(404, 'ConversationNotFound');
  }
  if (conversation.apps.has(appId)) return conversation;
  if (!conversation.blockedApps.has(appId))
    judge.accuse('a bot wrote where it is not', { appId, tenant, conversation: conversation.id });
  throw new Refusal(
    403,
    conversation.blockedApps.has(appId) ? 'MessageWritesBlocked' : 'BotNotInConversationRoster',
  );
}

function post(
  { world, streams }: ConnectorParts,
  conversation: Conversation,
  address: string,
  appId: string,
  activity: Fields,
): { status: number; body: object } {
  const newPost = (): Post => ({
    ...{ id: world.nextId(), conversationId: conversation.id, address, appId, activity },
    ...{ text: String(activity['text'] ?? ''), versions: [String(activity['text'] ?? '')] },
    ...{ isStreaming: false, isDeleted: false },
  });
  const info = streamInfoOf(activity);
  if (info) {
    const { id } = streams.take(conversation, activity, info, newPost);
    return { status: 201, body: { id } };
  }
  if (activity['type'] === 'typing') return { status: 201, body: { id: world.nextId() } };
  const made = newPost();
  // What is written into a channel outside its threads begins one.
  if (conversation.scope === 'channel' && !address.includes(';'))
    made.address = `${conversation.id};messageid=${made.id}`;
  world.posts.push(made);
  return { status: 201, body: { id: made.id } };
}

function findPost(
  { world, judge }: ConnectorParts,
  conversation: Conversation,
  appId: string,
  id: string | undefined,
): Post {
  const found = world.posts.find(
    (post) => post.id === id && post.conversationId === conversation.id && !post.isDeleted,
  );
  if (!found) throw new Refusal(404, 'ActivityNotFoundInConversation');
  if (found.appId === appId) return found;
  judge.accuse('a bot changed what another has said', { appId });
  throw new Refusal(403, 'Forbidden');
}

function createConversation(
  { world, judge }: ConnectorParts,
  { tenant }: ConnectorRequest,
  appId: string,
  body: Fields,
): { status: number; body: object } {
  const { tenantId, bot, members } = body as Record<string, unknown>;
  const [member, ...more] = Array.isArray(members) ? (members as Fields[]) : [];
  const user = member?.['id'];
  if (typeof user !== 'string' || more.length > 0 || tenantId !== tenant)
    throw new Refusal(400, 'BadSyntax', { 'x-what': 'members or tenant' });
  if ((bot as Fields | undefined)?.['id'] !== `28:${appId}`) {
    judge.accuse('a chat was made in the name of another bot', { appId });
    throw new Refusal(403, 'Forbidden');
  }
  return { status: 201, body: { id: world.direct(appId, tenant, user).id } };
}
