import { randomUUID } from 'node:crypto';
import type { SessionResponse } from '@swarmgate/contract/web-chat.ts';
import { FakeConversation } from './fake-conversation.ts';

type Visitor = { visitorToken: string; conversation: FakeConversation; identity: string | undefined };

const sessionLifetimeMs = 60 * 60_000;

/** Who has which token, and which conversation is open to them. */
export class FakeVisitors {
  readonly all: Visitor[] = [];
  readonly #sessions = new Map<string, { visitor: Visitor; conversation: FakeConversation }>();
  readonly #agent: SessionResponse['agent'];

  constructor(agent: SessionResponse['agent']) {
    this.#agent = agent;
  }

  /** The visitor of the token, the one whom the identity names, or a new one. */
  begin(visitorToken: string | undefined, identity: string | undefined): SessionResponse | undefined {
    const known = this.all.find((visitor) =>
      identity === undefined ? visitor.visitorToken === visitorToken : visitor.identity === identity,
    );
    if (!known && visitorToken !== undefined && identity === undefined) return undefined;
    const visitor = known ?? {
      visitorToken: `vt_${randomUUID()}`,
      conversation: new FakeConversation(),
      identity,
    };
    if (!known) this.all.push(visitor);
    return this.#session(visitor);
  }

  beginConversation(token: string): SessionResponse | undefined {
    const visitor = this.#sessions.get(token)?.visitor;
    if (!visitor) return undefined;
    visitor.conversation = new FakeConversation();
    return this.#session(visitor);
  }

  conversationOf(token: string): FakeConversation | undefined {
    return this.#sessions.get(token)?.conversation;
  }

  expireTokens(): void {
    this.#sessions.clear();
  }

  #session(visitor: Visitor): SessionResponse {
    const token = `st_${randomUUID()}`;
    this.#sessions.set(token, { visitor, conversation: visitor.conversation });
    return {
      token,
      visitorToken: visitor.visitorToken,
      expiresAt: new Date(Date.now() + sessionLifetimeMs).toISOString(),
      conversationId: visitor.conversation.id,
      agent: this.#agent,
    };
  }
}
