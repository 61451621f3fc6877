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

type Call = {
  path: string;
  method?: 'GET' | 'POST';
  token?: string;
  body?: unknown;
  headers?: Record<string, string>;
  signal?: AbortSignal;
};

/** The calls of the web chat wire, one method each. Every failure is a `GatewayError`. */
export class Gateway {
  readonly #baseUrl: string;

  /** `baseUrl` ends with a slash: where `widget.js` came from. */
  constructor(baseUrl: string) {
    this.#baseUrl = baseUrl;
  }

  startSession(body: SessionRequest): Promise<SessionResponse> {
    return this.#json({ path: 'sessions', method: 'POST', body });
  }

  startConversation(token: string): Promise<SessionResponse> {
    return this.#json({ path: 'conversations', method: 'POST', token, body: {} });
  }

  sendMessage(token: string, body: MessageRequest): Promise<MessageAccepted> {
    return this.#json({ path: 'messages', method: 'POST', token, body });
  }

  /** The newest page, or the one before a sequence, or the one after it. */
  readMessages(
    token: string,
    query: { limit: number; before?: number; after?: number },
  ): Promise<MessagePage> {
    const search = new URLSearchParams(Object.entries(query).map(([name, value]) => [name, String(value)]));
    return this.#json({ path: `messages?${search}`, token });
  }

  async cancelTurn(token: string, turnId: string): Promise<void> {
    await this.#call({ path: `turns/${encodeURIComponent(turnId)}/cancel`, method: 'POST', token, body: {} });
  }

  /** Opens the event stream. The token goes in the header, which `EventSource` could not do. */
  async openEvents(
    token: string,
    lastEventId: string,
    signal: AbortSignal,
  ): Promise<ReadableStream<Uint8Array>> {
    const headers = { accept: 'text/event-stream', 'last-event-id': lastEventId };
    const response = await this.#call({ path: 'events', token, headers, signal });
    if (!response.body) throw new GatewayError(0, 'no_body', 'The event stream has no body.');
    return response.body;
  }

  async #json<Answer>(call: Call): Promise<Answer> {
    const response = await this.#call({ ...call, signal: AbortSignal.timeout(answerTimeoutMs) });
    return response.json().catch(noAnswer);
  }

  async #call({ path, method = 'GET', token, body, headers, signal }: Call): Promise<Response> {
    const response = await fetch(`${this.#baseUrl}chat/v1/${path}`, {
      method,
      headers: {
        ...(token && { authorization: `Bearer ${token}` }),
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...headers,
      },
      body: body === undefined ? null : JSON.stringify(body),
      cache: 'no-store',
      credentials: 'omit',
      signal: signal ?? null,
    }).catch(noAnswer);
    if (!response.ok) throw await refusal(response);
    return response;
  }
}

function noAnswer(error: unknown): never {
  throw new GatewayError(0, 'no_answer', error instanceof Error ? error.message : String(error));
}

async function refusal(response: Response): Promise<GatewayError> {
  const problem: Partial<Problem> = await response.json().catch(() => ({}));
  const reason = problem.detail ?? problem.title ?? `${response.status}`;
  return new GatewayError(response.status, problem.code ?? '', reason, retryAfterMs(response));
}

function retryAfterMs(response: Response): number | undefined {
  const seconds = Number.parseFloat(response.headers.get('retry-after') ?? '');
  return Number.isFinite(seconds) ? Math.max(0, seconds * 1_000) : undefined;
}
