import type { VNode } from 'preact';
import { useState } from 'preact/hooks';
import type { ChatState } from '../chat/chat-state.ts';
import { Icon } from './icons.tsx';
import { NewConversationQuestion } from './new-conversation-question.tsx';
import { useWidget } from './widget-context.ts';

export const panelTitleId = 'title';

/** Who answers here, and the buttons that concern the whole conversation. */
export function PanelHeader({ chat }: { chat: ChatState }): VNode {
  const { texts, actions } = useWidget();
  const [isAsking, setAsking] = useState(false);
  const canStartAnew = chat.status === 'ready' && chat.messages.length > 0;
  return (
    <>
      <div class="header">
        <span class="header-mark">
          <Icon name="mark" />
        </span>
        <div class="header-words">
          <h2 id={panelTitleId} dir="auto">
            {chat.agent?.name ?? texts.chat}
          </h2>
          {chat.agent?.description && <p dir="auto">{chat.agent.description}</p>}
        </div>
        {canStartAnew && (
          <button
            type="button"
            class="icon-button flips"
            aria-label={texts.newConversation}
            title={texts.newConversation}
            aria-expanded={isAsking}
            onClick={() => setAsking(!isAsking)}
          >
            <Icon name="pen" />
          </button>
        )}
        <button
          type="button"
          class="icon-button"
          aria-label={texts.closeChat}
          title={texts.closeChat}
          onClick={actions.close}
        >
          <Icon name="close" />
        </button>
      </div>
      {isAsking && <NewConversationQuestion onDone={() => setAsking(false)} />}
    </>
  );
}
