import type { VNode } from 'preact';
import { Composer } from './composer.tsx';
import { MessageList } from './message-list.tsx';
import { PanelHeader } from './panel-header.tsx';
import type { View } from './view.ts';

/** The conversation and the place to write; drawn only while it is open. */
export function Panel({ view }: { view: View }): VNode {
  const { chat, panel, texts, actions } = view;
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key !== 'Escape' || event.isComposing) return;
    event.preventDefault();
    if (panel.question === 'hidden') actions.close();
    else actions.ask(false);
  };
  // The browser closes a modal dialog by itself, as on Android's back gesture.
  const onClose = (event: Event) => {
    if (event.currentTarget instanceof HTMLDialogElement && !event.currentTarget.open) actions.close();
  };
  return (
    <dialog
      id="panel"
      class="panel"
      tabIndex={-1}
      aria-labelledby="title"
      onKeyDown={onKeyDown}
      onClose={onClose}
    >
      {panel.isOpen && (
        <>
          <PanelHeader view={view} />
          <Notice view={view} />
          <MessageList key={chat.conversationId} view={view} />
          {chat.status === 'refused' || <Composer text={panel.text} texts={texts} actions={actions} />}
        </>
      )}
    </dialog>
  );
}

/** Says when the chat cannot be reached, and what becomes of what is written meanwhile. */
function Notice({ view: { chat, panel, texts } }: { view: View }): VNode | null {
  if (chat.status === 'refused') return <p class="notice">{texts.refused(chat.refusal)}</p>;
  if (!panel.isOnline) return <p class="notice">{texts.offline}</p>;
  if (chat.status === 'ready' && chat.isConnected) return null;
  return <p class="notice is-patient">{chat.status === 'ready' ? texts.reconnecting : texts.connecting}</p>;
}
