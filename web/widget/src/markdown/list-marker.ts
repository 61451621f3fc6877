export type ListItemMarker = {
  ordered: boolean;
  number: number;
  /** Spaces before the marker. */
  indentation: number;
  /** Characters before the item's text. */
  contentIndentation: number;
  isEmpty: boolean;
};

const pattern = /^( *)(?:[-*+]|(\d{1,9})[.)])( +|$)/;

/** Reads `- `, `* `, `+ `, `1. ` or `1) ` at the start of a line. */
export function readListMarker(line = ''): ListItemMarker | undefined {
  const match = pattern.exec(line);
  if (!match) return undefined;
  const [marker, indentation = '', number] = match;
  return {
    ordered: number !== undefined,
    number: number === undefined ? 1 : Number(number),
    indentation: indentation.length,
    contentIndentation: marker.length,
    isEmpty: marker.length === line.length,
  };
}
