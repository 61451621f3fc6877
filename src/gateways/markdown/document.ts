/**
 * What an answer is made of: the nodes of mdast (https://github.com/syntax-tree/mdast) that platforms have to show. HTML
 * is text here, references are links already, and nothing knows its place in the source.
 */

export type Root = { type: 'root'; children: Block[] };

export type Block = Paragraph | Heading | Blockquote | List | Code | Table | ThematicBreak;

export type Paragraph = { type: 'paragraph'; children: Inline[] };
export type Heading = { type: 'heading'; depth: 1 | 2 | 3 | 4 | 5 | 6; children: Inline[] };
export type Blockquote = { type: 'blockquote'; children: Block[] };
/** `start` is the number of the first item and is there in ordered lists only. */
export type List = { type: 'list'; ordered: boolean; start?: number; children: ListItem[] };
/** `continued`: the item began in an earlier part, which shows its bullet or number. */
export type ListItem = { type: 'listItem'; checked?: boolean; continued?: true; children: Block[] };
export type Code = { type: 'code'; lang?: string; meta?: string; value: string };
/** The first row is the header. */
export type Table = { type: 'table'; align: ('left' | 'right' | 'center' | null)[]; children: TableRow[] };
export type TableRow = { type: 'tableRow'; children: TableCell[] };
export type TableCell = { type: 'tableCell'; children: Inline[] };
export type ThematicBreak = { type: 'thematicBreak' };

export type Inline = Text | Strong | Emphasis | Delete | InlineCode | Link | Image | Break;

export type Text = { type: 'text'; value: string };
export type Strong = { type: 'strong'; children: Inline[] };
export type Emphasis = { type: 'emphasis'; children: Inline[] };
export type Delete = { type: 'delete'; children: Inline[] };
export type InlineCode = { type: 'inlineCode'; value: string };
export type Link = { type: 'link'; url: string; children: Inline[] };
export type Image = { type: 'image'; url: string; alt: string };
export type Break = { type: 'break' };

/** The characters that inline content shows, without styles and addresses. */
export function textOf(nodes: readonly Inline[]): string {
  return nodes.map(textOfOne).join('');
}

function textOfOne(node: Inline): string {
  switch (node.type) {
    case 'text':
    case 'inlineCode':
      return node.value;
    case 'image':
      return node.alt;
    case 'break':
      return '\n';
    default:
      return textOf(node.children);
  }
}

/** A link that says nothing but its own address: `https://a.example`, `www.a.example`, `a@b.example`. */
export function isBareLink({ url, children }: Link): boolean {
  const label = textOf(children);
  return label === '' || label === url || url === `http://${label}` || url === `mailto:${label}`;
}
