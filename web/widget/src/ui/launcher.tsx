import type { VNode } from 'preact';
import { Icon } from './icons.tsx';
import type { View } from './view.ts';

/** The button that opens and closes the panel; its name says how many messages wait. */
export function Launcher({ view: { panel, unread, texts, options, actions } }: { view: View }): VNode {
  const { label } = options;
  const closedName = unread > 0 ? texts.openChatUnread(unread) : texts.openChat;
  return (
    <button
      type="button"
      id="launcher"
      class="launcher"
      // The name contains the words that are seen (WCAG 2.5.3).
      aria-label={panel.isOpen ? texts.closeChat : label ? `${label} – ${closedName}` : closedName}
      aria-expanded={panel.isOpen}
      onClick={panel.isOpen ? actions.close : actions.open}
    >
      <Icon name={panel.isOpen ? 'down' : 'chat'} />
      {label && !panel.isOpen && <span>{label}</span>}
      {unread > 0 && !panel.isOpen && (
        <span class="badge" aria-hidden="true">
          {unread > 99 ? '99+' : unread}
        </span>
      )}
    </button>
  );
}
