import type { VNode } from 'preact';
import { IconButton } from './icon-button.tsx';
import { Icon } from './icons.tsx';
import { TextButton } from './text-button.tsx';
import type { View } from './view.ts';

/** Who answers here, and the buttons that concern the whole conversation. */
export function PanelHeader({ view }: { view: View }): VNode {
  const { chat, panel, texts, actions } = view;
  const isAsked = panel.question !== 'hidden';
  return (
    <>
      <div class="header">
        <span class="header-mark">
          <Icon name="mark" />
        </span>
        <div class="header-words">
          <h2 id="title" dir="auto">
            {chat.agent?.name ?? texts.chat}
          </h2>
          {chat.agent?.description && <p dir="auto">{chat.agent.description}</p>}
        </div>
        {chat.messages.length > 0 && (
          <IconButton icon="plus" label={texts.newConversation} onClick={() => actions.ask(!isAsked)} />
        )}
        <IconButton icon="close" label={texts.closeChat} onClick={actions.close} />
      </div>
      {isAsked && <NewConversationQuestion view={view} />}
    </>
  );
}

/** Asks once more: the way back to the present conversation is lost. */
function NewConversationQuestion({ view: { panel, texts, actions } }: { view: View }): VNode {
  return (
    <fieldset class="notice" aria-labelledby="question">
      <p id="question" role="alert">
        {panel.question === 'failed' ? texts.newConversationFailed : texts.newConversationQuestion}
      </p>
      <TextButton id="confirm" onClick={actions.startAnew}>
        {texts.newConversationConfirm}
      </TextButton>
      <TextButton onClick={() => actions.ask(false)}>{texts.newConversationCancel}</TextButton>
    </fieldset>
  );
}
