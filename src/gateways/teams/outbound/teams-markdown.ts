import {
  type Block,
  type Inline,
  isBareLink,
  type List,
  type Root,
  type Table,
  textOf,
} from '../../markdown/document.ts';
import { emptyAnswer } from '../../markdown/plain-parts.ts';
import { renderInlines } from '../../markdown/plain-text.ts';
import { splitMarkdown } from '../../markdown/split-markdown.ts';

/**
 * An answer as texts of Teams messages, in order, in Markdown as Teams reads it. None takes more than `unitsMax` UTF-16
 * units in JSON, which is how it travels. There is always one: an answer that shows nothing gives `…`.
 */
export function teamsParts(root: Root, unitsMax: number): string[] {
  const parts = splitMarkdown(root, (part) => JSON.stringify(renderTeamsMarkdown(part)).length <= unitsMax);
  const rendered = parts.map(renderTeamsMarkdown).filter((text) => text.trim() !== '');
  return rendered.length > 0 ? rendered : [emptyAnswer];
}

/**
 * Writes an answer in the Markdown that Teams shows. What is text stays text: each character that Teams' Markdown or HTML
 * would read is escaped, so nothing that an answer quotes becomes a mention (`<at>`), a link or a format. Headings are
 * bold, tables preformatted with aligned columns, images links: Teams shows the first two in no other way.
 *
 * @see https://learn.microsoft.com/microsoftteams/platform/bots/how-to/format-your-bot-messages
 */
export function renderTeamsMarkdown(root: Root): string {
  return blocks(root.children);
}

function blocks(all: readonly Block[], gap = '\n\n'): string {
  return all
    .map(block)
    .filter((text) => text !== '')
    .join(gap);
}

function block(node: Block): string {
  switch (node.type) {
    case 'paragraph':
      return atLineStarts(inlines(node.children));
    case 'heading': {
      const text = inlines(node.children, new Set(['strong']));
      return text === '' ? '' : `**${text}**`;
    }
    case 'code':
      return fenced(node.value, node.lang);
    case 'blockquote':
      return prefixed(blocks(node.children), '> ', '> ');
    case 'list':
      return list(node);
    case 'table':
      return fenced(aligned(node));
    case 'thematicBreak':
      return '---';
  }
}

function list({ ordered, start = 1, children }: List): string {
  return children
    .map(({ checked, continued, children: inside }, index) => {
      const mark = ordered ? `${start + index}. ` : '- ';
      const task = checked === undefined ? '' : checked ? '☑ ' : '☐ ';
      const indent = ' '.repeat(mark.length);
      return prefixed(task + blocks(inside, '\n'), continued ? indent : mark, indent);
    })
    .join('\n');
}

function prefixed(text: string, first: string, others: string): string {
  return text
    .split('\n')
    .map((line, index) => (index === 0 ? first : line === '' ? others.trimEnd() : others) + line)
    .join('\n');
}

/** A fence that is longer than any within. */
function fenced(value: string, lang = ''): string {
  const longest = Math.max(2, ...[...value.matchAll(/`+/g)].map(([run]) => run.length));
  const fence = '`'.repeat(longest + 1);
  const language = /^[\w+#.-]{1,30}$/.test(lang) ? lang : '';
  return `${fence}${language}\n${value}\n${fence}`;
}

function aligned({ children, align }: Table): string {
  const rows = children.map((row) =>
    row.children.map((cell) => renderInlines(cell.children).replaceAll('\n', ' ')),
  );
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map((row) => widthOf(row[column] ?? ''))),
  );
  return rows
    .map((row) =>
      row
        .map((cell, column) => pad(cell, widths[column] ?? 0, align[column] === 'right'))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

function pad(text: string, width: number, isRight: boolean): string {
  const space = ' '.repeat(Math.max(0, width - widthOf(text)));
  return isRight ? space + text : text + space;
}

function widthOf(text: string): number {
  return [...text].length;
}

type Style = 'strong' | 'emphasis' | 'delete';

function inlines(nodes: readonly Inline[], within: ReadonlySet<Style> = new Set()): string {
  return nodes.map((node) => inline(node, within)).join('');
}

function inline(node: Inline, within: ReadonlySet<Style>): string {
  switch (node.type) {
    case 'text':
      return escapeText(node.value);
    case 'break':
      return '  \n';
    case 'inlineCode':
      return code(node.value);
    case 'strong':
      return styled(node, '**', within);
    case 'emphasis':
      return styled(node, '_', within);
    case 'delete':
      return styled(node, '~~', within);
    case 'image':
      return link(escapeText(node.alt || node.url), node.url);
    case 'link': {
      const label = isBareLink(node)
        ? escapeText(textOf(node.children) || node.url)
        : inlines(node.children, within);
      return link(label, node.url);
    }
  }
}

// Marks count only beside a word, and none counts twice.
function styled(node: Extract<Inline, { type: Style }>, mark: string, within: ReadonlySet<Style>): string {
  const inside = inlines(node.children, new Set([...within, node.type]));
  if (within.has(node.type)) return inside;
  const [, before = '', text = '', after = ''] = /^(\s*)([\s\S]*?)(\s*)$/.exec(inside) ?? [];
  return text === '' ? inside : before + mark + text + mark + after;
}

function code(value: string): string {
  const text = value.replaceAll('\n', ' ');
  const longest = Math.max(0, ...[...text.matchAll(/`+/g)].map(([run]) => run.length));
  const fence = '`'.repeat(longest + 1);
  const room = text.startsWith('`') || text.endsWith('`') ? ' ' : '';
  return `${fence}${room}${text}${room}${fence}`;
}

function link(label: string, url: string): string {
  if (!isLinkable(url)) return label;
  const address = url.replaceAll(/[\s<>()\\]/g, (sign) =>
    encodeURIComponent(sign).replace('(', '%28').replace(')', '%29'),
  );
  return `[${label.replaceAll('\n', ' ')}](${address})`;
}

function isLinkable(url: string): boolean {
  return URL.canParse(url) && ['http:', 'https:', 'mailto:', 'tel:'].includes(new URL(url).protocol);
}

/** A mark that stands alone among blanks is one for Teams, too; so all of them are escaped wherever they stand. */
function escapeText(text: string): string {
  return text.replaceAll(/[\\`*_~[\]|&<>]/g, (sign) => entities[sign] ?? `\\${sign}`);
}

const entities: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;' };

/** What makes a heading, a list, a rule, a quote or the head of a table only where a line begins. */
function atLineStarts(text: string): string {
  return text.replaceAll(/^(\s*)(?:([#+=-]|:(?=-))|(\d{1,9})([.)]))/gm, (_, blank, sign, digits, dot) =>
    sign === undefined ? `${blank}${digits}\\${dot}` : `${blank}\\${sign}`,
  );
}
