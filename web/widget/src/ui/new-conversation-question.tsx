import type { VNode } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { useWidget } from './widget-context.ts';

/** Asks once more: the way back to the present conversation is lost. */
export function NewConversationQuestion({ onDone }: { onDone: () => void }): VNode {
  const { texts, actions } = useWidget();
  const [hasFailed, setFailed] = useState(false);
  const confirm = useRef<HTMLButtonElement>(null);
  useEffect(() => confirm.current?.focus(), []);

  const startAnew = () => {
    actions.startAnew().then(onDone, () => setFailed(true));
  };
  const cancelOnEscape = (event: KeyboardEvent) => {
    if (event.key !== 'Escape') return;
    // Otherwise it would close the panel too.
    event.stopPropagation();
    onDone();
  };
  return (
    <fieldset class="question" aria-labelledby="question" onKeyDown={cancelOnEscape}>
      <p id="question" role={hasFailed ? 'alert' : undefined}>
        {hasFailed ? texts.newConversationFailed : texts.newConversationQuestion}
      </p>
      <button type="button" class="text-button" ref={confirm} onClick={startAnew}>
        {texts.newConversationConfirm}
      </button>
      <button type="button" class="text-button" onClick={onDone}>
        {texts.newConversationCancel}
      </button>
    </fieldset>
  );
}
