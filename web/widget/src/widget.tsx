import type { ChatMessage } from '@swarmgate/contract/web-chat.ts';
import { render } from 'preact';
import { BrowserStorage } from './browser-storage.ts';
import { Chat } from './chat/chat.ts';
import { countUnread } from './chat/transcript.ts';
import type { Texts } from './locale/en.ts';
import type { WidgetOptions } from './options.ts';
import { Store } from './store.ts';
import { PanelDom, phone } from './ui/panel-dom.ts';
import type { Actions, PanelState } from './ui/view.ts';
import { WidgetView } from './ui/widget-view.tsx';
import { whileHidden } from './visibility.ts';
import type { WidgetEvents } from './widget-events.ts';

export type WidgetParts = { baseUrl: string; options: WidgetOptions; texts: Texts; root: ShadowRoot };

/** The widget on a page: a conversation, the panel that shows it, and what the page may ask of both. */
export class Widget {
  readonly #parts: WidgetParts;
  readonly #chat: Chat;
  readonly #panel: Store<PanelState>;
  readonly #page: BrowserStorage;
  readonly #dom: PanelDom;
  readonly #actions: Actions;
  #unread = 0;

  constructor(parts: WidgetParts) {
    const { baseUrl, options, root } = parts;
    const prefix = `swarmgate:${baseUrl}:${options.key ?? ''}:`;
    this.#parts = parts;
    this.#page = new BrowserStorage(prefix, 'sessionStorage');
    this.#dom = new PanelDom(root);
    this.#panel = new Store<PanelState>({
      isOpen: false,
      isOnline: navigator.onLine,
      text: this.#page.get('text') ?? '',
      isAtEnd: true,
      question: 'hidden',
      announcement: { id: 0, text: '' },
    });
    this.#chat = new Chat({
      ...options,
      baseUrl,
      storage: new BrowserStorage(prefix, 'localStorage'),
      onMessage: (message) => this.#messageArrived(message),
    });
    this.#actions = this.#createActions();
    this.#listen();
    this.#openAtStart();
    this.#changed();
  }

  open(): void {
    this.#setOpen(true);
    this.#focusPanel();
  }

  close(): void {
    const returnsFocus = this.#dom.hasFocusInPanel;
    this.#setOpen(false);
    if (returnsFocus) this.#dom.focus('launcher');
  }

  async identify(identity: string): Promise<void> {
    await this.#chat.session.identify(identity);
  }

  reset(): void {
    this.#chat.forget();
    this.#page.clear();
    this.#panel.set({ text: '' });
    if (this.#panel.state.isOpen) this.#chat.start();
  }

  on<Name extends keyof WidgetEvents>(name: Name, listener: (detail: WidgetEvents[Name]) => void): void {
    this.#parts.root.host.addEventListener(name, (event) => listener((event as CustomEvent).detail));
  }

  #emit<Name extends keyof WidgetEvents>(name: Name, detail?: WidgetEvents[Name]): void {
    this.#parts.root.host.dispatchEvent(new CustomEvent(name, { detail }));
  }

  #createActions(): Actions {
    const chat = this.#chat;
    const panel = this.#panel;
    // The button that was pressed is about to go: the focus must not go with it.
    const thenFocus = (action: () => void) => {
      action();
      this.#focusPanel();
    };
    return {
      open: () => this.open(),
      close: () => this.close(),
      write: (text) => this.#write(text),
      send: (text) =>
        thenFocus(() => {
          chat.outbox.add(text);
          this.#write('');
          panel.set({ isAtEnd: true });
        }),
      resend: (id) => thenFocus(() => chat.outbox.retry(id)),
      discard: (id) => thenFocus(() => chat.outbox.remove(id)),
      stop: (turnId) => thenFocus(() => void chat.cancelTurn(turnId)),
      loadOlder: () => void chat.loadOlder(),
      scrolled: (isAtEnd) => {
        if (isAtEnd !== panel.state.isAtEnd) panel.set({ isAtEnd });
      },
      toLatest: () => thenFocus(() => panel.set({ isAtEnd: true })),
      ask: (asks) => {
        panel.set({ question: asks ? 'asked' : 'hidden' });
        if (asks) this.#dom.focus('confirm');
        else this.#focusPanel();
      },
      startAnew: () => {
        chat.session.startConversation().then(
          () => thenFocus(() => panel.set({ question: 'hidden', isAtEnd: true })),
          () => panel.set({ question: 'failed' }),
        );
      },
    };
  }

  #listen(): void {
    const changed = () => this.#changed();
    this.#chat.store.subscribe(changed);
    this.#panel.subscribe(changed);
    phone.addEventListener('change', changed);
    document.addEventListener('visibilitychange', changed);
    addEventListener('resize', changed);
    addEventListener('offline', () => this.#panel.set({ isOnline: false }));
    addEventListener('online', () => {
      this.#panel.set({ isOnline: true });
      this.#chat.wake();
    });
    whileHidden(
      () => this.#chat.park(),
      () => this.#chat.unpark(),
    );
  }

  /** Opens where it was open on the page before, or at the first visit if the page wishes so; never over a phone's page. */
  #openAtStart(): void {
    const before = this.#page.get('open');
    const isFirstVisit = !this.#chat.session.isKnown && this.#parts.options.opens === 'first-visit';
    const opens = before === undefined ? isFirstVisit : before === 'true';
    if (opens && !phone.matches) this.#setOpen(true);
    else if (this.#chat.session.isKnown) this.#chat.start();
  }

  #setOpen(isOpen: boolean): void {
    if (isOpen) this.#chat.start();
    if (isOpen === this.#panel.state.isOpen) return;
    this.#page.set('open', String(isOpen));
    this.#panel.set({ isOpen, isAtEnd: true, question: 'hidden' });
    this.#emit(isOpen ? 'open' : 'close');
  }

  #write(text: string): void {
    this.#page.set('text', text);
    this.#panel.set({ text });
  }

  #messageArrived(message: ChatMessage): void {
    if (message.role === 'visitor') return;
    this.#emit('message', message);
    // When it is drawn: its words without their marks are then there to be read out.
    requestAnimationFrame(() => this.#announce(message));
  }

  #announce({ id, sequence }: ChatMessage): void {
    const { texts, root } = this.#parts;
    const words = root.getElementById(id)?.innerText;
    const text = words ?? texts.openChatUnread(this.#unread);
    this.#panel.set({ announcement: { id: sequence, text } });
  }

  /** To the place to write; on a touch screen only to the panel, as the field would bring the keyboard up. */
  #focusPanel(): void {
    this.#dom.focus(matchMedia('(pointer: coarse)').matches ? 'panel' : 'composer');
  }

  #changed(): void {
    if (this.#panel.state.isOpen && !document.hidden) this.#chat.markRead();
    const { messages, readSequence } = this.#chat.store.state;
    const unread = countUnread(messages, readSequence);
    if (unread !== this.#unread) this.#emit('unread', unread);
    this.#unread = unread;
    this.#draw();
  }

  #draw(): void {
    const { root, ...parts } = this.#parts;
    const chat = this.#chat.store.state;
    const panel = this.#panel.state;
    const view = { ...parts, chat, panel, unread: this.#unread, actions: this.#actions };
    this.#dom.update(() => render(<WidgetView view={view} />, root), {
      ...panel,
      firstMessageId: chat.messages[0]?.id,
    });
  }
}
