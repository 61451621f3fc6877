import { type Block, type Inline, isBareLink, type List, type ListItem, type Root } from './document.ts';

/**
 * Writes an answer without any markup, for SMS and notifications: paragraphs apart by an empty line, `• ` and `1. ` before
 * items, `[x] ` before tasks, `> ` before quotes, a line a row of a table, `label (address)` for links and images. All
 * characters of the text itself stay as they are.
 */
export function renderPlainText(root: Root): string {
  return renderBlocks(root.children, () => '\n\n');
}

function renderBlocks(blocks: readonly Block[], gapBefore: (block: Block) => string): string {
  let text = '';
  for (const block of blocks) {
    const rendered = renderBlock(block);
    if (rendered !== '') text += (text === '' ? '' : gapBefore(block)) + rendered;
  }
  return text;
}

function renderBlock(block: Block): string {
  switch (block.type) {
    case 'paragraph':
    case 'heading':
      return renderInlines(block.children);
    case 'code':
      return block.value;
    case 'blockquote':
      return renderBlocks(block.children, () => '\n\n').replaceAll(/^(.?)/gm, (_, first: string) =>
        first === '' ? '>' : `> ${first}`,
      );
    case 'list':
      return renderList(block);
    case 'table':
      return block.children
        .map((row) => row.children.map((cell) => renderInlines(cell.children)).join(' | '))
        .join('\n');
    case 'thematicBreak':
      return '———';
  }
}

function renderList({ ordered, start = 1, children }: List): string {
  return children.map((item, index) => renderItem(item, ordered ? `${start + index}. ` : '• ')).join('\n');
}

function renderItem(item: ListItem, mark: string): string {
  const body = renderBlocks(item.children, (block) => (block.type === 'list' ? '\n' : '\n\n'));
  const indented = body.replaceAll(/\n(?=[^\n])/g, '\n  ');
  return (item.continued ? '  ' : markOf(item, mark)) + indented;
}

function markOf({ checked }: ListItem, mark: string): string {
  if (checked === undefined) return mark;
  return (mark === '• ' ? '' : mark) + (checked ? '[x] ' : '[ ] ');
}

/** Inline content without markup; addresses follow what they belong to. */
export function renderInlines(nodes: readonly Inline[]): string {
  return nodes.map(renderInline).join('');
}

function renderInline(node: Inline): string {
  switch (node.type) {
    case 'text':
    case 'inlineCode':
      return node.value;
    case 'break':
      return '\n';
    case 'image':
      return withAddress(node.alt, node.url);
    case 'link': {
      const label = renderInlines(node.children);
      return isBareLink(node) ? label || node.url : withAddress(label, node.url);
    }
    default:
      return renderInlines(node.children);
  }
}

function withAddress(label: string, url: string): string {
  return label === '' || label === url ? url : `${label} (${url})`;
}
