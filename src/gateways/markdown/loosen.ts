import {
  type Block,
  type Inline,
  isBareLink,
  type List,
  type Root,
  type Table,
  type TableRow,
  textOf,
} from './document.ts';

/** Where content stands: makes the smallest answer that shows it there. */
type Place<Content> = (content: Content[]) => Root;
type Fits = (part: Root) => boolean;

/**
 * Turns what cannot be torn and fits into no part into text, which can: an image or a link whose address is too long, a
 * row of a table. A link or a table header is repeated in each part that it reaches into, so each is also let go if it
 * would take up more than about a third of one.
 */
export function loosen(root: Root, fits: Fits): Root {
  const place: Place<Block> = (children) => ({ type: 'root', children });
  return place(loosenBlocks(root.children, place, fits));
}

function loosenBlocks(blocks: readonly Block[], place: Place<Block>, fits: Fits): Block[] {
  return blocks.flatMap((block) => loosenBlock(block, place, fits));
}

function loosenBlock(block: Block, place: Place<Block>, fits: Fits): Block[] {
  switch (block.type) {
    case 'paragraph':
    case 'heading': {
      const inBlock: Place<Inline> = (children) => place([{ ...block, children }]);
      return [{ ...block, children: loosenInlines(block.children, inBlock, fits) }];
    }
    case 'blockquote': {
      const inQuote: Place<Block> = (children) => place([{ ...block, children }]);
      return [{ ...block, children: loosenBlocks(block.children, inQuote, fits) }];
    }
    case 'list':
      return [loosenList(block, place, fits)];
    case 'table':
      return loosenTable(block, place, fits);
    default:
      return [block];
  }
}

function loosenList(list: List, place: Place<Block>, fits: Fits): List {
  const children = list.children.map((item, index) => {
    const numbered: List = list.start === undefined ? list : { ...list, start: list.start + index };
    const inItem: Place<Block> = (blocks) =>
      place([{ ...numbered, children: [{ ...item, children: blocks }] }]);
    return { ...item, children: loosenBlocks(item.children, inItem, fits) };
  });
  return { ...list, children };
}

function loosenTable(table: Table, place: Place<Block>, fits: Fits): Block[] {
  if (fits(place([table]))) return [table];
  const [header, ...rows] = table.children;
  if (!header) return [];
  const fitsBelowHeader = (below: TableRow[]) => fits(place([{ ...table, children: [header, ...below] }]));
  if (!fitsBelowHeader([header, header])) return loosenBlock(rowsAsText(table.children), place, fits);

  const blocks: Block[] = [];
  let fitting: TableRow[] = [];
  const endTable = () => {
    const isFirst = blocks.length === 0;
    if (fitting.length > 0 || isFirst) blocks.push({ ...table, children: [header, ...fitting] });
    fitting = [];
  };
  for (const row of rows) {
    if (fitsBelowHeader([row])) {
      fitting.push(row);
      continue;
    }
    endTable();
    blocks.push(...loosenBlock(rowsAsText([row]), place, fits));
  }
  endTable();
  return blocks;
}

function rowsAsText(rows: readonly TableRow[]): Block {
  const lines = rows.map(({ children: cells }) =>
    cells.flatMap((cell, index): Inline[] => [...(index > 0 ? [text(' | ')] : []), ...cell.children]),
  );
  const children = lines.flatMap((line, index): Inline[] => [
    ...(index > 0 ? [{ type: 'break' } as const] : []),
    ...line,
  ]);
  return { type: 'paragraph', children };
}

function loosenInlines(nodes: readonly Inline[], place: Place<Inline>, fits: Fits): Inline[] {
  return nodes.flatMap((node) => loosenInline(node, place, fits));
}

function loosenInline(node: Inline, place: Place<Inline>, fits: Fits): Inline[] {
  switch (node.type) {
    case 'strong':
    case 'emphasis':
    case 'delete': {
      const inStyle: Place<Inline> = (children) => place([{ ...node, children }]);
      return [{ ...node, children: loosenInlines(node.children, inStyle, fits) }];
    }
    case 'image':
      if (fits(place([node]))) return [node];
      return [text(node.alt === '' ? node.url : `${node.alt} (${node.url})`)];
    case 'link': {
      if (isBareLink(node)) return fits(place([node])) ? [node] : [text(textOf(node.children) || node.url)];
      const repeated = { ...node, children: [text(node.url + node.url)] };
      if (!fits(place([repeated])))
        return [...loosenInlines(node.children, place, fits), text(` (${node.url})`)];
      const inLink: Place<Inline> = (children) => place([{ ...node, children }]);
      return [{ ...node, children: loosenInlines(node.children, inLink, fits) }];
    }
    default:
      return [node];
  }
}

function text(value: string): Inline {
  return { type: 'text', value };
}
