import type { VNode } from 'preact';
import { useRef } from 'preact/hooks';
import type { ChatState } from '../chat/chat-state.ts';
import { Icon } from './icons.tsx';
import { MarkdownText } from './markdown-text.tsx';
import { DraftView, MessageView, OutgoingView } from './message-view.tsx';
import { SuggestionChips } from './suggestion-chips.tsx';
import { dayOf } from './times.ts';
import { type Row, transcriptRows } from './transcript-rows.ts';
import { useScrollPosition } from './use-scroll-position.ts';
import { useWidget } from './widget-context.ts';

/** The conversation. The log is not live: an answer that streams in would be read out in pieces (see Announcer). */
export function MessageList({ chat }: { chat: ChatState }): VNode {
  const { texts, actions } = useWidget();
  const list = useRef<HTMLDivElement>(null);
  const firstKey = chat.messages[0]?.id;
  const { isAtEnd, toEnd, onScroll } = useScrollPosition(list, firstKey, chat.outbox.length);
  const rows = transcriptRows(chat);
  return (
    <div class="scroll">
      <div
        class="log"
        role="log"
        aria-live="off"
        aria-label={texts.conversation}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard (WCAG 2.1.1)
        tabIndex={0}
        ref={list}
        onScroll={onScroll}
      >
        {chat.hasOlder ? (
          <div class="older">
            <button
              type="button"
              class="text-button"
              disabled={chat.isLoadingOlder}
              onClick={actions.loadOlder}
            >
              {chat.isLoadingOlder ? texts.loadingOlder : texts.showOlder}
            </button>
          </div>
        ) : (
          <Welcome agent={chat.agent} isEmpty={rows.length === 0} />
        )}
        {rows.map((row) => (
          <RowView key={row.key} row={row} agentName={chat.agent?.name} />
        ))}
      </div>
      {!isAtEnd && (
        <button
          type="button"
          class="icon-button to-latest"
          aria-label={texts.toLatest}
          title={texts.toLatest}
          onClick={toEnd}
        >
          <Icon name="down" />
        </button>
      )}
    </div>
  );
}

function Welcome({ agent, isEmpty }: { agent: ChatState['agent']; isEmpty: boolean }): VNode | null {
  if (!agent) return null;
  const { greeting, suggestions = [] } = agent;
  return (
    <>
      {greeting && (
        <div class="message from-agent" dir="auto">
          <MarkdownText text={greeting} />
        </div>
      )}
      {isEmpty && suggestions.length > 0 && <SuggestionChips suggestions={suggestions} />}
    </>
  );
}

function RowView({ row, agentName }: { row: Row; agentName: string | undefined }): VNode {
  const { texts, locale } = useWidget();
  const { you: visitor, operator, system } = texts;
  const names = { visitor, agent: agentName ?? texts.agent, operator, system };
  switch (row.kind) {
    case 'day':
      return <p class="day">{dayOf(row.iso, locale, texts)}</p>;
    case 'message':
      return (
        <MessageView message={row.message} author={row.beginsGroup ? names[row.message.role] : undefined} />
      );
    case 'draft':
      return <DraftView turn={row.turn} author={row.beginsGroup ? names.agent : undefined} />;
    case 'outgoing':
      return <OutgoingView entry={row.entry} author={row.beginsGroup ? names.visitor : undefined} />;
  }
}
