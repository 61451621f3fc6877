import type {
  MessageAccepted,
  MessagePage,
  MessageRequest,
  Problem,
  SessionRequest,
  SessionResponse,
} from '@swarmgate/contract/web-chat.ts';
import { GatewayError } from './gateway-error.ts';

const answerTimeoutMs = 20_000;

type Call = { token?: string; body?: unknown; lastEventId?: string; signal?: AbortSignal };

/** Makes a call with a token that is valid. */
export type Authorized = <Answer>(call: (token: string) => Promise<Answer>) => Promise<Answer>;

/** The calls of the web chat wire, one method each. Every failure is a `GatewayError`. */
export class Gateway {
  readonly #baseUrl: string;
  readonly #authorized: Authorized;

  /** `baseUrl` ends with a slash: where `widget.js` came from. */
  constructor(baseUrl: string, authorized: Authorized) {
    this.#baseUrl = baseUrl;
    this.#authorized = authorized;
  }

  async startSession(body: SessionRequest): Promise<SessionResponse> {
    return readJson(await this.#call('sessions', { body }));
  }

  startConversation(): Promise<SessionResponse> {
    return this.#json('conversations', {});
  }

  sendMessage(message: MessageRequest): Promise<MessageAccepted> {
    return this.#json('messages', message);
  }

  /** The newest page, or the one before a sequence. */
  readMessages(limit: number, before?: number): Promise<MessagePage> {
    return this.#json(`messages?limit=${limit}${before ? `&before=${before}` : ''}`);
  }

  cancelTurn(turnId: string): Promise<unknown> {
    return this.#json(`turns/${turnId}/cancel`, {});
  }

  /** Opens the event stream. The token goes in the header, which `EventSource` could not do. */
  async openEvents(lastEventId: string, signal: AbortSignal): Promise<ReadableStream<Uint8Array>> {
    const { body } = await this.#authorized((token) => this.#call('events', { token, lastEventId, signal }));
    return body ?? new ReadableStream();
  }

  async #json<Answer>(path: string, body?: unknown): Promise<Answer> {
    return readJson(await this.#authorized((token) => this.#call(path, { token, body })));
  }

  async #call(path: string, { token, body, lastEventId, signal }: Call): Promise<Response> {
    const response = await fetch(`${this.#baseUrl}chat/v1/${path}`, {
      method: body ? 'POST' : 'GET',
      headers: {
        ...(token && { Authorization: `Bearer ${token}` }),
        ...(body !== undefined && { 'Content-Type': 'application/json' }),
        ...(lastEventId && { 'Last-Event-ID': lastEventId }),
      },
      body: body ? JSON.stringify(body) : null,
      cache: 'no-store',
      credentials: 'omit',
      signal: signal ?? AbortSignal.timeout(answerTimeoutMs),
    }).catch(noAnswer);
    if (!response.ok) throw await refusal(response);
    return response;
  }
}

function readJson<Answer>(response: Response): Promise<Answer> {
  return response.json().catch(noAnswer);
}

function noAnswer(error: unknown): never {
  throw new GatewayError(0, String(error));
}

async function refusal(response: Response): Promise<GatewayError> {
  const { status, headers } = response;
  const problem: Partial<Problem> = await response.json().catch(() => ({}));
  const retryAfterMs = Number(headers.get('Retry-After')) * 1_000;
  return new GatewayError(status, problem.detail ?? problem.title ?? `${status}`, retryAfterMs || undefined);
}
