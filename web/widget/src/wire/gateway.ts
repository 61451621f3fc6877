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

/** The calls of the web chat wire, one method each. Every failure is a `GatewayError`. */
export class Gateway {
  readonly #baseUrl: string;

  /** `baseUrl` ends with a slash: where `widget.js` came from. */
  constructor(baseUrl: string) {
    this.#baseUrl = baseUrl;
  }

  startSession(body: SessionRequest): Promise<SessionResponse> {
    return this.#json('sessions', { body });
  }

  startConversation(token: string): Promise<SessionResponse> {
    return this.#json('conversations', { token, body: {} });
  }

  sendMessage(token: string, body: MessageRequest): Promise<MessageAccepted> {
    return this.#json('messages', { token, body });
  }

  /** The newest page, or the one before a sequence. */
  readMessages(token: string, limit: number, before?: number): Promise<MessagePage> {
    return this.#json(`messages?limit=${limit}${before === undefined ? '' : `&before=${before}`}`, { token });
  }

  async cancelTurn(token: string, turnId: string): Promise<void> {
    await this.#call(`turns/${turnId}/cancel`, { token, body: {} });
  }

  /** Opens the event stream. The token goes in the header, which `EventSource` could not do. */
  async openEvents(
    token: string,
    lastEventId: string,
    signal: AbortSignal,
  ): Promise<ReadableStream<Uint8Array>> {
    const { body } = await this.#call('events', { token, lastEventId, signal });
    return body ?? new ReadableStream();
  }

  async #json<Answer>(path: string, call: Call): Promise<Answer> {
    const response = await this.#call(path, call);
    return response.json().catch(noAnswer);
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

function noAnswer(error: unknown): never {
  throw new GatewayError(0, String(error));
}

async function refusal(response: Response): Promise<GatewayError> {
  const problem: Partial<Problem> = await response.json().catch(() => ({}));
  const { status, headers } = response;
  const retryAfterMs = Number(headers.get('Retry-After')) * 1_000;
  return new GatewayError(status, problem.detail ?? problem.title ?? `${status}`, retryAfterMs || undefined);
}
