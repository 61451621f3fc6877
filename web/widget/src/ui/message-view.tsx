import type { ChatMessage } from '@swarmgate/contract/web-chat.ts';
import type { ComponentChildren, VNode } from 'preact';
import type { OutboxEntry } from '../chat/outbox.ts';
import type { Turn } from '../chat/turns.ts';
import { parseMarkdown } from '../markdown/blocks.ts';
import { renderMarkdown } from '../markdown/render.tsx';
import { Icon } from './icons.tsx';
import { SourceList } from './source-list.tsx';
import { TextButton } from './text-button.tsx';
import { timeOf } from './time-of.ts';
import type { View } from './view.ts';

type MessageProps = { message: ChatMessage; begins: boolean; view: View };

const drawn = new WeakMap<ChatMessage, { begins: boolean; node: VNode }>();

/**
 * A message of the transcript. The first of a group says who wrote it, and when. A message does not change, so that it
 * is read and drawn once, however often the list around it is.
 */
export function MessageView({ message, begins, view }: MessageProps): VNode {
  const known = drawn.get(message);
  if (known?.begins === begins) return known.node;

  const { id, role, text, sources = [], createdAt } = message;
  const node = (
    <Frame id={id} from={role} begins={begins} view={view} time={timeOf(createdAt, view.options.locale)}>
      {role === 'visitor' ? <Bubble>{text}</Bubble> : renderMarkdown(parseMarkdown(text), view.texts)}
      {sources.length > 0 && <SourceList sources={sources} view={view} />}
    </Frame>
  );
  drawn.set(message, { begins, node });
  return node;
}

/** An answer in the making. */
export function DraftView({ turn, begins, view }: { turn: Turn; begins: boolean; view: View }): VNode {
  const { texts, actions } = view;
  return (
    <Frame from="agent" begins={begins} view={view}>
      {renderMarkdown(parseMarkdown(turn.text, { unfinished: true }), texts)}
      {!turn.isEnding && (
        <div class="draft-foot">
          <span class="dots" role="img" aria-label={texts.answering} />
          <button
            type="button"
            class="stop"
            aria-label={texts.stopAnswer}
            onClick={() => actions.stop(turn.turnId)}
          >
            <Icon name="stop" />
            {texts.stop}
          </button>
        </div>
      )}
    </Frame>
  );
}

/** A message of the visitor that is not accepted yet, with the reason and a choice when it cannot be. */
export function OutgoingView({
  entry,
  begins,
  view,
}: {
  entry: OutboxEntry;
  begins: boolean;
  view: View;
}): VNode {
  const { texts, actions } = view;
  const { id, text, refusal } = entry;
  return (
    <Frame
      from="visitor"
      begins={begins}
      view={view}
      state={refusal === undefined ? 'is-waiting' : 'is-refused'}
    >
      <Bubble>{text}</Bubble>
      <div class="state">
        <span>{refusal === undefined ? texts.waiting : texts.notSent(refusal)}</span>
        {refusal !== undefined && (
          <>
            <TextButton onClick={() => actions.resend(id)}>{texts.retry}</TextButton>
            <TextButton onClick={() => actions.discard(id)}>{texts.remove}</TextButton>
          </>
        )}
      </div>
    </Frame>
  );
}

type FrameProps = {
  id?: string;
  from: ChatMessage['role'];
  begins: boolean;
  view: View;
  time?: string;
  state?: string;
  children: ComponentChildren;
};

function Frame({ id, from, begins, view: { chat, texts }, time, state = '', children }: FrameProps): VNode {
  const author = (from === 'agent' && chat.agent?.name) || texts.authors[from];
  return (
    <div id={id} class={`message from-${from} ${state} ${begins ? 'begins' : ''}`}>
      {begins && (
        <p class="meta">
          <b class={from === 'visitor' ? 'visually-hidden' : ''} dir="auto">
            {author}
          </b>{' '}
          <time>{time}</time>
        </p>
      )}
      {children}
    </div>
  );
}

function Bubble({ children }: { children: string }): VNode {
  return (
    <div class="bubble" dir="auto">
      {children}
    </div>
  );
}
