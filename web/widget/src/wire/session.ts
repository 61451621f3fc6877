import type { SessionRequest, SessionResponse } from '@swarmgate/contract/web-chat.ts';
import type { BrowserStorage } from '../browser-storage.ts';
import type { Gateway } from './gateway.ts';
import { GatewayError } from './gateway-error.ts';

export type SessionParts = {
  gateway: Gateway;
  storage: BrowserStorage;
  key: string | undefined;
  locale: string;
  /** A session began; its conversation may be another one than before. */
  onSession: (session: SessionResponse) => void;
};

/**
 * Who the visitor is to the gateway. The bearer token lives only in this page; the visitor token is kept in the
 * browser, so that the next page and the next tab meet the same visitor.
 */
export class Session {
  readonly #parts: SessionParts;
  #token: string | undefined;
  #starting: Promise<void> | undefined;
  #identity: string | undefined;
  /** Beside the copy in the browser's storage, which may be forbidden. */
  #visitorToken: string | undefined;

  constructor(parts: SessionParts, identity: string | undefined) {
    this.#parts = parts;
    this.#identity = identity;
  }

  /** A visitor who was here before, or one whom the page vouches for. */
  get isKnown(): boolean {
    return Boolean(this.#identity ?? this.#parts.storage.get('visitor'));
  }

  /** Begins, or begins again as the visitor that the browser knows now. */
  start(): Promise<void> {
    this.#starting ??= this.#request().finally(() => {
      this.#starting = undefined;
    });
    return this.#starting;
  }

  /** Begins a session with an identity that the page's own server has signed; a refused one changes nothing. */
  async identify(identity: string): Promise<void> {
    await this.#starting?.catch(() => undefined);
    const previous = this.#identity;
    this.#identity = identity;
    try {
      await this.start();
    } catch (error) {
      this.#identity = previous;
      throw error;
    }
  }

  /** Makes a call with a valid token: when the gateway no longer takes it, once more with a new one. */
  async authorized<Answer>(call: (token: string) => Promise<Answer>): Promise<Answer> {
    if (!this.#token) await this.start();
    const token = this.#token;
    try {
      return await call(token ?? '');
    } catch (error) {
      if (!isUnauthorized(error)) throw error;
      // Another call may have renewed it meanwhile.
      if (this.#token === token) await this.start();
      return call(this.#token ?? '');
    }
  }

  /** Leaves the conversation and begins an empty one. */
  async startConversation(): Promise<void> {
    this.#take(await this.#parts.gateway.startConversation());
  }

  /** Leaves nothing of the visitor behind. */
  forget(): void {
    this.#token = undefined;
    this.#identity = undefined;
    this.#visitorToken = undefined;
    this.#parts.storage.clear();
  }

  async #request(): Promise<void> {
    const { gateway, storage, key, locale } = this.#parts;
    const request: SessionRequest = {
      ...(key && { key }),
      profile: { locale },
      ...(this.#identity && { identity: this.#identity }),
    };
    const visitorToken = storage.get('visitor') ?? this.#visitorToken;
    try {
      this.#take(await gateway.startSession({ ...request, ...(visitorToken && { visitorToken }) }));
    } catch (error) {
      if (!visitorToken || !isUnauthorized(error)) throw error;
      // The kept token may be of keys that are gone: then the visitor begins anew.
      this.#take(await gateway.startSession(request));
    }
  }

  #take(session: SessionResponse): void {
    this.#token = session.token;
    this.#visitorToken = session.visitorToken;
    this.#parts.storage.set('visitor', session.visitorToken);
    this.#parts.onSession(session);
  }
}

function isUnauthorized(error: unknown): boolean {
  return error instanceof GatewayError && error.status === 401;
}
