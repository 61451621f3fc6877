import type { Block, Inline } from './nodes.ts';

/** The words of a message as they are shown: what the tests compare with what was written. */
export function shownText(blocks: readonly Block[]): string {
  return blocks.map(blockText).filter(Boolean).join('\n');
}

function blockText(block: Block): string {
  switch (block.kind) {
    case 'paragraph':
    case 'heading':
      return inlineText(block.children);
    case 'code':
      return block.text;
    case 'quote':
      return shownText(block.blocks);
    case 'list':
      return block.items.map(shownText).join('\n');
    case 'table':
      return [block.header, ...block.rows].map((cells) => cells.map(inlineText).join(' ')).join('\n');
    case 'rule':
      return '';
  }
}

function inlineText(parts: readonly Inline[]): string {
  return parts.map(partText).join('');
}

function partText(part: Inline): string {
  if (typeof part === 'string') return part;
  if (part.kind === 'break') return '\n';
  return part.kind === 'code' ? part.text : inlineText(part.children);
}
