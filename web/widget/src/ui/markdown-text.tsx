import type { VNode } from 'preact';
import { useMemo } from 'preact/hooks';
import { parseMarkdown } from '../markdown/blocks.ts';
import { renderMarkdown } from '../markdown/render.tsx';
import { useWidget } from './widget-context.ts';

/** A text as markdown; the same text is read once, however often the list around it is drawn. */
export function MarkdownText({ text, unfinished = false }: { text: string; unfinished?: boolean }): VNode {
  const { texts } = useWidget();
  return useMemo(() => renderMarkdown(parseMarkdown(text, { unfinished }), texts), [text, unfinished, texts]);
}
