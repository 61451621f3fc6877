import { parseMarkdown } from './parse-markdown.ts';
import { renderPlainText } from './plain-text.ts';
import { splitMarkdown } from './split-markdown.ts';

/** What stands for an answer that shows nothing: platforms refuse a message without text. */
export const emptyAnswer = '…';

/**
 * An answer as plain texts of at most `lengthMax` UTF-16 units each, in order. There is always one: a Markdown text that
 * shows nothing gives {@link emptyAnswer}.
 */
export function plainParts(markdown: string, lengthMax: number): string[] {
  const parts = splitMarkdown(parseMarkdown(markdown), (part) => renderPlainText(part).length <= lengthMax);
  const texts = parts.map(renderPlainText).filter((text) => text.trim() !== '');
  return texts.length > 0 ? texts : [emptyAnswer];
}
