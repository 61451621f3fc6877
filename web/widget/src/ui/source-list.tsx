import type { MessageSource } from '@swarmgate/contract/web-chat.ts';
import type { VNode } from 'preact';
import { safeHref } from '../markdown/safe-href.ts';
import { useWidget } from './widget-context.ts';

/** The places that an answer rests on; a quote unfolds. */
export function SourceList({ sources }: { sources: readonly MessageSource[] }): VNode {
  const { texts } = useWidget();
  return (
    <div class="sources">
      <h3>{texts.sources}</h3>
      <ul>
        {sources.map((source) => (
          <li class="source" dir="auto">
            <Source source={source} />
          </li>
        ))}
      </ul>
    </div>
  );
}

function Source({ source: { title, url, quote } }: { source: MessageSource }): VNode {
  const { texts, baseUrl } = useWidget();
  const href = url === undefined ? undefined : safeHref(url, baseUrl);
  if (!quote) return href ? <SourceLink href={href}>{title}</SourceLink> : <span>{title}</span>;
  return (
    <details>
      <summary>{title}</summary>
      <blockquote>{quote}</blockquote>
      {href && <SourceLink href={href}>{texts.openSource}</SourceLink>}
    </details>
  );
}

function SourceLink({ href, children }: { href: string; children: string }): VNode {
  return (
    <a href={href} target="_blank" rel="noopener noreferrer">
      {children}
    </a>
  );
}
