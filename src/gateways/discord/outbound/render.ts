import { alignTable } from '../../markdown/aligned-table.ts';
import {
  type Block,
  type Inline,
  isBareLink,
  type Link,
  type List,
  type ListItem,
  type Root,
  textOf,
} from '../../markdown/document.ts';
import { parseMarkdown } from '../../markdown/parse-markdown.ts';
import { emptyAnswer } from '../../markdown/plain-parts.ts';
import { splitMarkdown } from '../../markdown/split-markdown.ts';

/** @see https://discord.com/developers/docs/resources/message#create-message */
export const contentLengthMax = 2_000;

/** An answer as Discord messages, in order, each within the limit. There is always one, and it is never empty. */
export function discordParts(markdown: string): string[] {
  const parts = splitMarkdown(
    parseMarkdown(markdown),
    (part) => renderDiscord(part).length <= contentLengthMax,
  );
  const texts = parts.map(renderDiscord).filter((text) => text.trim() !== '');
  return texts.length > 0 ? texts : [emptyAnswer];
}

/**
 * Writes an answer in Discord's Markdown. What an answer quotes stays as it is: each sign that Discord would read is
 * escaped, so that a text becomes no mention, link or format. Links show no previews; tables are preformatted.
 *
 * @see https://support.discord.com/hc/en-us/articles/210298617
 */
export function renderDiscord(root: Root): string {
  return renderBlocks(root.children);
}

function renderBlocks(blocks: readonly Block[], gap = '\n\n'): string {
  let text = '';
  for (const block of blocks) {
    const rendered = renderBlock(block);
    if (rendered !== '') text += (text === '' ? '' : block.type === 'list' ? '\n' : gap) + rendered;
  }
  return text;
}

function renderBlock(block: Block): string {
  switch (block.type) {
    case 'paragraph':
      return renderInlines(block.children, true);
    case 'heading':
      // Discord knows three sizes.
      return block.depth <= 3
        ? `${'#'.repeat(block.depth)} ${renderInlines(block.children).replaceAll('\n', ' ')}`
        : `**${renderInlines(block.children)}**`;
    case 'code':
      return fence(block.value, block.lang);
    case 'table':
      return fence(alignTable(block));
    case 'blockquote':
      return renderBlocks(block.children).replaceAll(/^/gm, '> ');
    case 'list':
      return renderList(block);
    case 'thematicBreak':
      return '———';
  }
}

// Three backticks would end the block; a sign of no width between them is not seen.
function fence(value: string, lang = ''): string {
  const language = /^[\w+#.-]{1,20}$/.test(lang) ? lang : '';
  return `\`\`\`${language}\n${value.replaceAll('```', '``\u200b`')}\n\`\`\``;
}

function renderList({ ordered, start = 1, children }: List): string {
  return children.map((item, index) => renderItem(item, ordered ? `${start + index}. ` : '- ')).join('\n');
}

function renderItem(item: ListItem, mark: string): string {
  const box = item.checked === undefined ? '' : item.checked ? '☑ ' : '☐ ';
  const body = box + renderBlocks(item.children, '\n');
  const indented = body.replaceAll(/\n(?=[^\n])/g, '\n  ');
  return (item.continued ? '  ' : mark) + indented;
}

function renderInlines(nodes: readonly Inline[], atLineStart = false): string {
  let text = '';
  for (const node of nodes) text += renderInline(node, atLineStart && (text === '' || text.endsWith('\n')));
  return text;
}

function renderInline(node: Inline, atLineStart: boolean): string {
  switch (node.type) {
    case 'text':
      return escapeText(node.value, atLineStart);
    case 'break':
      return '\n';
    case 'inlineCode':
      return inlineCode(node.value);
    case 'image':
      return link(node.url, node.alt === '' ? undefined : escapeText(node.alt));
    case 'link':
      return link(node.url, labelOf(node));
    case 'strong':
      return marked('**', renderInlines(node.children));
    case 'emphasis':
      return marked('*', renderInlines(node.children));
    case 'delete':
      return marked('~~', renderInlines(node.children));
  }
}

function marked(mark: string, text: string): string {
  return text.trim() === '' ? text : mark + text + mark;
}

function inlineCode(value: string): string {
  if (!value.includes('`')) return `\`${value}\``;
  return `\`\` ${value.replaceAll('``', '`\u200b`')} \`\``;
}

function labelOf(node: Link): string | undefined {
  // A label that looks like another address would hide where the link leads; Discord refuses such links as well.
  return isBareLink(node) || /https?:\/\//.test(textOf(node.children))
    ? undefined
    : renderInlines(node.children);
}

/** In angle brackets a link shows no preview. */
function link(url: string, label: string | undefined): string {
  const address = webAddress(url);
  if (address === undefined) return label === undefined ? escapeText(url) : `${label} (${escapeText(url)})`;
  return label === undefined || label.trim() === '' ? `<${address}>` : `[${label}](<${address}>)`;
}

function webAddress(url: string): string | undefined {
  if (!URL.canParse(url)) return undefined;
  const { protocol, href } = new URL(url);
  return ['http:', 'https:'].includes(protocol) ? href.replaceAll('>', '%3E') : undefined;
}

/** Every sign that Discord reads anywhere, and those that it reads at the beginning of a line. */
export function escapeText(text: string, atLineStart = false): string {
  const escaped = text.replaceAll(/[\\*_~`|[\]<>]/g, '\\$&').replaceAll(/@(?=everyone|here)/g, '@\u200b');
  const lines = escaped
    .split('\n')
    .map((line, index) =>
      index === 0 && !atLineStart ? line : line.replace(/^(\s*)([#+-]|\d+(?=[.)]))/, escapeStart),
    );
  return lines.join('\n');
}

function escapeStart(_whole: string, space: string, sign: string): string {
  return /\d/.test(sign) ? `${space}${sign}\u200b` : `${space}\\${sign}`;
}
