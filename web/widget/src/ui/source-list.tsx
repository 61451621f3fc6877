import type { MessageSource } from '@swarmgate/contract/web-chat.ts';
import type { VNode } from 'preact';
import { safeHref } from '../markdown/safe-href.ts';
import type { View } from './view.ts';

type SourcesProps = { sources: readonly MessageSource[]; view: View };

/** The places that an answer rests on; a quote unfolds. */
export function SourceList({ sources, view }: SourcesProps): VNode {
  return (
    <div class="sources">
      <h3>{view.texts.sources}</h3>
      <ul>
        {sources.map((source, index) => (
          <li dir="auto">
            <Source source={{ ...source, title: `${index + 1}. ${source.title}` }} view={view} />
          </li>
        ))}
      </ul>
    </div>
  );
}

function Source({ source: { title, url, quote }, view }: { source: MessageSource; view: View }): VNode {
  const href = url === undefined ? undefined : safeHref(url, view.baseUrl);
  const link = (words: string) =>
    href && (
      <a href={href} target="_blank" rel="noopener noreferrer">
        {words}
      </a>
    );
  if (!quote) return <span>{link(title) ?? title}</span>;
  return (
    <details>
      <summary>{title}</summary>
      <blockquote>{quote}</blockquote>
      {link(view.texts.openSource)}
    </details>
  );
}
