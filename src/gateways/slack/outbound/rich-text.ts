import type { Root } from '../../markdown/document.ts';
import { parseMarkdown } from '../../markdown/parse-markdown.ts';
import { emptyAnswer } from '../../markdown/plain-parts.ts';
import { renderPlainText } from '../../markdown/plain-text.ts';
import { splitMarkdown } from '../../markdown/split-markdown.ts';
import type { RichTextBlock } from './rich-text-elements.ts';
import { toParts } from './rich-text-parts.ts';

/** What a Slack message shows, and the text for notifications, search and screen readers. */
export type RichText = { text: string; blocks: RichTextBlock[] };

/** Slack has refused texts above 4,000 characters (`msg_too_long`) and blocks above some 13,200. */
const textLengthMax = 3_900;
const blocksLengthMax = 12_000;

/**
 * An answer as Slack messages, in order, each within Slack's limits. There is always one, and its text is never empty,
 * which Slack refuses (`no_text`): Markdown that shows nothing gives `…`.
 */
export function slackParts(markdown: string): RichText[] {
  const parts = splitMarkdown(parseMarkdown(markdown), (part) => isWithinLimits(renderRichText(part)));
  const rendered = parts.map(renderRichText).filter(({ text }) => text.trim() !== '');
  return rendered.length > 0 ? rendered : [renderRichText(ofText(emptyAnswer))];
}

function isWithinLimits({ text, blocks }: RichText): boolean {
  return text.length <= textLengthMax && JSON.stringify(blocks).length <= blocksLengthMax;
}

function ofText(value: string): Root {
  return { type: 'root', children: [{ type: 'paragraph', children: [{ type: 'text', value }] }] };
}

/**
 * Writes an answer as a `rich_text` block. Every element says what it is, so a text can become no mention, link or format
 * of Slack's; in `text`, which Slack does read as its own markup, `&`, `<` and `>` are escaped
 * (https://docs.slack.dev/messaging/formatting-message-text). Headings are bold, tables preformatted, images links. No
 * blocks when there is nothing to show, because Slack refuses empty ones.
 */
export function renderRichText(root: Root): RichText {
  const elements = toParts(root.children);
  return {
    text: escapeText(renderPlainText(root)),
    blocks: elements.length > 0 ? [{ type: 'rich_text', elements }] : [],
  };
}

function escapeText(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
