import { createContext } from 'preact';
import { useContext } from 'preact/hooks';
import type { Texts } from '../locale/en.ts';

/** What the visitor can do. */
export type Actions = {
  open: () => void;
  close: () => void;
  send: (text: string) => void;
  resend: (id: string) => void;
  discard: (id: string) => void;
  stop: (turnId: string) => void;
  loadOlder: () => void;
  startAnew: () => Promise<void>;
};

/** What every part of the panel needs and none of them changes. */
export type WidgetContext = {
  texts: Texts;
  actions: Actions;
  locale: string;
  baseUrl: string;
  /** Keeps what is being written over a reload. */
  draftText: { get: () => string; set: (text: string) => void };
};

const context = createContext<WidgetContext | undefined>(undefined);

export const WidgetContextProvider = context.Provider;

export function useWidget(): WidgetContext {
  const value = useContext(context);
  if (!value) throw new Error('A part of the widget stands outside of it.');
  return value;
}
