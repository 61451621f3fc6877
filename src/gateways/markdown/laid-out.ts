import { type Block, type Inline, isBareLink, type ListItem, type Root } from './document.ts';

/**
 * An answer laid out as one line of characters, so that every place where it can be cut is a number. Each block ends in a
 * character of its own; what cannot be torn (an image, a bare link, a row of a table) is a single one.
 */
export type LaidOut = {
  text: string;
  /** Where the line can be cut, ascending: 0, between grapheme clusters and blocks, the end. */
  cuts: readonly number[];
  root: LaidBlock;
};

export type LaidBlock = {
  node: Root | Block | ListItem;
  start: number;
  end: number;
  /** Of a root, a quote, a list or an item. */
  blocks?: LaidBlock[];
  /** Of a paragraph or a heading. */
  inlines?: LaidInline[];
};

export type LaidInline = { node: Inline; start: number; end: number; children?: LaidInline[] };

/** No writing system has a longer cluster; a letter under thousands of accents would fit into no message. */
const clusterLengthMax = 500;
const graphemes = new Intl.Segmenter('en', { granularity: 'grapheme' });
const blockEnd = '\n';
const untearable = '\uFFFC';

export function layOut(root: Root): LaidOut {
  const line = new Line();
  const laid = layBlock(root, line);
  return { text: line.text, cuts: findCuts(line), root: laid };
}

/** What is written down while nodes are visited. */
class Line {
  text = '';
  /** Ends of what a block shows, where its own last character stands. */
  readonly contentEnds = new Set<number>();
}

function layBlock(node: LaidBlock['node'], line: Line): LaidBlock {
  const laid: LaidBlock = { node, start: line.text.length, end: 0 };
  switch (node.type) {
    case 'root':
    case 'blockquote':
    case 'list':
    case 'listItem':
      laid.blocks = node.children.map((child) => layBlock(child, line));
      if (node.children.length === 0) endBlock(laid, line);
      break;
    case 'paragraph':
    case 'heading':
      laid.inlines = node.children.map((child) => layInline(child, line));
      endBlock(laid, line);
      break;
    case 'code':
      line.text += node.value;
      endBlock(laid, line);
      break;
    case 'table':
      line.text += untearable.repeat(Math.max(0, node.children.length - 1));
      endBlock(laid, line);
      break;
    case 'thematicBreak':
      endBlock(laid, line);
      break;
  }
  laid.end = line.text.length;
  return laid;
}

function endBlock({ start }: LaidBlock, line: Line): void {
  if (line.text.length > start) line.contentEnds.add(line.text.length);
  line.text += blockEnd;
}

function layInline(node: Inline, line: Line): LaidInline {
  const laid: LaidInline = { node, start: line.text.length, end: 0 };
  switch (node.type) {
    case 'text':
    case 'inlineCode':
      line.text += node.value;
      break;
    case 'break':
      line.text += '\n';
      break;
    case 'image':
      line.text += untearable;
      break;
    default:
      if (node.type === 'link' && isBareLink(node)) line.text += untearable;
      else laid.children = node.children.map((child) => layInline(child, line));
  }
  laid.end = line.text.length;
  return laid;
}

function findCuts({ text, contentEnds }: Line): number[] {
  const cuts: number[] = [];
  for (const { index, segment } of graphemes.segment(text)) {
    if (!contentEnds.has(index)) cuts.push(index);
    for (let at = clusterLengthMax; at < segment.length; at += clusterLengthMax)
      cuts.push(index + (isSecondHalf(segment, at) ? at - 1 : at));
  }
  cuts.push(text.length);
  return cuts;
}

function isSecondHalf(text: string, at: number): boolean {
  const unit = text.charCodeAt(at);
  return unit >= 0xdc00 && unit <= 0xdfff;
}
