import type { ChatEvent, ChatMessage, MessagePage, SessionResponse } from '@swarmgate/contract/web-chat.ts';
import type { BrowserStorage } from '../browser-storage.ts';
import { Store } from '../store.ts';
import { backoffMs } from '../wire/backoff.ts';
import { EventStream } from '../wire/event-stream.ts';
import { Gateway } from '../wire/gateway.ts';
import { isTemporary, reasonOf } from '../wire/gateway-error.ts';
import { Pause } from '../wire/pause.ts';
import { Session } from '../wire/session.ts';
import { applyEvent } from './apply-event.ts';
import { type ChatState, emptyConversation, initialState } from './chat-state.ts';
import { Outbox } from './outbox.ts';
import { lastSequence, mergeMessages } from './transcript.ts';
import { type Turn, turnOver } from './turns.ts';

const pageSize = 40;
/** How long a draft waits for its message after the turn has ended, or for a sign of its turn after a reconnect. */
const draftPatienceMs = 6_000;

export type ChatParts = {
  baseUrl: string;
  key: string | undefined;
  locale: string;
  identity: string | undefined;
  storage: BrowserStorage;
  /** A message came that was not there before; not for those of the history. */
  onMessage: (message: ChatMessage) => void;
};

/** The visitor's conversation with the gateway: what the panel shows is `store`, what the visitor writes goes to `outbox`. */
export class Chat {
  readonly store = new Store<ChatState>(initialState);
  readonly outbox: Outbox;
  readonly session: Session;
  readonly #parts: ChatParts;
  readonly #gateway: Gateway;
  readonly #stream: EventStream;
  readonly #pause = new Pause();

  constructor(parts: ChatParts) {
    this.#parts = parts;
    this.#gateway = new Gateway(parts.baseUrl, (call) => this.session.authorized(call));
    this.session = new Session(
      { ...parts, gateway: this.#gateway, onSession: (session) => this.#adopt(session) },
      parts.identity,
    );
    this.#stream = new EventStream({
      open: (lastEventId, signal) => this.#gateway.openEvents(lastEventId, signal),
      onEvent: (event) => this.#receive(event),
      onConnected: (isConnected) => this.#connectionChanged(isConnected),
      onRefused: (error) => this.#refuse(error),
    });
    this.outbox = new Outbox({
      storage: parts.storage,
      send: (message) => this.#gateway.sendMessage(message),
      onAccepted: ({ id, text }, accepted) =>
        this.#addMessages([{ ...accepted, role: 'visitor', text, clientId: id }]),
      onChange: (outbox) => this.store.set({ outbox }),
    });
    this.store.set({ outbox: this.outbox.entries });
    parts.storage.onChange('conversation', () => this.#followOtherTab());
    parts.storage.onChange('read', () => this.store.set({ readSequence: this.#storedReadSequence() }));
  }

  /** Begins the session, if it has not begun. Not before the visitor shows interest: a page view is no visitor. */
  start(): void {
    if (this.store.state.status !== 'idle') return;
    this.store.set({ status: 'starting' });
    void this.#keepTrying(() => this.session.start());
  }

  async cancelTurn(turnId: string): Promise<void> {
    // A turn that is over cannot be stopped, and one that goes on shows that it does: neither needs a message.
    await this.#gateway.cancelTurn(turnId).catch(() => undefined);
  }

  async loadOlder(): Promise<void> {
    const { messages, conversationId } = this.store.state;
    // Should it fail, the button is still there.
    const page = await this.#gateway.readMessages(pageSize, messages[0]?.sequence).catch(() => undefined);
    if (page && conversationId === this.store.state.conversationId) this.#addPage(page);
  }

  /** Forgets the visitor: for a page where somebody signs out. */
  forget(): void {
    this.#stream.stop();
    this.outbox.clear();
    this.session.forget();
    this.store.set(initialState);
  }

  markRead(): void {
    const { messages, readSequence, conversationId } = this.store.state;
    const sequence = lastSequence(messages);
    if (sequence <= readSequence) return;
    this.#parts.storage.set('read', `${conversationId} ${sequence}`);
    this.store.set({ readSequence: sequence });
  }

  /** The network is back: try at once what waits for its next try. */
  wake(): void {
    this.#pause.wake();
    this.#stream.wake();
    this.outbox.flush();
  }

  /** Gives up the connection of a page that nobody sees, unless an answer is on its way. */
  park(): boolean {
    const { turns, outbox } = this.store.state;
    if (turns.running.length > 0 || outbox.length > 0) return false;
    this.#stream.stop();
    return true;
  }

  unpark(): void {
    if (this.store.state.status === 'ready') this.#stream.start();
  }

  #adopt({ agent, conversationId }: SessionResponse): void {
    const isSame = conversationId === this.store.state.conversationId;
    this.store.set({ agent, status: 'ready', ...(!isSame && { ...emptyConversation, conversationId }) });
    if (isSame) return;
    this.store.set({ readSequence: this.#storedReadSequence() });
    this.#parts.storage.set('conversation', conversationId);
    this.#stream.stop();
    void this.#keepTrying(() => this.#openConversation(conversationId));
  }

  async #openConversation(conversationId: string): Promise<void> {
    const page = await this.#gateway.readMessages(pageSize);
    if (conversationId !== this.store.state.conversationId) return;
    this.#addPage(page);
    this.#stream.start(String(lastSequence(page.messages)));
    this.outbox.flush();
  }

  async #keepTrying(attempt: () => Promise<unknown>): Promise<void> {
    for (let failures = 1; ; failures += 1) {
      try {
        await attempt();
        return;
      } catch (error) {
        if (!isTemporary(error)) return this.#refuse(error);
        await this.#pause.for(backoffMs(failures, error));
      }
    }
  }

  #refuse(error: unknown): void {
    this.#stream.stop();
    this.store.set({ status: 'refused', refusal: reasonOf(error) });
  }

  #receive(event: ChatEvent): void {
    const known = this.store.state.messages;
    this.store.set(applyEvent(this.store.state, event));
    if (event.event === 'turn')
      this.#settleLater(this.store.state.turns.running.filter((turn) => turn.isEnding));
    if (event.event !== 'message' && event.event !== 'message.updated') return;
    this.#dropDelivered([event.data]);
    if (!known.some(({ id }) => id === event.data.id)) this.#parts.onMessage(event.data);
  }

