import type { ChatMessage } from '@swarmgate/contract/web-chat.ts';
import { render } from 'preact';
import { BrowserStorage } from './browser-storage.ts';
import { Chat } from './chat/chat.ts';
import { countUnread } from './chat/transcript.ts';
import type { Texts } from './locale/en.ts';
import { parseMarkdown } from './markdown/blocks.ts';
import { plainText } from './markdown/plain-text.ts';
import type { WidgetOptions } from './options.ts';
import { Store } from './store.ts';
import { Announcer } from './ui/announcer.tsx';
import { composerId } from './ui/composer.tsx';
import { Launcher, launcherId } from './ui/launcher.tsx';
import { Panel, panelId } from './ui/panel.tsx';
import { phone } from './ui/use-dialog.ts';
import { type Actions, type WidgetContext, WidgetContextProvider } from './ui/widget-context.ts';
import { whileHidden } from './visibility.ts';
import { WidgetEventEmitter } from './widget-events.ts';

export type WidgetParts = { baseUrl: string; options: WidgetOptions; texts: Texts; root: ShadowRoot };

/** The widget on a page: a conversation, the panel that shows it, and what the page may ask of both. */
export class Widget {
  readonly events = new WidgetEventEmitter();
  readonly #parts: WidgetParts;
  readonly #chat: Chat;
  readonly #panel = new Store({
    isOpen: false,
    isOnline: navigator.onLine,
    announcement: { id: 0, text: '' },
  });
  readonly #page: BrowserStorage;
  readonly #context: WidgetContext;
  #unread = 0;

  constructor(parts: WidgetParts) {
    const { baseUrl, options, texts } = parts;
    const prefix = `swarmgate:${baseUrl}:${options.key}:`;
    this.#parts = parts;
    this.#page = new BrowserStorage(prefix, 'sessionStorage');
    this.#chat = new Chat({
      ...options,
      baseUrl,
      storage: new BrowserStorage(prefix),
      onMessage: (message) => this.#messageArrived(message),
    });
    this.#context = {
      texts,
      baseUrl,
      locale: options.locale,
      actions: this.#createActions(),
      draftText: { get: () => this.#page.get('text') ?? '', set: (text) => this.#page.set('text', text) },
    };
    this.#listen();
    this.#openAtStart();
    this.#draw();
  }

  open(): void {
    this.#setOpen(true);
    this.#focusPanel();
  }

  close(): void {
    const hadFocus =
      this.#parts.root.activeElement?.id !== launcherId && this.#parts.root.activeElement !== null;
    this.#setOpen(false);
    if (hadFocus) this.#focusSoon(launcherId);
  }

  async identify(identity: string): Promise<void> {
    await this.#chat.identify(identity);
  }

  reset(): void {
    this.#chat.forget();
    this.#page.clear();
    if (this.#panel.state.isOpen) this.#chat.start();
  }

  #createActions(): Actions {
    const chat = this.#chat;
    const andFocus = (action: () => void) => {
      action();
      this.#focusPanel();
    };
    return {
      open: () => this.open(),
      close: () => this.close(),
      send: (text) => andFocus(() => chat.send(text)),
      resend: (id) => andFocus(() => chat.resend(id)),
      discard: (id) => andFocus(() => chat.discard(id)),
      stop: (turnId) => andFocus(() => void chat.cancelTurn(turnId)),
      loadOlder: () => void chat.loadOlder(),
      startAnew: async () => {
        await chat.startAnew();
        this.#focusPanel();
      },
    };
  }

  #listen(): void {
    this.#chat.store.subscribe(() => this.#changed());
    this.#panel.subscribe(() => this.#changed());
    addEventListener('online', () => {
      this.#panel.set({ isOnline: true });
      this.#chat.wake();
    });
    addEventListener('offline', () => this.#panel.set({ isOnline: false }));
    document.addEventListener('visibilitychange', () => this.#changed());
    whileHidden(
      () => this.#chat.park(),
      () => this.#chat.unpark(),
    );
  }

  /** Opens where it was open on the page before, or at the first visit if the page wishes so; never over a phone's page. */
  #openAtStart(): void {
    const before = this.#page.get('open');
    const isFirstVisit = !this.#chat.isKnownVisitor && this.#parts.options.opens === 'first-visit';
    const opens = before === undefined ? isFirstVisit : before === 'true';
    if (opens && !phone.matches) this.#setOpen(true);
    else if (this.#chat.isKnownVisitor) this.#chat.start();
  }

  #setOpen(isOpen: boolean): void {
    if (isOpen) this.#chat.start();
    if (isOpen === this.#panel.state.isOpen) return;
    this.#page.set('open', String(isOpen));
    this.#panel.set({ isOpen });
    this.events.emit(isOpen ? 'open' : 'close', undefined);
  }

  #changed(): void {
    if (this.#panel.state.isOpen && !document.hidden) this.#chat.markRead();
    const { messages, readSequence } = this.#chat.store.state;
    const unread = countUnread(messages, readSequence);
    if (unread !== this.#unread) this.events.emit('unread', unread);
    this.#unread = unread;
    this.#draw();
  }

  #messageArrived(message: ChatMessage): void {
    this.events.emit('message', message);
    if (message.role === 'visitor') return;
    const { texts } = this.#parts;
    const author = message.role === 'agent' ? this.#chat.store.state.agent?.name : undefined;
    const words = `${texts.says(author ?? texts[message.role])} ${plainText(parseMarkdown(message.text))}`;
    const text = this.#panel.state.isOpen ? words : texts.openChatUnread(this.#unread + 1);
    this.#panel.set({ announcement: { id: message.sequence, text } });
  }

  /** To the place to write; on a touch screen only to the panel, as the field would bring the keyboard up. */
  #focusPanel(): void {
    this.#focusSoon(matchMedia('(pointer: coarse)').matches ? panelId : composerId);
  }

  /** After the next drawing: what is to have the focus may not be there yet. */
  #focusSoon(id: string): void {
    requestAnimationFrame(() => this.#parts.root.getElementById(id)?.focus({ preventScroll: true }));
  }

  #draw(): void {
    const { options, texts, root } = this.#parts;
    const { isOpen, isOnline, announcement } = this.#panel.state;
    render(
      <div class="widget" dir={options.direction} lang={texts.language} data-position={options.position}>
        <WidgetContextProvider value={this.#context}>
          <Launcher isOpen={isOpen} unread={this.#unread} label={options.label} />
          <Panel chat={this.#chat.store.state} isOpen={isOpen} isOnline={isOnline} />
          <Announcer announcement={announcement} />
        </WidgetContextProvider>
      </div>,
      root,
    );
  }
}
