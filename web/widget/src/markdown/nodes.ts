/** What the markdown of a message means, before anything is drawn: plain data, so that it can be tested without a page. */
export type Block =
  | { kind: 'paragraph'; children: Inline[] }
  | { kind: 'heading'; level: number; children: Inline[] }
  | { kind: 'code'; language: string; text: string }
  | { kind: 'quote'; blocks: Block[] }
  | { kind: 'list'; ordered: boolean; start: number; items: Block[][] }
  | { kind: 'table'; alignments: Alignment[]; header: Inline[][]; rows: Inline[][][] }
  | { kind: 'rule' };

export type Alignment = 'start' | 'center' | 'end';

export type Inline =
  | string
  | { kind: 'break' }
  | { kind: 'code'; text: string }
  | { kind: InlineWrap; children: Inline[] }
  | { kind: 'link'; href: string; children: Inline[] };

export type InlineWrap = 'strong' | 'emphasis' | 'strike';
