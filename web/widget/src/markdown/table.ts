import type { Alignment } from './nodes.ts';

/** The cells of a table as text, the header first. */
export type TableText = { alignments: Alignment[]; rows: string[][]; next: number };

const delimiterRow = /^ *\|?(?: *:?-+:? *\|)* *:?-+:? *\|? *$/;
const delimiterBeginning = /^ *\|?[ :|-]*$/;

/**
 * Reads a table that begins at a line. While its text is `unfinished`, a header counts before its delimiter row has
 * come, so that it does not show up as a paragraph first.
 */
export function readTable(lines: readonly string[], at: number, unfinished: boolean): TableText | undefined {
  const header = lines[at] ?? '';
  if (!header.includes('|')) return undefined;

  const delimiter = lines[at + 1] ?? '';
  const mayGrow = unfinished && lines.length - at <= 2 && header.trimStart().startsWith('|');
  if (mayGrow && delimiterBeginning.test(delimiter)) {
    return { alignments: [], rows: [splitCells(header)], next: lines.length };
  }
  if (!delimiter.includes('|') || !delimiterRow.test(delimiter)) return undefined;

  const alignments = splitCells(delimiter).map(readAlignment);
  const headerCells = splitCells(header);
  if (headerCells.length !== alignments.length) return undefined;

  const rows = [headerCells];
  let next = at + 2;
  for (let line = lines[next]; line?.includes('|'); line = lines[next]) {
    // Rows stay as they are. Cutting long ones would hide words; filling up short ones below a wide header would grow
    // without bound.
    rows.push(splitCells(line));
    next += 1;
  }
  return { alignments, rows, next };
}

/** `| a \\| b | c |` → `a | b`, `c` */
function splitCells(line: string): string[] {
  const inside = line.trim().replace(/^\||(?<!\\)\|$/g, '');
  return inside.split(/(?<!\\)\|/).map((cell) => cell.trim().replaceAll('\\|', '|'));
}

function readAlignment(cell: string): Alignment {
  if (!cell.endsWith(':')) return 'start';
  return cell.startsWith(':') ? 'center' : 'end';
}
