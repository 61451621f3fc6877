import type { ChatMessage } from '@swarmgate/contract/web-chat.ts';

/** What a page can listen to. */
export type WidgetEvents = {
  open: undefined;
  close: undefined;
  /** The number of unread messages changed. */
  unread: number;
  /** A message came in, from either side. */
  message: ChatMessage;
};

/** Calls the page's listeners. A listener that throws is the page's own matter and stops nothing here. */
export class WidgetEventEmitter {
  readonly #listeners: { [Name in keyof WidgetEvents]?: ((detail: WidgetEvents[Name]) => void)[] } = {};

  on<Name extends keyof WidgetEvents>(name: Name, listener: (detail: WidgetEvents[Name]) => void): void {
    const listeners: ((detail: WidgetEvents[Name]) => void)[] = this.#listeners[name] ?? [];
    listeners.push(listener);
    Object.assign(this.#listeners, { [name]: listeners });
  }

  emit<Name extends keyof WidgetEvents>(name: Name, detail: WidgetEvents[Name]): void {
    for (const listener of this.#listeners[name] ?? []) {
      try {
        listener(detail);
      } catch (error) {
        reportError(error);
      }
    }
  }
}
