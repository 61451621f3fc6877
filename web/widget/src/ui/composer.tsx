import type { VNode } from 'preact';
import type { Texts } from '../locale/en.ts';
import { Icon } from './icons.tsx';
import type { Actions } from './view.ts';

/** Where the visitor writes. Its title is its description to a screen reader. Enter sends, but not the Enter that picks a word in an input method. */
export function Composer({ text, texts, actions }: { text: string; texts: Texts; actions: Actions }): VNode {
  const words = text.trim();
  const send = (event: Event) => {
    event.preventDefault();
    if (words) actions.send(words);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === 'Enter' && !event.shiftKey && !event.isComposing) send(event);
  };
  return (
    <form class="composer" onSubmit={send}>
      <textarea
        id="composer"
        rows={1}
        dir="auto"
        enterkeyhint="send"
        aria-label={texts.writeMessage}
        title={texts.sendHint}
        placeholder={texts.writeMessage}
        value={text}
        onInput={(event) => actions.write(event.currentTarget.value)}
        onKeyDown={onKeyDown}
      />
      <button type="submit" class="send" aria-label={texts.sendMessage} disabled={!words}>
        <Icon name="send" />
      </button>
    </form>
  );
}
