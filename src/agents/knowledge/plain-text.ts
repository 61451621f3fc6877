/**
 * Takes the markup out of a line of markdown and keeps the words: links become their text, images their description,
 * emphasis disappears. Code spans stay as they are, backticks included, because what stands in them is meant letter by
 * letter.
 *
 * Every pattern is bounded: documents are a tenant's, and a line of a million brackets must not cost a million squared.
 */
export function toPlainText(markdown: string): string {
  return markdown
    .split(codeSpan)
    .map((part, index) => (index % 2 === 1 ? part : withoutMarkup(part)))
    .join('')
    .replace(/[ \t]+/g, ' ')
    .trim();
}

// Only these: `/webhooks/<platform>` is no HTML.
const htmlTags =
  'a|b|br|center|code|details|div|em|h[1-6]|hr|i|img|kbd|li|ol|p|picture|small|source|span|strong|sub|summary|sup|table|tbody|td|th|thead|tr|u|ul';

const codeSpan = /(`[^`\n]{1,1000}`)/;

const markup: readonly [RegExp, string][] = [
  [/!\[([^[\]]{0,500})\]\([^()\s]{0,2000}(?:\s"[^"]{0,500}")?\)/g, '$1'], // image
  [/\[([^[\]]{1,500})\]\([^()\s]{0,2000}(?:\s"[^"]{0,500}")?\)/g, '$1'], // link
  [/\[([^[\]]{1,500})\]\[[^[\]]{0,200}\]/g, '$1'], // link by reference
  [/<(https?:\/\/[^<>\s]{1,2000})>/g, '$1'],
  [new RegExp(`</?(?:${htmlTags})(?:\\s[^<>]{0,500})?/?>`, 'gi'), ''],
  [/\*\*([^*\n]{1,1000})\*\*/g, '$1'],
  [/(?<!\w)__([^_\n]{1,1000})__(?!\w)/g, '$1'],
  [/(?<![*\w])\*([^*\s][^*\n]{0,1000})\*(?!\w)/g, '$1'],
  [/(?<!\w)_([^_\s][^_\n]{0,1000})_(?!\w)/g, '$1'],
  [/~~([^~\n]{1,1000})~~/g, '$1'],
  [/\\([\\`*_{}[\]()#+\-.!|<>~])/g, '$1'],
  [/&nbsp;/g, ' '],
  [/&lt;/g, '<'],
  [/&gt;/g, '>'],
  [/&quot;/g, '"'],
  [/&amp;/g, '&'],
];

function withoutMarkup(text: string): string {
  return markup.reduce((rest, [pattern, replacement]) => rest.replace(pattern, replacement), text);
}
