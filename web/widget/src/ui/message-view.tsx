import type { ChatMessage } from '@swarmgate/contract/web-chat.ts';
import type { ComponentChildren, VNode } from 'preact';
import type { OutboxEntry } from '../chat/outbox.ts';
import type { Turn } from '../chat/turns.ts';
import { Icon } from './icons.tsx';
import { MarkdownText } from './markdown-text.tsx';
import { SourceList } from './source-list.tsx';
import { timeOf } from './times.ts';
import { useWidget } from './widget-context.ts';

/** A message of the transcript. The first of a group says who wrote it, and when. */
export function MessageView({
  message,
  author,
}: {
  message: ChatMessage;
  author: string | undefined;
}): VNode {
  const { locale } = useWidget();
  const { role, text, sources = [] } = message;
  if (role === 'visitor') {
    return (
      <Frame from={role} author={author} time={timeOf(message.createdAt, locale)}>
        <Bubble>{text}</Bubble>
      </Frame>
    );
  }
  return (
    <Frame from={role} author={author} time={timeOf(message.createdAt, locale)}>
      <div dir="auto">
        <MarkdownText text={text} />
      </div>
      {sources.length > 0 && <SourceList sources={sources} />}
    </Frame>
  );
}

/** An answer in the making. */
export function DraftView({ turn, author }: { turn: Turn; author: string | undefined }): VNode {
  const { texts, actions } = useWidget();
  return (
    <Frame from="agent" author={author}>
      <div dir="auto">
        <MarkdownText text={turn.text} unfinished />
      </div>
      {!turn.isEnding && (
        <div class="draft-foot">
          <span class="dots" role="img" aria-label={texts.answering}>
            <span />
            <span />
            <span />
          </span>
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
export function OutgoingView({ entry, author }: { entry: OutboxEntry; author: string | undefined }): VNode {
  const { texts, actions } = useWidget();
  const isRefused = entry.refusal !== undefined;
  return (
    <Frame from="visitor" author={author} state={isRefused ? 'is-refused' : 'is-waiting'}>
      <Bubble>{entry.text}</Bubble>
      <div class="state">
        {isRefused ? (
          <>
            <span class="reason">{texts.notSent(entry.refusal ?? '')}</span>
            <button type="button" class="text-button" onClick={() => actions.resend(entry.id)}>
              {texts.retry}
            </button>
            <button type="button" class="text-button" onClick={() => actions.discard(entry.id)}>
              {texts.remove}
            </button>
          </>
        ) : (
          <span>{texts.waiting}</span>
        )}
      </div>
    </Frame>
  );
}

type FrameProps = {
  from: ChatMessage['role'];
  author: string | undefined;
  time?: string;
  state?: string;
  children: ComponentChildren;
};

function Frame({ from, author, time, state = '', children }: FrameProps): VNode {
  return (
    <div class={`message from-${from} ${state} ${author ? 'begins-group' : ''}`}>
      {author && (
        <p class="meta">
          {from === 'visitor' ? <span class="visually-hidden">{author} </span> : <b dir="auto">{author}</b>}
          {time && <time>{from === 'visitor' ? time : ` · ${time}`}</time>}
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
