import { parseInline } from './inline.ts';
import { type ListItemMarker, readListMarker } from './list-marker.ts';
import type { Block } from './nodes.ts';
import { readTable } from './table.ts';
import { withholdUnfinishedLine } from './unfinished.ts';

/** Deeper quotes and lists are read as text: nobody means them, and every level reads its lines once more. */
const depthMax = 8;
const fencePattern = /^( *)(`{3,}|~{3,})[ \t]*([^`]*)$/;
const headingPattern = /^ {0,3}(#{1,6})(?:[ \t]+|$)/;
const rulePattern = /^ {0,3}([-*_])(?:[ \t]*\1){2,}[ \t]*$/;
const quotePattern = /^ {0,3}> ?/;

/** A block and the line after it. */
type Read = { block: Block; next: number };

/**
 * Reads a message's markdown: headings, lists, code, tables, quotes, rules, paragraphs; a line end in a paragraph is
 * a line break, as people write in a chat. Everything else is text. `unfinished` says that more is still to come.
 */
export function parseMarkdown(source: string, { unfinished = false } = {}): Block[] {
  const lines = source.split(/\r\n?|\n/).map(withSpacesForTabs);
  return new BlockParser(unfinished ? withholdUnfinishedLine(lines) : lines, 0, unfinished).parse();
}

class BlockParser {
  readonly #lines: readonly string[];
  readonly #depth: number;
  readonly #unfinished: boolean;

  constructor(lines: readonly string[], depth: number, unfinished: boolean) {
    this.#lines = lines;
    this.#depth = depth;
    this.#unfinished = unfinished;
  }

  parse(): Block[] {
    const blocks: Block[] = [];
    let at = 0;
    while (at < this.#lines.length) {
      if (this.#isBlank(at)) {
        at += 1;
        continue;
      }
      const read = this.#readBlock(at);
      blocks.push(read.block);
      at = read.next;
    }
    return blocks;
  }

  #readBlock(at: number): Read {
    return (
      this.#readFence(at) ??
      this.#readHeading(at) ??
      this.#readRule(at) ??
      this.#readQuote(at) ??
      this.#readList(at) ??
      this.#readTable(at) ??
      this.#readParagraph(at)
    );
  }

  #readFence(at: number): Read | undefined {
    const match = fencePattern.exec(this.#line(at));
    if (!match) return undefined;

    const [, indentation = '', fence = '', information = ''] = match;
    let end = at + 1;
    while (end < this.#lines.length && !closesFence(this.#line(end), fence)) end += 1;
    const text = this.#lines
      .slice(at + 1, end)
      .map((line) => withoutIndentation(line, indentation.length))
      .join('\n');
    const language = information.trim().split(/\s/, 1)[0] ?? '';
    return { block: { kind: 'code', language, text }, next: end + 1 };
  }

  #readHeading(at: number): Read | undefined {
    const match = headingPattern.exec(this.#line(at));
    if (!match) return undefined;
    const text = withoutClosingHashes(this.#line(at).slice(match[0].length));
    const level = match[1]?.length ?? 1;
    return { block: { kind: 'heading', level, children: this.#inline(text, at + 1) }, next: at + 1 };
  }

  #readRule(at: number): Read | undefined {
    return rulePattern.test(this.#line(at)) ? { block: { kind: 'rule' }, next: at + 1 } : undefined;
  }

  #readQuote(at: number): Read | undefined {
    if (this.#depth >= depthMax) return undefined;
    let end = at;
    while (end < this.#lines.length && quotePattern.test(this.#line(end))) end += 1;
    if (end === at) return undefined;

    const quoted = this.#lines.slice(at, end).map((line) => line.replace(quotePattern, ''));
    return { block: { kind: 'quote', blocks: this.#nested(quoted, end) }, next: end };
  }

  #readList(at: number): Read | undefined {
    const first = readListMarker(this.#line(at));
    if (!first || first.isEmpty || this.#depth >= depthMax) return undefined;

    const items: Block[][] = [];
    let next = at;
    for (let marker = first; this.#belongs(marker, first, next); ) {
      const end = this.#endOfItem(next, marker);
      const lines = this.#lines
        .slice(next, end)
        .map((line) => withoutIndentation(line, marker.contentIndentation));
      lines[0] = this.#line(next).slice(marker.contentIndentation);
      items.push(this.#nested(lines, end));
      next = end;
      const following = next < this.#lines.length ? readListMarker(this.#line(next)) : undefined;
      if (!following) break;
      marker = following;
    }
    return { block: { kind: 'list', ordered: first.ordered, start: first.number, items }, next };
  }

  #belongs(marker: ListItemMarker, first: ListItemMarker, at: number): boolean {
    return marker.ordered === first.ordered && !rulePattern.test(this.#line(at));
  }

  /** An item goes on while lines are indented by two or more, or carry a paragraph on without a blank line between. */
  #endOfItem(start: number, marker: ListItemMarker): number {
    let end = start + 1;
    for (let at = start + 1; at < this.#lines.length; at += 1) {
      if (this.#isBlank(at)) continue;
      const line = this.#line(at);
      const nested = indentationOf(line) >= marker.indentation + 2;
      const carriesOn = end === at && !this.#startsBlock(at) && !readListMarker(line);
      if (!nested && !carriesOn) {
        // A blank line between two items belongs to neither.
        return readListMarker(line) ? at : end;
      }
      end = at + 1;
    }
    return end;
  }

  #readTable(at: number): Read | undefined {
    const table = readTable(this.#lines, at, this.#unfinished);
    if (!table) return undefined;
    const [header = [], ...rows] = table.rows.map((cells, index) => {
      const lineAfter = index === table.rows.length - 1 ? table.next : 0;
      return cells.map((cell, column) => this.#inline(cell, column === cells.length - 1 ? lineAfter : 0));
    });
    return { block: { kind: 'table', alignments: table.alignments, header, rows }, next: table.next };
  }

  #readParagraph(at: number): Read {
    let end = at + 1;
    while (end < this.#lines.length && !this.#isBlank(end) && !this.#interruptsParagraph(end)) end += 1;
    const text = this.#lines
      .slice(at, end)
      .map((line) => line.trim())
      .join('\n');
    return { block: { kind: 'paragraph', children: this.#inline(text, end) }, next: end };
  }

  #interruptsParagraph(at: number): boolean {
    if (this.#startsBlock(at)) return true;
    const marker = readListMarker(this.#line(at));
    // "in the year\n2024. That was" is no list.
    return marker !== undefined && !marker.isEmpty && marker.number === 1 && this.#depth < depthMax;
  }

  #startsBlock(at: number): boolean {
    const line = this.#line(at);
    return (
      fencePattern.test(line) ||
      headingPattern.test(line) ||
      rulePattern.test(line) ||
      (quotePattern.test(line) && this.#depth < depthMax) ||
      readTable(this.#lines, at, this.#unfinished) !== undefined
    );
  }

  #nested(lines: readonly string[], next: number): Block[] {
    return new BlockParser(lines, this.#depth + 1, this.#isOpenAt(next)).parse();
  }

  #inline(text: string, next: number) {
    return parseInline(text, this.#isOpenAt(next));
  }

  /** Only what reaches the very end can still grow. */
  #isOpenAt(next: number): boolean {
    return this.#unfinished && next >= this.#lines.length;
  }

  #isBlank(at: number): boolean {
    return this.#line(at).trim() === '';
  }

  #line(at: number): string {
    return this.#lines[at] ?? '';
  }
}

function closesFence(line: string, fence: string): boolean {
  const marker = line.trim();
  return marker.startsWith(fence) && marker === fence.charAt(0).repeat(marker.length);
}

function indentationOf(line: string): number {
  return line.length - line.trimStart().length;
}

function withoutIndentation(line: string, width: number): string {
  return line.slice(Math.min(width, indentationOf(line)));
}

/** "## Title ##" is closed by its last hashes, "# C#" is not. */
function withoutClosingHashes(text: string): string {
  const trimmed = text.trimEnd();
  let end = trimmed.length;
  while (trimmed.charAt(end - 1) === '#') end -= 1;
  const closes = end === 0 || trimmed.charAt(end - 1) === ' ';
  return closes ? trimmed.slice(0, end).trim() : trimmed;
}

function withSpacesForTabs(line: string): string {
  const text = line.trimStart();
  const indentation = line.slice(0, line.length - text.length);
  return indentation.includes('\t') ? indentation.replaceAll('\t', '    ') + text : line;
}
