/**
 * A streamed text ends anywhere: in the middle of a marker, a link, a table. These functions hold back the few last
 * characters whose meaning is still open, so that nothing appears which the next chunk would take away again.
 */

const nesting = /^[ \t>]+/;
const markerOnly = /^(?:#{1,6}|[-*+_=]{1,3}|\d{1,9}[.)]?|`{1,3}|~{1,3})?$/;
const fence = /^(?:(?:[-*+]|\d{1,9}[.)])[ \t]+)?(`{3,}|~{3,})/;

/** The beginning of a link, a line break or an address in angle brackets, up to the end of the text. */
const openLink =
  /(?:\[[^\]\n]*(?:\]|\]\((?:<[^<>[\]\n]*>?|(?:[^\s()<>[\]]|\([^\s()<>[\]]*\))*(?:\([^\s()<>[\]]*)?)(?: +(?:"[^"[\]\n]*"?|'[^'[\]\n]*'?)?)? *)?|<[a-z][^\s>]*)$/iy;
const heldBackMax = 300;

/** Drops a last line that is only the beginning of a marker (`#`, `-`, `1.`, `` ` ``) or of the fence that closes. */
export function withholdUnfinishedLine(lines: readonly string[]): readonly string[] {
  const last = (lines.at(-1) ?? '').replace(nesting, '').trimEnd();
  const openFence = fenceBefore(lines);
  const isBeginning = openFence
    ? last.length < openFence.length && openFence.startsWith(last)
    : markerOnly.test(last);
  return isBeginning ? lines.slice(0, -1) : lines;
}

/** Drops a trailing marker run, and a link whose address is not complete. */
export function withholdUnfinishedInline(source: string): string {
  let end = source.length;
  for (const start of [source.lastIndexOf('['), source.lastIndexOf('<')]) {
    openLink.lastIndex = start;
    if (start >= 0 && start < end && source.length - start <= heldBackMax && openLink.test(source))
      end = start;
  }
  while ('*_~`\\<!'.includes(source.charAt(end - 1)) && end > 0) end -= 1;
  return source.slice(0, end);
}

/** The fence that is open when the last line begins. */
function fenceBefore(lines: readonly string[]): string | undefined {
  let open: string | undefined;
  for (const line of lines.slice(0, -1)) {
    const marker = fence.exec(line.replace(nesting, ''))?.[1];
    if (marker && open && marker.startsWith(open)) open = undefined;
    else open ??= marker;
  }
  return open;
}
