import type { Block, Code, Inline, List, ListItem, Root, Table } from './document.ts';
import type { LaidBlock, LaidInline, LaidOut } from './laid-out.ts';

/**
 * The part of an answer from one place of its line to another. Lists go on with their number, tables repeat their header,
 * styles and links go on; white space at the two ends of a torn paragraph is left out.
 */
export function slice({ text, root }: LaidOut, from: number, to: number): Root {
  return { type: 'root', children: sliceBlocks(root, { text, from, to }) };
}

type Range = { text: string; from: number; to: number };

function sliceBlocks({ blocks = [] }: LaidBlock, range: Range): Block[] {
  return overlapping(blocks, range).flatMap((laid) => sliceBlock(laid, range) ?? []);
}

function sliceBlock(laid: LaidBlock, range: Range): Block | undefined {
  const { node } = laid;
  switch (node.type) {
    case 'paragraph':
    case 'heading':
      return sliceLeaf(laid, node, range);
    case 'code':
      return sliceCode(laid, node, range);
    case 'table':
      return sliceTable(laid, node, range);
    case 'blockquote': {
      const children = sliceBlocks(laid, range);
      return children.length > 0 || node.children.length === 0 ? { ...node, children } : undefined;
    }
    case 'list':
      return sliceList(laid, node, range);
    case 'thematicBreak':
      return node;
    default:
      return undefined;
  }
}

function sliceList({ blocks = [] }: LaidBlock, list: List, range: Range): List | undefined {
  const items = overlapping(blocks, range).flatMap((laid) => {
    const item = sliceItem(laid, range);
    return item ? [{ laid, item }] : [];
  });
  const [first] = items;
  if (!first) return undefined;
  const children = items.map(({ item }) => item);
  if (list.start === undefined) return { ...list, children };
  return { ...list, start: list.start + blocks.indexOf(first.laid), children };
}

function sliceItem(laid: LaidBlock, range: Range): ListItem | undefined {
  const item = laid.node as ListItem;
  const children = sliceBlocks(laid, range);
  if (children.length === 0 && item.children.length > 0) return undefined;
  return range.from > laid.start ? { ...item, continued: true, children } : { ...item, children };
}

function sliceTable({ start }: LaidBlock, table: Table, { from, to }: Range): Table {
  const [header, ...rows] = table.children;
  const below = rows.slice(Math.max(0, from - start), Math.max(0, to - start));
  return { ...table, children: header ? [header, ...below] : [] };
}

/** The line break at which code is cut is there in neither part: it is what the parts are apart by. */
function sliceCode({ start, end }: LaidBlock, code: Code, { from, to }: Range): Code {
  const value = code.value.slice(Math.max(0, from - start), Math.max(0, to - start));
  return { ...code, value: to < end && value.endsWith('\n') ? value.slice(0, -1) : value };
}

function sliceLeaf<Leaf extends Block & { children: Inline[] }>(
  { start, end, inlines = [] }: LaidBlock,
  leaf: Leaf,
  range: Range,
): Leaf | undefined {
  const { text } = range;
  const contentEnd = end - 1;
  let from = Math.max(range.from, start);
  let to = Math.min(range.to, contentEnd);
  if (from > start) while (from < to && isSpace(text, from)) from++;
  if (to < contentEnd) while (to > from && isSpace(text, to - 1)) to--;
  if (from >= to && contentEnd > start) return undefined;
  return { ...leaf, children: sliceInlines(inlines, { text, from, to }) };
}

function sliceInlines(laid: readonly LaidInline[], range: Range): Inline[] {
  return overlapping(laid, range).map((each) => sliceInline(each, range));
}

function sliceInline({ node, start, children }: LaidInline, range: Range): Inline {
  if (node.type === 'text' || node.type === 'inlineCode')
    return { ...node, value: node.value.slice(Math.max(0, range.from - start), range.to - start) };
  return children ? ({ ...node, children: sliceInlines(children, range) } as Inline) : node;
}

export function isSpace(text: string, at: number): boolean {
  const character = text.charAt(at);
  return character !== '\u00a0' && /\s/.test(character);
}

/** Those of nodes in order that have something in the range, found without a look at all of them. */
function overlapping<Laid extends { start: number; end: number }>(
  nodes: readonly Laid[],
  { from, to }: Range,
): Laid[] {
  let low = 0;
  let high = nodes.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((nodes[middle]?.end ?? 0) <= from) low = middle + 1;
    else high = middle;
  }
  const found: Laid[] = [];
  for (let at = low; at < nodes.length; at++) {
    const node = nodes[at];
    if (!node || node.start >= to) break;
    if (node.end > node.start) found.push(node);
  }
  return found;
}
