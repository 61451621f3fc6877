import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import {
  type MessageSource,
  messageRequest,
  type SessionResponse,
  sessionRequest,
  webChatDefaults,
} from '@swarmgate/contract/web-chat.ts';
import type { ZodType } from 'zod';
import type { AnswerScript, FakeConversation } from './chat/fake-conversation.ts';
import { FakeProblem } from './chat/fake-problem.ts';
import { FakeVisitors } from './chat/fake-visitors.ts';

export type ChatGatewayOptions = {
  /** Pages of these origins may talk, and the gateway's own. */
  origins?: readonly string[];
  agent?: SessionResponse['agent'];
  /** Answers what is not a call of the wire: the pages of a test. Returns whether it did. */
  serve?: (path: string, response: ServerResponse) => boolean;
};

export type ChatGateway = Awaited<ReturnType<typeof startChatGateway>>;

type Refusal = { path: string; problem: FakeProblem };

export const chatGatewayKey = 'wk_fake';

/**
 * A gateway on loopback that speaks the web chat wire, and nothing but it: a call that the contract does not allow is
 * refused and kept in `violations`. It can do on purpose what the real one does only in bad hours.
 */
export async function startChatGateway({ origins = [], agent, serve }: ChatGatewayOptions = {}) {
  const visitors = new FakeVisitors(agent ?? { name: 'Test agent' });
  const violations: string[] = [];
  const refusals: Refusal[] = [];
  const state = {
    isOffline: false,
    answer: echo as AnswerScript,
    sources: undefined as MessageSource[] | undefined,
  };
  const server = createServer((request, response) => {
    if (state.isOffline) request.socket.destroy();
    else void handle(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname, searchParams } = new URL(request.url ?? '', url);
    if (!pathname.startsWith('/chat/v1/')) {
      if (!serve?.(pathname, response)) response.writeHead(404).end();
      return;
    }
    allowAnyOrigin(response);
    if (request.method === 'OPTIONS') return void response.writeHead(204).end();
    try {
      takeRefusal(pathname);
      checkOrigin(request);
      await answerCall(
        `${request.method} ${pathname.slice('/chat/v1'.length)}`,
        request,
        response,
        searchParams,
      );
    } catch (error) {
      if (!(error instanceof FakeProblem)) throw error;
      if (error.status === 400) violations.push(`${request.method} ${pathname}: ${error.message}`);
      error.send(response);
    }
  }

  async function answerCall(
    call: string,
    request: IncomingMessage,
    response: ServerResponse,
    query: URLSearchParams,
  ) {
    const turnId = /^POST \/turns\/([^/]+)\/cancel$/.exec(call)?.[1];
    if (call === 'POST /sessions') return json(response, 201, await beginSession(request));
    if (call === 'POST /conversations') return json(response, 201, beginConversation(request));
    if (call === 'POST /messages') return json(response, 202, await acceptMessage(request));
    if (call === 'GET /messages') return json(response, 200, readPage(conversationOf(request), query));
    if (call === 'GET /events') return openStream(request, response);
    if (turnId && conversationOf(request).cancel(turnId)) return json(response, 202, {});
    throw new FakeProblem(turnId ? 404 : 400, 'not_found', `There is no ${call}.`);
  }

  async function beginSession(request: IncomingMessage): Promise<SessionResponse> {
    const { key, visitorToken, identity } = await readBody(request, sessionRequest);
    if (key !== chatGatewayKey) throw new FakeProblem(404, 'unknown_key', 'No channel has this key.');
    if (identity === 'forged') throw new FakeProblem(401, 'identity_invalid', 'The signature does not fit.');
    const session = visitors.begin(visitorToken, identity);
    if (!session) throw new FakeProblem(401, 'visitor_token_invalid', 'The visitor token is not valid.');
    return session;
  }

  function beginConversation(request: IncomingMessage): SessionResponse {
    const session = visitors.beginConversation(tokenOf(request));
    if (!session) throw unauthorized;
    return session;
  }

  async function acceptMessage(request: IncomingMessage) {
    const conversation = conversationOf(request);
    const { id, text: words } = await readBody(request, messageRequest);
    if (words.length > webChatDefaults.textLengthMax) {
      throw new FakeProblem(
        413,
        'text_too_long',
        `The text has ${words.length} characters; at most 8000 are taken.`,
      );
    }
    const known = conversation.messages.find(({ clientId }) => clientId === id);
    const message = known ?? conversation.say('visitor', words, { clientId: id });
    if (!known) conversation.answer(message, state.answer, state.sources);
    return { id: message.id, sequence: message.sequence, createdAt: message.createdAt };
  }

  function openStream(request: IncomingMessage, response: ServerResponse): void {
    const conversation = conversationOf(request);
    const lastEventId = request.headers['last-event-id'];
    if (typeof lastEventId !== 'string' || !/^\d+$/.test(lastEventId)) {
      throw new FakeProblem(400, 'invalid_last_event_id', `Last-Event-ID is ${lastEventId}.`);
    }
    response.writeHead(200, {
      'Content-Type': 'text/event-stream; charset=utf-8',
      'Cache-Control': 'no-store',
    });
    response.write('retry: 100\n\n');
    conversation.listen(response, Number(lastEventId));
  }

  function conversationOf(request: IncomingMessage): FakeConversation {
    const conversation = visitors.conversationOf(tokenOf(request));
    if (!conversation) throw unauthorized;
    return conversation;
  }

  function checkOrigin({ headers, method }: IncomingMessage): void {
    // A browser names the origin of a page to its own host only when it writes.
    if (headers.origin === undefined && method === 'GET') return;
    if (headers.origin === url || origins.includes(headers.origin ?? '')) return;
    throw new FakeProblem(
      403,
      'origin_not_allowed',
      `${headers.origin} is not among the origins of this channel.`,
    );
  }

  function takeRefusal(pathname: string): void {
    const at = refusals.findIndex(({ path }) => pathname.endsWith(path));
    const [refusal] = at < 0 ? [] : refusals.splice(at, 1);
    if (refusal) throw refusal.problem;
  }

  return {
    url,
    /** What the widget did that the contract does not allow. */
    violations,
    /** The newest visitor's conversation. */
    get conversation(): FakeConversation {
      const visitor = visitors.all.at(-1);
      if (!visitor) throw new Error('No visitor has come yet.');
      return visitor.conversation;
    },
    get visitorCount(): number {
      return visitors.all.length;
    },
    /** From now on answers are written like this. */
    answerWith(answer: AnswerScript, sources?: MessageSource[]): void {
      Object.assign(state, { answer, sources });
    },
    /** Refuses the next call whose path ends so. */
    refuseNext(
      path: string,
      status: number,
      code: string,
      detail: string,
      headers?: Record<string, string>,
    ): void {
      refusals.push({ path, problem: new FakeProblem(status, code, detail, headers) });
    },
    expireTokens: () => visitors.expireTokens(),
    cutStreams: () => {
      for (const { conversation } of visitors.all) conversation.cut();
    },
    /** Nobody gets through, and who was is thrown out; until `false`. */
    setOffline(isOffline: boolean): void {
      state.isOffline = isOffline;
      if (isOffline) server.closeAllConnections();
    },
    async close(): Promise<void> {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

const unauthorized = new FakeProblem(401, 'token_expired', 'The session token has expired.');

async function* echo(question: string): AsyncGenerator<string> {
  yield 'You said: ';
  yield question;
}

function tokenOf({ headers }: IncomingMessage): string {
  const token = /^Bearer (.+)$/.exec(headers.authorization ?? '')?.[1];
  if (!token) throw new FakeProblem(400, 'token_missing', 'There is no bearer token.');
  return token;
}

async function readBody<Body>(request: IncomingMessage, schema: ZodType<Body>): Promise<Body> {
  if (request.headers['content-type'] !== 'application/json') {
    throw new FakeProblem(400, 'invalid_body', `Content-Type is ${request.headers['content-type']}.`);
  }
  const parsed = schema.safeParse(JSON.parse(await text(request)));
  if (!parsed.success) throw new FakeProblem(400, 'invalid_body', parsed.error.message);
  return parsed.data;
}

function readPage({ messages }: FakeConversation, query: URLSearchParams) {
  const limit = Number(query.get('limit') ?? 50);
  const before = Number(query.get('before') ?? messages.length + 1);
  const found = messages.slice(0, before - 1);
  return { messages: found.slice(-limit), hasMore: found.length > limit };
}

function json(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify(body));
}

function allowAnyOrigin(response: ServerResponse): void {
  response.setHeader('Access-Control-Allow-Origin', '*');
  response.setHeader('Access-Control-Allow-Headers', 'Authorization, Content-Type, Last-Event-ID');
  response.setHeader('Access-Control-Expose-Headers', 'Retry-After');
}
