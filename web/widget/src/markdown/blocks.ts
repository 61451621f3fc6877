import { parseInline } from './inline.ts';
import { type ListItemMarker, readListMarker } from './list-marker.ts';
import type { Block, Inline } from './nodes.ts';
import { readTable } from './table.ts';
import { withholdUnfinishedLine } from './unfinished.ts';

/** The lines that are read, and how deep in quotes and lists they stand. `unfinished`: their end is still to come. */
type Lines = { lines: readonly string[]; depth: number; unfinished: boolean };

/** A block and the line after it. */
type Read = { block: Block; next: number };

/** Deeper quotes and lists are read as text: nobody means them, and every level reads its lines once more. */
const depthMax = 8;
const fencePattern = /^( *)(`{3,}|~{3,}) *([^`\s]*)[^`]*$/;
const headingPattern = /^ {0,3}(#{1,6})(?: +|$)/;
const rulePattern = /^ {0,3}([-*_])(?: *\1){2,} *$/;
const quotePattern = /^ {0,3}> ?/;

const readers = [readFence, readHeading, readRule, readQuote, readList, readTableBlock, readParagraph];

/**
 * Reads a message's markdown: headings, lists, code, tables, quotes, rules, paragraphs; a line end in a paragraph is
 * a line break, as people write in a chat. Everything else is text. `unfinished` says that more is still to come.
 */
export function parseMarkdown(source: string, { unfinished = false } = {}): Block[] {
  const lines = source.split(/\r\n?|\n/).map(withSpacesBeforeMarker);
  return parseLines({ lines: unfinished ? withholdUnfinishedLine(lines) : lines, depth: 0, unfinished });
}

function parseLines(source: Lines): Block[] {
  const blocks: Block[] = [];
  for (let at = 0; at < source.lines.length; ) {
    const line = source.lines[at] ?? '';
    const read = line.trim() && firstRead(source, at, line);
    if (read) blocks.push(read.block);
    at = read ? read.next : at + 1;
  }
  return blocks;
}

/** Tells whether a line ends the paragraph before it. "in the year\n2024. That was" is no list. */
function startsBlock({ lines }: Lines, at: number): boolean {
  const line = lines[at] ?? '';
  const patterns = [fencePattern, headingPattern, rulePattern, quotePattern, /^ *(?:[-*+]|1[.)]) +\S/];
  return (
    patterns.some((pattern) => pattern.test(line)) ||
    readTable(lines.slice(at, at + 2), 0, false) !== undefined
  );
}

/** The lines of a quote or an item; they may still grow if nothing stands after them. */
function inner({ lines, depth, unfinished }: Lines, part: readonly string[], next: number): Lines {
  return { lines: part, depth: depth + 1, unfinished: unfinished && next >= lines.length };
}

function withoutIndentation(line: string, width: number): string {
  return line.slice(Math.min(width, indentationOf(line)));
}

function indentationOf(line: string): number {
  return line.length - line.trimStart().length;
}

function firstRead(source: Lines, at: number, line: string): Read | undefined {
  for (const read of readers) {
    const found = read(source, at, line);
    if (found) return found;
  }
  return undefined;
}

function readFence({ lines }: Lines, at: number, line: string): Read | undefined {
  const [, indentation = '', fence = '', language = ''] = fencePattern.exec(line) ?? [];
  if (!fence) return undefined;
  let end = at + 1;
  while (end < lines.length && !closesFence(lines[end] ?? '', fence)) end += 1;
  const code = lines.slice(at + 1, end).map((inside) => withoutIndentation(inside, indentation.length));
  return { block: { kind: 'code', language, text: code.join('\n') }, next: end + 1 };
}

function closesFence(line: string, fence: string): boolean {
  const marker = line.trim();
  return marker.startsWith(fence) && marker === fence.charAt(0).repeat(marker.length);
}

function readHeading(source: Lines, at: number, line: string): Read | undefined {
  const [marker, hashes] = headingPattern.exec(line) ?? [];
  if (marker === undefined || !hashes) return undefined;
  const children = inline(source, withoutClosingHashes(line.slice(marker.length).trim()), at + 1);
  return { block: { kind: 'heading', level: hashes.length, children }, next: at + 1 };
}

/** "## Title ##" is closed by its last hashes, "# C#" is not. */
function withoutClosingHashes(text: string): string {
  const lastWord = text.slice(text.lastIndexOf(' ') + 1);
  return /^#+$/.test(lastWord) ? text.slice(0, -lastWord.length).trim() : text;
}

function readRule(_source: Lines, at: number, line: string): Read | undefined {
  return rulePattern.test(line) ? { block: { kind: 'rule' }, next: at + 1 } : undefined;
}

function readQuote(source: Lines, at: number): Read | undefined {
  const { lines, depth } = source;
  let end = at;
  while (end < lines.length && quotePattern.test(lines[end] ?? '')) end += 1;
  if (end === at || depth >= depthMax) return undefined;
  const quoted = lines.slice(at, end).map((line) => line.replace(quotePattern, ''));
  return { block: { kind: 'quote', blocks: parseLines(inner(source, quoted, end)) }, next: end };
}

function readList(source: Lines, at: number): Read | undefined {
  const first = readListMarker(source.lines[at]);
  if (!first || first.isEmpty || source.depth >= depthMax) return undefined;

  const items: Block[][] = [];
  let next = at;
  for (let marker: ListItemMarker | undefined = first; marker?.ordered === first.ordered; ) {
    const end = endOfItem(source, next, marker);
    const { contentIndentation } = marker;
    const [line = '', ...rest] = source.lines.slice(next, end);
    const part = [
      line.slice(contentIndentation),
      ...rest.map((more) => withoutIndentation(more, contentIndentation)),
    ];
    items.push(parseLines(inner(source, part, end)));
    next = end;
    marker = rulePattern.test(source.lines[next] ?? '') ? undefined : readListMarker(source.lines[next]);
  }
  return { block: { kind: 'list', ordered: first.ordered, start: first.number, items }, next };
}

/** An item goes on while lines are indented by two or more, or carry a paragraph on without a blank line between. */
function endOfItem(source: Lines, start: number, marker: ListItemMarker): number {
  let end = start + 1;
  for (let at = end; at < source.lines.length; at += 1) {
    const line = source.lines[at] ?? '';
    if (!line.trim()) continue;
    const isMarker = readListMarker(line) !== undefined;
    const isNested = indentationOf(line) >= marker.indentation + 2;
    // A blank line between two items belongs to neither.
    if (!isNested && isMarker) return at;
    if (!isNested && (end < at || startsBlock(source, at))) return end;
    end = at + 1;
  }
  return end;
}

function readTableBlock(source: Lines, at: number): Read | undefined {
  const table = readTable(source.lines, at, source.unfinished);
  if (!table) return undefined;
  const { alignments, next } = table;
  let left = table.rows.flat().length;
  const readCell = (cell: string) => {
    left -= 1;
    return inline(source, cell, left === 0 ? next : 0);
  };
  const [header = [], ...rows] = table.rows.map((cells) => cells.map(readCell));
  return { block: { kind: 'table', alignments, header, rows }, next };
}

function readParagraph(source: Lines, at: number): Read {
  const { lines } = source;
  let end = at + 1;
  while (lines[end]?.trim() && !startsBlock(source, end)) end += 1;
  const text = lines.slice(at, end).map((line) => line.trim());
  return { block: { kind: 'paragraph', children: inline(source, text.join('\n'), end) }, next: end };
}

/** Only what reaches the very end can still grow. */
function inline({ lines, unfinished }: Lines, text: string, next: number): Inline[] {
  return parseInline(text, unfinished && next >= lines.length);
}

/** Models indent nested lists by tabs too. Other lines keep theirs: they may be code. */
function withSpacesBeforeMarker(line: string): string {
  return /^\s+(?:[-*+]|\d{1,9}[.)]) /.test(line) ? line.replaceAll('\t', '    ') : line;
}
