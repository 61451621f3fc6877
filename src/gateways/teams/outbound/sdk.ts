import { AsyncLocalStorage } from 'node:async_hooks';

/**
 * The only file that knows Microsoft's SDK (`botframework-connector`, the part of botbuilder that calls the connector's
 * REST API; archived, see docs/decisions/0015). Whatever takes its place has to do what {@link Connector} says.
 */
export interface Connector {
  create(call: ConnectorCall, conversationId: string, activity: object): Promise<{ id: string | undefined }>;
  update(call: ConnectorCall, conversationId: string, activityId: string, activity: object): Promise<void>;
  remove(call: ConnectorCall, conversationId: string, activityId: string): Promise<void>;
  createConversation(call: ConnectorCall, parameters: object): Promise<{ id: string | undefined }>;
}

/** Each rejects with {@link ConnectorFailure}. Nothing is tried twice, no redirect is followed. */
export type ConnectorCall = {
  /** One that a verified activity has brought: it gets the token. */
  serviceUrl: string;
  token: string;
  signal: AbortSignal;
};

/** A call that did not end well, in nobody's words: bodies and tokens stay out of it. */
export class ConnectorFailure extends Error {
  override readonly name = 'ConnectorFailure';
  /** `undefined`: there was no answer. */
  readonly status: number | undefined;
  /** The connector's own code, or that of the connection. */
  readonly code: string | undefined;
  readonly retryAfter: string | undefined;

  constructor({ status, code, retryAfter }: { status?: number; code?: string; retryAfter?: string }) {
    super('A call of the connector failed.');
    this.status = status;
    this.code = code;
    this.retryAfter = retryAfter;
  }
}

export function createConnector(): Connector {
  let sdk: Promise<Sdk> | undefined;

  async function call<Answer>(
    { serviceUrl, token, signal }: ConnectorCall,
    body: object | undefined,
    ask: (conversations: Conversations) => Promise<Answer>,
  ): Promise<Answer> {
    // Loaded when first needed: it takes 20 MB and half a second, which a process without Teams does well without.
    sdk ??= loadSdk();
    const { clientOf } = await sdk;
    try {
      const exchange: Exchange = { signal, body: body && JSON.stringify(body) };
      return await exchanges.run(exchange, () => ask(clientOf(serviceUrl, token).conversations));
    } catch (error) {
      throw describe(error);
    }
  }

  return {
    create: (to, conversationId, activity) =>
      call(to, activity, async (conversations) => {
        const { id } = await conversations.sendToConversation(conversationId, activity as Outgoing);
        return { id };
      }),
    update: (to, conversationId, activityId, activity) =>
      call(to, activity, async (conversations) => {
        await conversations.updateActivity(conversationId, activityId, activity as Outgoing);
      }),
    remove: (to, conversationId, activityId) =>
      call(to, undefined, async (conversations) => {
        await conversations.deleteActivity(conversationId, activityId);
      }),
    createConversation: (to, parameters) =>
      call(to, parameters, async (conversations) => {
        const { id } = await conversations.createConversation(parameters as NewConversation);
        return { id };
      }),
  };
}

/** What a call's policies have to know of it. */
type Exchange = { signal: AbortSignal; body: string | undefined };
const exchanges = new AsyncLocalStorage<Exchange>();

type Sdk = Awaited<ReturnType<typeof loadSdk>>;
type Conversations = ReturnType<Sdk['clientOf']>['conversations'];
// What it takes is checked by who makes it: its own models know less of Teams.
type Outgoing = Parameters<Conversations['sendToConversation']>[1];
type NewConversation = Parameters<Conversations['createConversation']>[0];

async function loadSdk() {
  // The package's front door would load its token handling too, which nothing here uses.
  const { ConnectorClient } = await import('botframework-connector/lib/connectorApi/connectorClient.js');

  class Client extends ConnectorClient {
    constructor(baseUri: string, token: string) {
      super(
        {
          async signRequest(request) {
            request.headers.set('authorization', `Bearer ${token}`);
            return request;
          },
        },
        { baseUri },
      );
      const pipeline = pipelineOf(this);
      // A post that is sent again stands there twice: who delivers decides what is tried again, and when. (Its options
      // `noRetryPolicy` and `retryOptions` change nothing.)
      pipeline.removePolicy({ name: 'defaultRetryPolicy' });
      pipeline.removePolicy({ name: 'redirectPolicy' });
      pipeline.addPolicy(
        {
          name: 'exactly',
          async sendRequest(request, next) {
            const { signal, body } = exchanges.getStore() ?? {};
            // Its models know fewer fields than Teams, and drop the others: of entities all but the type.
            if (body !== undefined) request.body = body;
            if (signal) request.abortSignal = signal;
            return next(request);
          },
        },
        { afterPhase: 'Serialize' },
      );
    }
  }

  // Small, and made for each call, so that no token is kept; connections are shared by all of them.
  return { clientOf: (serviceUrl: string, token: string) => new Client(serviceUrl, token) };
}

type Request = { body?: unknown; abortSignal?: AbortSignal };
type Pipeline = {
  removePolicy(policy: { name: string }): unknown;
  addPolicy(
    policy: {
      name: string;
      sendRequest(request: Request, next: (request: Request) => Promise<unknown>): Promise<unknown>;
    },
    options: { afterPhase: 'Serialize' },
  ): void;
};

/** Its types keep it for themselves, and there is no other way to have a call made once. */
function pipelineOf(client: object): Pipeline {
  const { pipeline } = (Reflect.get(client, 'client') ?? {}) as { pipeline?: Pipeline };
  if (typeof pipeline?.removePolicy === 'function' && typeof pipeline.addPolicy === 'function')
    return pipeline;
  throw new TypeError('The connector is another version than this file was written for.');
}

function describe(error: unknown): ConnectorFailure {
  const { statusCode, code, response } = error as {
    statusCode?: unknown;
    code?: unknown;
    response?: {
      status?: unknown;
      headers?: { get(name: string): string | undefined };
      bodyAsText?: unknown;
    };
  };
  const status = [response?.status, statusCode].find((one) => typeof one === 'number');
  const retryAfter = response?.headers?.get('retry-after');
  const named = subCodeIn(response?.bodyAsText) ?? code;
  return new ConnectorFailure({
    ...(typeof status === 'number' && { status }),
    ...(typeof named === 'string' && /^\w{1,80}$/.test(named) && { code: named }),
    ...(retryAfter !== undefined && { retryAfter }),
  });
}

/** The more exact code, which Teams puts into JSON that is itself a text of the answer. */
function subCodeIn(body: unknown): string | undefined {
  return typeof body === 'string' ? /subCode\W{1,12}(\w{1,80})/.exec(body.slice(0, 4_000))?.[1] : undefined;
}
