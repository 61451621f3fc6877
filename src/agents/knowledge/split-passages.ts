import { createHeadingSlugs } from './heading-slugs.ts';
import { type Block, readBlocks } from './markdown-blocks.ts';
import { splitSentences } from './split-sentences.ts';

/** A piece of a document that can be found and quoted on its own. */
export type PassageDraft = {
  /** The headings above it from the outside in, `Configuration › Environment`; empty before the first one. */
  heading: string;
  /** The anchor of the nearest heading, as GitHub makes it; empty before the first one. */
  anchor: string;
  /** Markdown without emphasis and links: paragraphs, `- ` lists, tables as lists, code fences. */
  text: string;
};

/** Longer sections are cut into passages of about the same length, none above this, unless one word is. */
const passageCharactersMax = 1_200;

/**
 * Cuts a markdown document at its headings, and long sections at their paragraphs. A heading that the document begins
 * with and that stands alone on its level is the document's title: it is no part of the paths.
 */
export function splitPassages(markdown: string): PassageDraft[] {
  const blocks = readBlocks(markdown);
  return toSections(blocks, beginsWithTitle(blocks)).flatMap(({ heading, anchor, pieces }) =>
    pack(pieces.flatMap(bounded)).map((text) => ({ heading, anchor, text })),
  );
}

function beginsWithTitle(blocks: readonly Block[]): boolean {
  const [first] = blocks;
  if (first?.kind !== 'heading') return false;
  return blocks.filter((block) => block.kind === 'heading' && block.level <= first.level).length === 1;
}

type Piece = Exclude<Block, { kind: 'heading' }>;
type Section = { heading: string; anchor: string; pieces: Piece[] };

function toSections(blocks: readonly Block[], hasTitle: boolean): Section[] {
  const slugOf = createHeadingSlugs();
  const path: { level: number; text: string }[] = [];
  let section: Section = { heading: '', anchor: '', pieces: [] };
  const sections = [section];

  for (const [index, block] of blocks.entries()) {
    if (block.kind !== 'heading') {
      section.pieces.push(block);
      continue;
    }
    const anchor = slugOf(block.text);
    while ((path.at(-1)?.level ?? 0) >= block.level) path.pop();
    if (!(hasTitle && index === 0)) path.push(block);
    section = { heading: path.map(({ text }) => text).join(' › '), anchor, pieces: [] };
    sections.push(section);
  }
  return sections;
}

/** Texts that are each short enough; what has to be cut is cut between lines, then sentences, then words. */
function bounded(piece: Piece): string[] {
  const whole = write(piece);
  if (whole.length <= passageCharactersMax) return [whole];
  if (piece.kind === 'code') {
    const roomForCode = passageCharactersMax - piece.fence.length - 8;
    return pack(
      piece.lines.flatMap((line) => cutWords(line, roomForCode)),
      '\n',
      roomForCode,
    ).map((code) => write({ ...piece, lines: [code] }));
  }
  const [onlyLine] = piece.lines;
  const isParagraph = piece.lines.length === 1 && onlyLine !== undefined;
  const parts = isParagraph ? splitSentences(onlyLine) : piece.lines;
  return pack(
    parts.flatMap((part) => cutWords(part, passageCharactersMax)),
    isParagraph ? ' ' : '\n',
  );
}

function write(piece: Piece): string {
  const text = piece.lines.join('\n');
  return piece.kind === 'code' ? `${piece.fence}\n${text}\n\`\`\`` : text;
}

function cutWords(text: string, charactersMax: number): string[] {
  if (text.length <= charactersMax) return [text];
  return pack(text.match(new RegExp(`\\S{1,${charactersMax}}`, 'gu')) ?? [], ' ', charactersMax);
}

/** Joins neighbours into as few texts as the bound allows, of about the same length each. */
function pack(parts: readonly string[], glue = '\n\n', charactersMax = passageCharactersMax): string[] {
  const total = parts.reduce((sum, part) => sum + part.length + glue.length, 0);
  const goal = total / Math.max(Math.ceil(total / charactersMax), 1);
  const texts: string[] = [];
  for (const part of parts) {
    const last = texts.at(-1);
    const fits = last !== undefined && last.length + glue.length + part.length <= charactersMax;
    if (fits && last.length < goal * 0.9) texts[texts.length - 1] = last + glue + part;
    else texts.push(part);
  }
  return texts;
}
