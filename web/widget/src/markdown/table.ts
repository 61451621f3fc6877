import type { Alignment } from './nodes.ts';

/** The cells of a table as text, the header first. */
export type TableText = { alignments: Alignment[]; rows: string[][]; next: number };

const delimiterRow = /^ *\|?(?: *:?-+:? *\|)+(?: *:?-+:? *)?$|^ *\| *:?-+:? *\|? *$/;
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
  if (!delimiterRow.test(delimiter)) return undefined;

  const alignments = splitCells(delimiter).map(readAlignment);
  const headerCells = splitCells(header);
  if (headerCells.length !== alignments.length) return undefined;

  const rows = [headerCells];
  let next = at + 2;
  for (let line = lines[next]; line?.includes('|'); line = lines[next]) {
    // Short rows are not filled up: one wide header over many short rows would grow without bound.
    rows.push(splitCells(line).slice(0, headerCells.length));
    next += 1;
  }
  return { alignments, rows, next };
}

/** `| a \| b | c |` → `a | b`, `c` */
function splitCells(line: string): string[] {
  const cells = [''];
  const text = line.trim();
  for (let at = 0; at < text.length; at += 1) {
    const character = text.charAt(at);
    if (character === '\\' && text.charAt(at + 1) === '|') {
      cells.push(`${cells.pop()}|`);
      at += 1;
    } else if (character === '|') cells.push('');
    else cells.push(`${cells.pop()}${character}`);
  }
  const isOpenLeft = cells[0] === '' && cells.length > 1;
  const isOpenRight = cells.at(-1) === '' && cells.length > (isOpenLeft ? 2 : 1);
  return cells.slice(isOpenLeft ? 1 : 0, isOpenRight ? -1 : undefined).map((cell) => cell.trim());
}

function readAlignment(cell: string): Alignment {
  if (!cell.endsWith(':')) return 'start';
  return cell.startsWith(':') ? 'center' : 'end';
}
