import type { TargetedEvent, VNode } from 'preact';
import { parseMarkdown } from '../markdown/blocks.ts';
import { renderMarkdown } from '../markdown/render.tsx';
import { IconButton } from './icon-button.tsx';
import { DraftView, MessageView, OutgoingView } from './message-view.tsx';
import { TextButton } from './text-button.tsx';
import { type Row, transcriptRows } from './transcript-rows.ts';
import type { View } from './view.ts';

const atEndWithinPx = 48;

/** The conversation. The log is not live: an answer that streams in would be read out in pieces. */
export function MessageList({ view }: { view: View }): VNode {
  const { chat, panel, texts, actions } = view;
  const rows = transcriptRows(chat);
  const onScroll = ({ currentTarget: log }: TargetedEvent<HTMLElement>) => {
    actions.scrolled(log.scrollHeight - log.scrollTop - log.clientHeight < atEndWithinPx);
  };
  return (
    <div class="scroll">
      <div
        id="log"
        class="log"
        role="log"
        aria-live="off"
        aria-label={texts.conversation}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard (WCAG 2.1.1)
        tabIndex={0}
        onScroll={onScroll}
      >
        {chat.hasOlder ? (
          <div class="older">
            <TextButton onClick={actions.loadOlder}>{texts.showOlder}</TextButton>
          </div>
        ) : (
          <Welcome view={view} isEmpty={rows.length === 0} />
        )}
        {rows.map((row) => (
          <RowView key={row.key} row={row} view={view} />
        ))}
      </div>
      {!panel.isAtEnd && (
        <IconButton icon="down" label={texts.toLatest} class="to-latest" onClick={actions.toLatest} />
      )}
    </div>
  );
}

/** The agent's greeting, and questions to begin with as long as nothing has been said. */
function Welcome({ view: { chat, texts, actions }, isEmpty }: { view: View; isEmpty: boolean }): VNode {
  const { greeting, suggestions = [] } = chat.agent ?? {};
  return (
    <>
      {greeting && <div class="message">{renderMarkdown(parseMarkdown(greeting), texts)}</div>}
      {isEmpty && suggestions.length > 0 && (
        <ul class="chips" aria-label={texts.suggestions}>
          {suggestions.map((suggestion) => (
            <li>
              <button type="button" class="chip" dir="auto" onClick={() => actions.send(suggestion)}>
                {suggestion}
              </button>
            </li>
          ))}
        </ul>
      )}
    </>
  );
}

function RowView({ row, view }: { row: Row; view: View }): VNode {
  const { begins } = row;
  if ('message' in row) return <MessageView message={row.message} begins={begins} view={view} />;
  if ('turn' in row) return <DraftView turn={row.turn} begins={begins} view={view} />;
  return <OutgoingView entry={row.entry} begins={begins} view={view} />;
}
