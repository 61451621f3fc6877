import type { Table } from './document.ts';
import { renderInlines } from './plain-text.ts';

/** A wider cell sticks out instead of widening its whole column. */
const columnWidthMax = 40;

/** A table as lines of text in a typeface of one width: columns aligned, a line below the header. */
export function alignTable({ align, children }: Table): string {
  const rows = children.map((row) =>
    row.children.map((cell) => renderInlines(cell.children).replaceAll('\n', ' ')),
  );
  const widths: number[] = [];
  for (const row of rows) {
    for (const [column, cell] of row.entries())
      widths[column] = Math.max(widths[column] ?? 0, Math.min(widthOf(cell), columnWidthMax));
  }
  const [header = [], ...body] = rows;
  const rule = widths.map((width) => '-'.repeat(width)).join('-+-');
  const lines = [header, ...body].map((row) =>
    row
      .map((cell, column) => pad(cell, widths[column] ?? 0, align[column] ?? 'left'))
      .join(' | ')
      .trimEnd(),
  );
  return [lines[0] ?? '', rule, ...lines.slice(1)].join('\n');
}

function pad(cell: string, width: number, align: 'left' | 'right' | 'center'): string {
  const missing = Math.max(0, width - widthOf(cell));
  const before = align === 'left' ? 0 : align === 'right' ? missing : missing >> 1;
  return ' '.repeat(before) + cell + ' '.repeat(missing - before);
}

const graphemes = new Intl.Segmenter('en', { granularity: 'grapheme' });
/** East Asian characters and emoji take the place of two letters. */
const wide =
  /^(?:\p{Emoji_Presentation}|.\u{fe0f}|\p{Script=Han}|\p{Script=Hiragana}|\p{Script=Katakana}|\p{Script=Hangul}|[\u3000-\u303f\uff01-\uff60\uffe0-\uffe6])/u;
const ascii = /^[\x20-\x7e]*$/;

function widthOf(text: string): number {
  if (ascii.test(text)) return text.length;
  let width = 0;
  for (const { segment } of graphemes.segment(text)) width += wide.test(segment) ? 2 : 1;
  return width;
}
