import type { VNode } from 'preact';
import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import { Icon } from './icons.tsx';
import { useWidget } from './widget-context.ts';

export const composerId = 'composer';

/** Where the visitor writes. Enter sends, but not the Enter that picks a word in an input method. */
export function Composer(): VNode {
  const { texts, actions, draftText } = useWidget();
  const [text, setText] = useState(draftText.get);
  const field = useRef<HTMLTextAreaElement>(null);

  useLayoutEffect(() => {
    draftText.set(text);
    fitHeight(field.current);
  }, [text, draftText]);

  const send = () => {
    if (text.trim() === '') return;
    actions.send(text.trim());
    setText('');
    field.current?.focus();
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    send();
  };
  const onSubmit = (event: Event) => {
    event.preventDefault();
    send();
  };
  return (
    <form class="composer" onSubmit={onSubmit}>
      <textarea
        id={composerId}
        ref={field}
        rows={1}
        dir="auto"
        enterkeyhint="send"
        aria-label={texts.writeMessage}
        aria-describedby="send-hint"
        placeholder={texts.writeMessage}
        value={text}
        onInput={(event) => setText(event.currentTarget.value)}
        onKeyDown={onKeyDown}
      />
      <span id="send-hint" class="visually-hidden">
        {texts.sendHint}
      </span>
      <button type="submit" class="send" aria-label={texts.sendMessage} disabled={text.trim() === ''}>
        <Icon name="send" />
      </button>
    </form>
  );
}

/** Grows with its text, up to the height that the style sheet allows. */
function fitHeight(field: HTMLTextAreaElement | null): void {
  if (!field) return;
  field.style.height = 'auto';
  field.style.height = `${field.scrollHeight}px`;
}
