import type { VNode } from 'preact';
import { useRef } from 'preact/hooks';
import type { ChatState } from '../chat/chat-state.ts';
import { Composer } from './composer.tsx';
import { ConnectionNotice } from './connection-notice.tsx';
import { MessageList } from './message-list.tsx';
import { PanelHeader, panelTitleId } from './panel-header.tsx';
import { useDialog } from './use-dialog.ts';
import { useWidget } from './widget-context.ts';

type PanelProps = { chat: ChatState; isOpen: boolean; isOnline: boolean };

export const panelId = 'panel';

/** The conversation and the place to write; drawn only while it is open. */
export function Panel({ chat, isOpen, isOnline }: PanelProps): VNode {
  const { actions } = useWidget();
  const panel = useRef<HTMLDialogElement>(null);
  useDialog(panel, isOpen, actions.close);

  const closeOnEscape = (event: KeyboardEvent) => {
    if (event.key !== 'Escape' || event.isComposing) return;
    event.preventDefault();
    actions.close();
  };
  return (
    <dialog
      id={panelId}
      class="panel"
      ref={panel}
      tabIndex={-1}
      aria-labelledby={panelTitleId}
      onKeyDown={closeOnEscape}
    >
      {isOpen && (
        <>
          <PanelHeader chat={chat} />
          <ConnectionNotice chat={chat} isOnline={isOnline} />
          <MessageList key={chat.conversationId} chat={chat} />
          {chat.status !== 'refused' && <Composer />}
        </>
      )}
    </dialog>
  );
}