  #addPage({ messages, hasMore }: MessagePage): void {
    this.#addMessages(messages);
    this.store.set({ hasOlder: hasMore });
  }

  #addMessages(added: readonly ChatMessage[]): void {
    this.store.set({ messages: mergeMessages(this.store.state.messages, added) });
    this.#dropDelivered(added);
  }

  /** A message that is in the transcript needs not be sent, even if its acceptance was never heard. */
  #dropDelivered(messages: readonly ChatMessage[]): void {
    for (const { clientId } of messages) if (clientId) this.outbox.remove(clientId);
  }

  #connectionChanged(isConnected: boolean): void {
    this.store.set({ isConnected });
    // What runs may have ended while nobody listened.
    if (isConnected) this.#settleLater(this.store.state.turns.running);
  }

  /**
   * Takes drafts away that have not moved for a while and that no message has replaced. Should a message have been
   * missed, reading on from the last event brings it.
   */
  #settleLater(drafts: readonly Turn[]): void {
    setTimeout(() => {
      const { turns } = this.store.state;
      const stale = drafts.filter((draft) => turns.running.includes(draft));
      if (stale.length === 0) return;
      this.store.set({ turns: stale.reduce((rest, { turnId }) => turnOver(rest, turnId), turns) });
      this.#stream.start();
    }, draftPatienceMs);
  }

  #followOtherTab(): void {
    const { conversationId, status } = this.store.state;
    const other = this.#parts.storage.get('conversation');
    if (status === 'ready' && other && other !== conversationId)
      void this.#keepTrying(() => this.session.start());
  }

  #storedReadSequence(): number {
    const [conversationId, sequence] = (this.#parts.storage.get('read') ?? '').split(' ');
    return conversationId === this.store.state.conversationId ? Number(sequence) : 0;
  }
}
