import type { SessionRequest, SessionResponse } from '@swarmgate/contract/web-chat.ts';
import type { BrowserStorage } from '../browser-storage.ts';
import type { Gateway } from './gateway.ts';
import { GatewayError } from './gateway-error.ts';

export type SessionParts = {
  gateway: Gateway;
  storage: BrowserStorage;
  key: string;
  locale: string;
  /** A session began or changed; its conversation may be another one than before. */
  onSession: (session: SessionResponse) => void;
};

/**
 * Who the visitor is to the gateway. The bearer token lives only in this page; the visitor token is kept in the
 * browser, so that the next page and the next tab meet the same visitor.
 */
export class Session {
  readonly #parts: SessionParts;
  #current: SessionResponse | undefined;
  #starting: Promise<SessionResponse> | undefined;
  #identity: string | undefined;

  constructor(parts: SessionParts, identity: string | undefined) {
    this.#parts = parts;
    this.#identity = identity;
  }

  /** A visitor who was here before, or one whom the page vouches for. */
  get isKnown(): boolean {
    return this.#identity !== undefined || this.#parts.storage.get('visitor') !== undefined;
  }

  async ensure(): Promise<SessionResponse> {
    return this.#current ?? this.#start();
  }

  /** Makes a call with a valid token: when the gateway no longer takes it, once more with a new one. */
  async authorized<Answer>(call: (token: string) => Promise<Answer>): Promise<Answer> {
    const { token } = await this.ensure();
    try {
      return await call(token);
    } catch (error) {
      if (!(error instanceof GatewayError) || error.status !== 401) throw error;
      if (this.#current?.token === token) this.#current = undefined;
      return call((await this.ensure()).token);
    }
  }

  /** Begins a session with an identity that the page's own server has signed; a refused one changes nothing. */
  async identify(identity: string): Promise<void> {
    await this.#starting?.catch(() => undefined);
    const previous = this.#identity;
    this.#identity = identity;
    try {
      await this.#start();
    } catch (error) {
      this.#identity = previous;
      throw error;
    }
  }

  /** Begins again as the visitor that the browser knows now: another tab may have changed the conversation. */
  async restart(): Promise<SessionResponse> {
    await this.#starting?.catch(() => undefined);
    return this.#start();
  }

  async startConversation(): Promise<void> {
    this.#take(await this.authorized((token) => this.#parts.gateway.startConversation(token)));
  }

  /** Leaves nothing of the visitor behind. */
  forget(): void {
    this.#current = undefined;
    this.#identity = undefined;
    this.#parts.storage.clear();
  }

  #start(): Promise<SessionResponse> {
    this.#starting ??= this.#request().finally(() => {
      this.#starting = undefined;
    });
    return this.#starting;
  }

  async #request(): Promise<SessionResponse> {
    const { gateway, storage, key, locale } = this.#parts;
    const visitorToken = storage.get('visitor');
    const request: SessionRequest = {
      key,
      profile: { locale },
      ...(this.#identity !== undefined && { identity: this.#identity }),
    };
    try {
      return this.#take(await gateway.startSession({ ...request, ...(visitorToken && { visitorToken }) }));
    } catch (error) {
      // The kept token may be too old, or from keys that are gone: then the visitor begins anew.
      if (!(error instanceof GatewayError) || error.status !== 401 || !visitorToken) throw error;
      const session = await gateway.startSession(request);
      return this.#take(session);
    }
  }

  #take(session: SessionResponse): SessionResponse {
    this.#current = session;
    this.#parts.storage.set('visitor', session.visitorToken);
    this.#parts.onSession(session);
    return session;
  }
}
