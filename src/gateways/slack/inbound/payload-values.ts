import { toPlainText } from './inbound-text.ts';
import { type Fields, fieldsOf, rowsOf, textOf } from './payload-fields.ts';

/**
 * What somebody has chosen or written in an interactive element, in words: a button says its label, a menu the labels
 * of what is selected. `undefined`: nothing.
 *
 * @see https://docs.slack.dev/reference/block-kit/block-elements/
 */
export function valueTextOf(element: Fields): string | undefined {
  return (
    labelOf(element) ??
    labelOf(fieldsOf(element['selected_option'])) ??
    listed(rowsOf(element['selected_options']).map(labelOf)) ??
    dateOf(element) ??
    selectedIdsOf(element) ??
    textOf(element['value']) ??
    richTextOf(element['rich_text_value'])
  );
}

/** The text of `{ text: { text } }`, as buttons, options and blocks with a label have it. */
export function labelOf(element: Fields): string | undefined {
  const text = textOf(fieldsOf(element['text'])['text']);
  return text === undefined ? undefined : textOf(toPlainText(text, new Set()));
}

function dateOf(element: Fields): string | undefined {
  const seconds = element['selected_date_time'];
  if (typeof seconds === 'number' && Math.abs(seconds) < 1e11) return new Date(seconds * 1_000).toISOString();
  return textOf(element['selected_date']) ?? textOf(element['selected_time']);
}

function selectedIdsOf(element: Fields): string | undefined {
  const selected = (one: string, many: string, mark: string) =>
    [element[one], ...asList(element[many])].map(textOf).map((id) => id && mark + id);
  return listed([
    ...selected('selected_user', 'selected_users', '@'),
    ...selected('selected_channel', 'selected_channels', '#'),
    ...selected('selected_conversation', 'selected_conversations', '#'),
  ]);
}

const richTextDepthMax = 8;
/** Whose elements are lines of their own. */
const standAlone: ReadonlySet<unknown> = new Set(['rich_text', 'rich_text_list']);

/** A text with formatting, without it. */
function richTextOf(value: unknown, depth = 0): string | undefined {
  if (depth > richTextDepthMax) return undefined;
  const part = fieldsOf(value);
  const elements = rowsOf(part['elements']).map((element) => richTextOf(element, depth + 1) ?? '');
  const mark = (sign: string, id: unknown) => textOf(id) && `${sign}${id}`;
  return (
    textOf(elements.join(standAlone.has(part['type']) ? '\n' : '')) ??
    textOf(part['text']) ??
    textOf(part['url']) ??
    mark('@', part['user_id']) ??
    mark('#', part['channel_id']) ??
    (textOf(part['name']) && `:${part['name']}:`)
  );
}

function asList(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function listed(texts: readonly (string | undefined)[]): string | undefined {
  return textOf(texts.filter(Boolean).join(', '));
}
