import { alignTable } from '../../markdown/aligned-table.ts';
import type { Block, List, ListItem } from '../../markdown/document.ts';
import type { RichTextElement, RichTextList, RichTextPart, RichTextStyle } from './rich-text-elements.ts';
import { mergeTexts, toElements } from './rich-text-inline.ts';

/** Blocks as the parts of one `rich_text` block, with the line breaks that keep them apart. */
export function toParts(blocks: readonly Block[]): RichTextPart[] {
  return keepApart(partsOf(blocks, { indent: 0, isQuoted: false }));
}

type Place = { indent: number; isQuoted: boolean };

const indentMax = 8;

function partsOf(blocks: readonly Block[], place: Place): RichTextPart[] {
  return blocks.flatMap((block) => partsOfBlock(block, place));
}

function partsOfBlock(block: Block, place: Place): RichTextPart[] {
  switch (block.type) {
    case 'paragraph':
    case 'heading':
      return flowing(elementsOf(block), place);
    case 'thematicBreak':
      return flowing([{ type: 'text', text: '———' }], place);
    case 'code':
      return [preformatted(block.value, place)];
    case 'table':
      return [preformatted(alignTable(block), place)];
    case 'blockquote':
      return partsOf(block.children, { ...place, isQuoted: true });
    case 'list':
      return partsOfList(block, place);
  }
}

type Flowing = Extract<Block, { type: 'paragraph' | 'heading' }>;

function elementsOf({ type, children }: Flowing): RichTextElement[] {
  const style: RichTextStyle = type === 'heading' ? { bold: true } : {};
  return toElements(children, style);
}

function flowing(elements: RichTextElement[], { isQuoted }: Place): RichTextPart[] {
  if (elements.length === 0) return [];
  return [{ type: isQuoted ? 'rich_text_quote' : 'rich_text_section', elements }];
}

function preformatted(text: string, { isQuoted }: Place): RichTextPart {
  return {
    type: 'rich_text_preformatted',
    ...(isQuoted && { border: 1 }),
    elements: [{ type: 'text', text: text || ' ' }],
  };
}

/** A list of Slack's has nothing in its items but text: what else stands in them comes between two lists. */
function partsOfList(list: List, place: Place): RichTextPart[] {
  const parts: RichTextPart[] = [];
  let open: RichTextList | undefined;
  for (const [index, item] of list.children.entries()) {
    const number = (list.start ?? 1) + index;
    const { line, rest } = openItem(item);
    if (item.continued) {
      parts.push(...flowing(line, place));
    } else {
      if (!open) {
        open = openList(list, number, place);
        parts.push(open);
      }
      const elements = mergeTexts([...markOf(list, item, number), ...line]);
      open.elements.push({
        type: 'rich_text_section',
        elements: elements.length > 0 ? elements : [{ type: 'text', text: ' ' }],
      });
    }
    if (rest.length === 0) continue;
    parts.push(...partsOf(rest, { ...place, indent: place.indent + 1 }));
    open = undefined;
  }
  return parts;
}

/** The paragraphs that an item begins with, and what follows them. */
function openItem({ children }: ListItem): { line: RichTextElement[]; rest: Block[] } {
  const at = children.findIndex(({ type }) => type !== 'paragraph' && type !== 'heading');
  const beginning = at === -1 ? children : children.slice(0, at);
  const paragraphs = beginning.flatMap((block) =>
    'children' in block ? [elementsOf(block as Flowing)] : [],
  );
  return { line: joinParagraphs(paragraphs), rest: at === -1 ? [] : children.slice(at) };
}

function openList(list: List, number: number, { indent, isQuoted }: Place): RichTextList {
  return {
    type: 'rich_text_list',
    style: isNumberedBySlack(list) ? 'ordered' : 'bullet',
    indent: Math.min(indent, indentMax),
    ...(isNumberedBySlack(list) && number > 1 && { offset: number - 1 }),
    ...(isQuoted && { border: 1 }),
    elements: [],
  };
}

function markOf(list: List, { checked }: ListItem, number: number): RichTextElement[] {
  const numbered = list.ordered && !isNumberedBySlack(list) ? `${number}. ` : '';
  const task = checked === undefined ? '' : checked ? '☑ ' : '☐ ';
  return numbered + task === '' ? [] : [{ type: 'text', text: numbered + task }];
}

/** Slack's numbers begin at 1 or above. */
function isNumberedBySlack({ ordered, start = 1 }: List): boolean {
  return ordered && start >= 1;
}

function joinParagraphs(paragraphs: readonly RichTextElement[][]): RichTextElement[] {
  return mergeTexts(
    paragraphs.flatMap((elements, index) => (index > 0 ? [lines('\n\n'), ...elements] : elements)),
  );
}

function lines(text: string): RichTextElement {
  return { type: 'text', text };
}

/**
 * Slack leaves no space between parts. As in the example of its documentation, paragraphs are one section with an empty
 * line between, and a section ends, or begins, with line breaks where something else follows, or was before.
 * @see https://docs.slack.dev/reference/block-kit/blocks/rich-text-block
 */
function keepApart(parts: readonly RichTextPart[]): RichTextPart[] {
  const apart: RichTextPart[] = [];
  for (const part of parts) {
    const before = apart.at(-1);
    if (!before) {
      apart.push(part);
    } else if (isFlowing(part) && before.type === part.type) {
      before.elements = joinParagraphs([before.elements, part.elements]);
    } else if (part.type === 'rich_text_section') {
      apart.push({ ...part, elements: mergeTexts([lines('\n'), ...part.elements]) });
    } else if (before.type === 'rich_text_section') {
      const gap = part.type === 'rich_text_list' ? '\n' : '\n\n';
      before.elements = mergeTexts([...before.elements, lines(gap)]);
      apart.push(part);
    } else if (before.type === 'rich_text_list' || part.type === 'rich_text_list') {
      apart.push(part);
    } else {
      apart.push({ type: 'rich_text_section', elements: [lines('\n')] }, part);
    }
  }
  return apart;
}

function isFlowing(part: RichTextPart) {
  return part.type === 'rich_text_section' || part.type === 'rich_text_quote';
}
