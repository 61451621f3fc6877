import type { VNode } from 'preact';
import type { ChatState } from '../chat/chat-state.ts';
import { useWidget } from './widget-context.ts';

/** Says when the chat cannot be reached, and what becomes of what is written meanwhile. */
export function ConnectionNotice({ chat, isOnline }: { chat: ChatState; isOnline: boolean }): VNode | null {
  const { texts } = useWidget();
  if (chat.status === 'refused') return <p class="notice">{texts.refused(chat.refusal)}</p>;
  if (!isOnline) return <p class="notice">{texts.offline}</p>;
  if (chat.status === 'ready' && chat.isConnected) return null;
  return <p class="notice is-patient">{chat.status === 'ready' ? texts.reconnecting : texts.connecting}</p>;
}
