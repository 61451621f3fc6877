/**
 * The elements of Slack's `rich_text` block that answers are made of; the ones that mention somebody are not among them.
 * @see https://docs.slack.dev/reference/block-kit/blocks/rich-text-block
 */

export type RichTextBlock = { type: 'rich_text'; elements: RichTextPart[] };

export type RichTextPart = RichTextSection | RichTextList | RichTextPreformatted | RichTextQuote;

export type RichTextSection = { type: 'rich_text_section'; elements: RichTextElement[] };
/** `offset`: how many numbers are skipped at the beginning. `indent`: 0 to 8. */
export type RichTextList = {
  type: 'rich_text_list';
  style: 'bullet' | 'ordered';
  indent: number;
  offset?: number;
  border?: 1;
  elements: RichTextSection[];
};
export type RichTextPreformatted = {
  type: 'rich_text_preformatted';
  border?: 1;
  elements: RichTextText[];
};
export type RichTextQuote = { type: 'rich_text_quote'; elements: RichTextElement[] };

export type RichTextElement = RichTextText | RichTextLink;
/** `text` is never empty: Slack refuses the message otherwise. */
export type RichTextText = { type: 'text'; text: string; style?: RichTextStyle };
export type RichTextLink = { type: 'link'; url: string; text?: string; style?: RichTextStyle };
export type RichTextStyle = { bold?: true; italic?: true; strike?: true; code?: true };
