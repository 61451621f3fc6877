import type { Definition, Root as MdastRoot, Nodes, PhrasingContent, RootContent } from 'mdast';
import type { Block, Inline, List, ListItem, Root, TableCell, TableRow } from './document.ts';

/**
 * Turns what the parser read into a {@link Root}: references become the links and images that they stand for, notes and
 * HTML become text. A definition that nothing refers to is shown, because agents list their sources that way.
 */
export function toDocument(tree: MdastRoot, sourceLength: number): Root {
  const scope: Scope = {
    definitions: new Map(),
    referred: new Set(),
    urlsLeft: Math.max(sourceLength, referredUrlsMax),
  };
  collect(tree, scope);
  return { type: 'root', children: toBlocks(tree.children, scope) };
}

/** A long address that is referred to a thousand times would make megabytes of a page; cmark has the same bound. */
const referredUrlsMax = 100_000;

type Scope = {
  definitions: Map<string, Definition>;
  referred: Set<string>;
  /** How many more characters references may bring in. */
  urlsLeft: number;
};

/** Of several definitions of one name the first counts (CommonMark 0.31.2, section 4.7). */
function collect(node: Nodes, scope: Scope): void {
  if (node.type === 'definition' && !scope.definitions.has(node.identifier))
    scope.definitions.set(node.identifier, node);
  if (node.type === 'linkReference' || node.type === 'imageReference') scope.referred.add(node.identifier);
  if ('children' in node) for (const child of node.children) collect(child, scope);
}

function toBlocks(nodes: readonly RootContent[], scope: Scope): Block[] {
  return nodes.flatMap((node) => toBlock(node, scope));
}

function toBlock(node: RootContent, scope: Scope): Block | Block[] {
  switch (node.type) {
    case 'paragraph':
      return { type: 'paragraph', children: toInlines(node.children, scope) };
    case 'heading':
      return { type: 'heading', depth: node.depth, children: toInlines(node.children, scope) };
    case 'blockquote':
      return { type: 'blockquote', children: toBlocks(node.children, scope) };
    case 'list': {
      const list: List = { type: 'list', ordered: node.ordered === true, children: [] };
      if (list.ordered) list.start = node.start ?? 1;
      list.children = node.children.map((item) => toItem(item, scope));
      return list;
    }
    case 'code':
      return {
        type: 'code',
        value: node.value,
        ...(node.lang && { lang: node.lang }),
        ...(node.meta && { meta: node.meta }),
      };
    case 'table':
      return {
        type: 'table',
        align: node.align ?? [],
        children: node.children.map((row): TableRow => {
          const cells = row.children.map(
            (cell): TableCell => ({ type: 'tableCell', children: toInlines(cell.children, scope) }),
          );
          return { type: 'tableRow', children: cells };
        }),
      };
    case 'thematicBreak':
      return { type: 'thematicBreak' };
    case 'html':
      return { type: 'paragraph', children: [{ type: 'text', value: node.value }] };
    case 'definition':
      return toSource(node, scope);
    case 'footnoteDefinition':
      return toNote(node.label ?? node.identifier, toBlocks(node.children, scope));
    default:
      // What is left is no block, and stands in none of the places that this is called for.
      return [];
  }
}

function toItem(node: Extract<RootContent, { type: 'listItem' }>, scope: Scope): ListItem {
  const children = toBlocks(node.children, scope);
  return typeof node.checked === 'boolean'
    ? { type: 'listItem', checked: node.checked, children }
    : { type: 'listItem', children };
}

function toSource(node: Definition, { definitions, referred }: Scope): Block[] {
  const isUsed = referred.has(node.identifier) && definitions.get(node.identifier) === node;
  if (isUsed) return [];
  const address: Inline = { type: 'link', url: node.url, children: [{ type: 'text', value: node.url }] };
  const label: Inline = { type: 'text', value: `[${node.label ?? node.identifier}]: ` };
  return [{ type: 'paragraph', children: [label, address] }];
}

function toNote(label: string, blocks: Block[]): Block[] {
  const mark: Inline = { type: 'text', value: `[${label}] ` };
  const [first, ...rest] = blocks;
  if (first?.type === 'paragraph')
    return [{ type: 'paragraph', children: [mark, ...first.children] }, ...rest];
  return [{ type: 'paragraph', children: [mark] }, ...blocks];
}

function toInlines(nodes: readonly PhrasingContent[], scope: Scope): Inline[] {
  const inlines: Inline[] = [];
  for (const node of nodes.flatMap((each) => toInline(each, scope))) {
    const last = inlines.at(-1);
    if (node.type === 'text' && last?.type === 'text') last.value += node.value;
    else inlines.push(node);
  }
  return inlines;
}

function toInline(node: PhrasingContent, scope: Scope): Inline | Inline[] {
  switch (node.type) {
    case 'text':
    case 'html':
      return { type: 'text', value: node.value };
    case 'inlineCode':
      return { type: 'inlineCode', value: node.value };
    case 'break':
      return { type: 'break' };
    case 'strong':
    case 'emphasis':
    case 'delete':
      return { type: node.type, children: toInlines(node.children, scope) };
    case 'link':
      return { type: 'link', url: node.url, children: toInlines(node.children, scope) };
    case 'image':
      return { type: 'image', url: node.url, alt: node.alt ?? '' };
    case 'linkReference': {
      const children = toInlines(node.children, scope);
      const url = refer(node.identifier, scope);
      return url === undefined ? children : { type: 'link', url, children };
    }
    case 'imageReference': {
      const alt = node.alt ?? '';
      const url = refer(node.identifier, scope);
      return url === undefined ? { type: 'text', value: alt } : { type: 'image', url, alt };
    }
    case 'footnoteReference':
      return { type: 'text', value: `[${node.label ?? node.identifier}]` };
  }
}

function refer(identifier: string, scope: Scope): string | undefined {
  const url = scope.definitions.get(identifier)?.url;
  if (url === undefined || url.length > scope.urlsLeft) return undefined;
  scope.urlsLeft -= url.length;
  return url;
}
