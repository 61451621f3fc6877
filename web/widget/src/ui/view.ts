import type { ChatState } from '../chat/chat-state.ts';
import type { Texts } from '../locale/en.ts';
import type { WidgetOptions } from '../options.ts';

/** What only this page knows: how the panel stands, apart from the conversation in it. */
export type PanelState = {
  isOpen: boolean;
  isOnline: boolean;
  /** What is being written. */
  text: string;
  /** Whether the end of the conversation is in sight; then it stays so while more comes. */
  isAtEnd: boolean;
  /** The question whether to begin a new conversation. */
  question: 'hidden' | 'asked' | 'failed';
  /** What a screen reader says next; each with an id of its own, so that the same words are said twice. */
  announcement: { id: number; text: string };
};

/** What the visitor can do. */
export type Actions = {
  open: () => void;
  close: () => void;
  write: (text: string) => void;
  send: (text: string) => void;
  resend: (id: string) => void;
  discard: (id: string) => void;
  stop: (turnId: string) => void;
  loadOlder: () => void;
  scrolled: (isAtEnd: boolean) => void;
  toLatest: () => void;
  /** Asks before it begins a new conversation, or takes the question back. */
  ask: (asks: boolean) => void;
  startAnew: () => void;
};

/** Everything that is drawn. The drawing is a pure function of it; what an element does by itself is in `panel-dom.ts`. */
export type View = {
  chat: ChatState;
  panel: PanelState;
  unread: number;
  texts: Texts;
  options: WidgetOptions;
  baseUrl: string;
  actions: Actions;
};
