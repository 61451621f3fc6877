import { toPlainText } from './plain-text.ts';

/** What a document consists of, in reading order. A paragraph is one line; headings are without any markup. */
export type Block =
  | { kind: 'heading'; level: number; text: string }
  | { kind: 'text'; lines: string[] }
  | { kind: 'code'; fence: string; lines: string[] };

/**
 * Reads markdown as far as finding and quoting need it: headings, paragraphs, lists, tables, code fences, quotes. Front
 * matter, comments, rules and link definitions are left out.
 */
export function readBlocks(markdown: string): Block[] {
  const lines = withoutFrontMatter(withoutComments(markdown).split(/\r?\n/));
  const blocks: Block[] = [];
  let open: string[] = [];
  const close = () => {
    if (open.length > 0) blocks.push({ kind: 'text', lines: open.map(toPlainLine) });
    open = [];
  };

  for (let at = 0; at < lines.length; at++) {
    const line = (lines[at] ?? '').replace(quoteMark, '');
    const fence = fenceStart.exec(line);
    const heading = atxHeading.exec(line);

    if (fence) {
      close();
      const end = findFenceEnd(lines, at + 1, fence[2] ?? '');
      const indent = fence[1]?.length ?? 0;
      const code = lines
        .slice(at + 1, end)
        .map((codeLine) => withoutIndent(codeLine.replace(quoteMark, ''), indent));
      blocks.push({ kind: 'code', fence: `\`\`\`${fence[3] ?? ''}`, lines: code });
      at = end;
    } else if (heading) {
      close();
      blocks.push({ kind: 'heading', level: heading[1]?.length ?? 1, text: toHeadingText(heading[2] ?? '') });
    } else if (setextUnderline.test(line) && open.length === 1 && !listItem.test(open[0] ?? '')) {
      blocks.push({ kind: 'heading', level: line.includes('=') ? 1 : 2, text: toHeadingText(open[0] ?? '') });
      open = [];
    } else if (line.trim() === '' || rule.test(line) || linkDefinition.test(line)) {
      close();
    } else if (line.includes('|') && isTableDelimiter(lines[at + 1] ?? '')) {
      close();
      const end = findTableEnd(lines, at + 2);
      blocks.push({ kind: 'text', lines: readTable(lines.slice(at, end)) });
      at = end - 1;
    } else if (listItem.test(line) || open.length === 0) {
      if (open.length > 0 && !listItem.test(open[0] ?? '')) close();
      open.push(line);
    } else {
      open.push(`${open.pop()} ${line.trim()}`); // a line that goes on
    }
  }
  close();
  return blocks;
}

const quoteMark = /^ {0,3}>[ ]?/;
const fenceStart = /^(\s*)(`{3,}|~{3,})[ ]*([\w+#.-]*)/;
const atxHeading = /^ {0,3}(#{1,6})(?:[ \t](.*))?$/;
const setextUnderline = /^ {0,3}(?:=+|-{2,})[ \t]*$/;
const rule = /^ {0,3}(?:(?:-[ \t]*){3,}|(?:\*[ \t]*){3,}|(?:_[ \t]*){3,})$/;
const linkDefinition = /^ {0,3}\[[^\]]{1,200}\]:\s/;
const listItem = /^(\s*)([-*+]|\d{1,9}[.)])[ \t]+/;
const tableDelimiter = /^\|?\s*:?-+:?\s*(?:\|\s*:?-+:?\s*)*\|?$/;

function withoutComments(markdown: string): string {
  return markdown.replace(/<!--[\s\S]*?(?:-->|$)/g, '');
}

function withoutFrontMatter(lines: string[]): string[] {
  if (lines[0]?.trimEnd() !== '---') return lines;
  const end = lines.indexOf('---', 1);
  return end === -1 ? lines : lines.slice(end + 1);
}

function toHeadingText(text: string): string {
  const trimmed = text.trimEnd();
  let end = trimmed.length;
  while (trimmed[end - 1] === '#') end--;
  const isClosed = end === 0 || trimmed[end - 1] === ' '; // `## Heading ##`, but `## C#`
  return toPlainText(isClosed ? trimmed.slice(0, end) : trimmed).replaceAll('`', '');
}

function isTableDelimiter(line: string): boolean {
  return line.includes('|') && tableDelimiter.test(line.trim());
}

function findFenceEnd(lines: readonly string[], from: number, mark: string): number {
  for (let at = from; at < lines.length; at++) {
    const text = (lines[at] ?? '').replace(quoteMark, '').trim();
    if (text.startsWith(mark) && text.replaceAll(mark.charAt(0), '') === '') return at;
  }
  return lines.length;
}

function withoutIndent(line: string, indent: number): string {
  return line.slice(0, indent).trim() === '' ? line.slice(indent) : line.trimStart();
}

function toPlainLine(line: string): string {
  const [mark = '', indent = '', bullet = ''] = listItem.exec(line) ?? [];
  if (mark === '') return toPlainText(line);
  return `${indent}${/\d/.test(bullet) ? bullet : '-'} ${toPlainText(line.slice(mark.length))}`;
}

function findTableEnd(lines: readonly string[], from: number): number {
  let at = from;
  while (lines[at]?.includes('|')) at++;
  return at;
}

/** A row becomes a line that can be read alone: `- PORT (default: 3000; meaning: where it listens)`. */
function readTable([header = '', , ...rows]: readonly string[]): string[] {
  const names = readCells(header);
  return rows.map((row) => {
    const [first = '', ...others] = readCells(row);
    const named = others.flatMap((cell, index) => {
      const name = names[index + 1] ?? '';
      if (cell === '') return [];
      return [name === '' ? cell : `${name}: ${cell}`];
    });
    return named.length === 0 ? `- ${first}` : `- ${first} (${named.join('; ')})`;
  });
}

function readCells(row: string): string[] {
  const inner = row.trim().replace(/^\|/, '').replace(/\|$/, '');
  return inner.split(/(?<!\\)\|/).map((cell) => toPlainText(cell));
}
