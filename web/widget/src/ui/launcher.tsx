import type { VNode } from 'preact';
import { Icon } from './icons.tsx';
import { useWidget } from './widget-context.ts';

export const launcherId = 'launcher';

/** The button that opens and closes the panel; its name says how many messages wait. */
export function Launcher({
  isOpen,
  unread,
  label,
}: {
  isOpen: boolean;
  unread: number;
  label: string;
}): VNode {
  const { texts, actions } = useWidget();
  const closedName = unread > 0 ? texts.openChatUnread(unread) : texts.openChat;
  // A name must contain the words that are seen (WCAG 2.5.3).
  const name = isOpen ? texts.closeChat : [label, closedName].filter(Boolean).join(' – ');
  return (
    <button
      type="button"
      id={launcherId}
      class="launcher"
      aria-label={name}
      aria-expanded={isOpen}
      onClick={isOpen ? actions.close : actions.open}
    >
      <Icon name={isOpen ? 'down' : 'chat'} />
      {label && !isOpen && <span class="launcher-label">{label}</span>}
      {unread > 0 && !isOpen && (
        <span class="badge" aria-hidden="true">
          {unread > 99 ? '99+' : unread}
        </span>
      )}
    </button>
  );
}
