import { readButtons, readSources, shorten } from '../../answer-extras.ts';
import type { OutboundMessage } from '../../gateway.ts';
import { slackParts } from './rich-text.ts';
import type { SlackPart } from './send-posts.ts';

/** A message as the posts that show it: its text, then the places it rests on, then what can be pressed. */
export function composeParts(
  { text, content, attachments }: Pick<OutboundMessage, 'text' | 'content' | 'attachments'>,
  sourcesTitle: string,
): SlackPart[] {
  const sources = readSources(content['sources']);
  const buttons = readButtons(content['buttons']);
  const isTextNeeded = text.trim() !== '' || sources.length + buttons.length + attachments.length === 0;
  const parts: SlackPart[] = isTextNeeded ? slackParts(text) : [];
  if (sources.length > 0) addTo(parts, describeSources(sources, sourcesTitle));
  if (buttons.length > 0) addTo(parts, describeButtons(buttons));
  return parts;
}

/** `text` of chat.update may have 4,000 characters. @see https://docs.slack.dev/reference/methods/chat.update/ */
const textLengthMax = 4_000;
/** All blocks of a post together are refused somewhere above 13,000 characters of JSON. */
const blocksLengthMax = 12_000;

/** Below the last part while that has room, else as a part of its own. */
function addTo(parts: SlackPart[], more: SlackPart): void {
  const last = parts.at(-1);
  const joined = last && {
    text: [last.text, more.text].filter((text) => text !== '').join('\n\n'),
    blocks: [...last.blocks, ...more.blocks],
  };
  const fits =
    joined && joined.text.length <= textLengthMax && JSON.stringify(joined.blocks).length <= blocksLengthMax;
  if (fits) parts[parts.length - 1] = joined;
  else parts.push(more.text === '' ? { ...more, text: ' ' } : more);
}

/** Together within the limits of one post. */
const titleLengthMax = 150;

// Elements of rich text are shown as they are: no title becomes a mention or a format.
function describeSources(all: ReturnType<typeof readSources>, title: string): SlackPart {
  const sources = all.map(({ title, url }) => ({ title: shorten(title, titleLengthMax), url }));
  const list = {
    type: 'rich_text_list',
    style: 'ordered',
    elements: sources.map((source) => ({
      type: 'rich_text_section',
      elements: [
        source.url === undefined
          ? { type: 'text', text: source.title }
          : { type: 'link', url: source.url, text: source.title },
      ],
    })),
  };
  const heading = {
    type: 'rich_text_section',
    elements: [{ type: 'text', text: title, style: { bold: true } }],
  };
  const lines = sources.map((source, index) => `${index + 1}. ${escapeText(source.title)}`);
  return {
    text: linesWithin(textLengthMax, [escapeText(title), ...lines]),
    blocks: [{ type: 'rich_text', elements: [heading, list] } as { type: string }],
  };
}

// The blocks are what people see; this stands in notifications.
function linesWithin(lengthMax: number, lines: readonly string[]): string {
  return lines.reduce((all, line) => (all.length + line.length < lengthMax ? `${all}\n${line}` : all));
}

/** @see https://docs.slack.dev/messaging/formatting-message-text/#escaping */
function escapeText(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

const labelLengthMax = 75;

/** @see https://docs.slack.dev/reference/block-kit/block-elements/button-element/ */
function describeButtons(buttons: ReturnType<typeof readButtons>): SlackPart {
  const elements = buttons.map(({ label, value }, index) => ({
    type: 'button',
    action_id: `swarmgate_button_${index}`,
    text: { type: 'plain_text', text: shorten(label, labelLengthMax), emoji: false },
    value,
  }));
  return { text: '', blocks: [{ type: 'actions', elements } as { type: string }] };
}
