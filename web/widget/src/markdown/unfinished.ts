import { readDestination } from './link-destination.ts';

/**
 * A streamed text ends anywhere: in the middle of a marker, a link, a table. These functions hold back the few last
 * characters whose meaning is still open, so that nothing appears which the next chunk would take away again.
 */

const nesting = /^[ \t>]+/;
const markerOnly = /^(?:#{1,6}|[-*+_=]{1,3}|\d{1,9}[.)]?|`{1,3}|~{1,3})?$/;
const fence = /^(?:(?:[-*+]|\d{1,9}[.)])[ \t]+)?(`{3,}|~{3,})/;
const heldBackMax = 300;

/** Drops a last line that is only the beginning of a marker (`#`, `-`, `1.`, `` ` ``) or of the fence that closes. */
export function withholdUnfinishedLine(lines: readonly string[]): readonly string[] {
  const last = (lines.at(-1) ?? '').replace(nesting, '').trimEnd();
  const openFence = fenceBefore(lines);
  const isMarker = openFence ? isPartOfFence(last, openFence) : markerOnly.test(last);
  return isMarker ? lines.slice(0, -1) : lines;
}

/** Drops a trailing marker run, and a link whose address is not complete. */
export function withholdUnfinishedInline(source: string): string {
  const text = withoutOpenAngle(withoutOpenLink(source));
  let end = text.length;
  while (end > 0 && '*_~`\\<!'.includes(text.charAt(end - 1))) end -= 1;
  return text.slice(0, end);
}

/** The fence that is open when the last line begins. */
function fenceBefore(lines: readonly string[]): string | undefined {
  let open: string | undefined;
  for (const line of lines.slice(0, -1)) {
    const marker = fence.exec(line.replace(nesting, ''))?.[1];
    if (!marker) continue;
    if (!open) open = marker;
    else if (marker.startsWith(open)) open = undefined;
  }
  return open;
}

function isPartOfFence(line: string, openFence: string): boolean {
  return line.length < openFence.length && openFence.startsWith(line);
}

function withoutOpenLink(source: string): string {
  const start = source.lastIndexOf('[');
  if (start < 0 || source.length - start > heldBackMax) return source;
  const label = /^\[[^\]\n]*\]?/.exec(source.slice(start))?.[0] ?? '';
  return start + label.length === source.length || isOpenDestination(source, start + label.length)
    ? source.slice(0, start)
    : source;
}

/** `<https://…` may become a link, `<br` a line break. */
function withoutOpenAngle(source: string): string {
  const start = source.lastIndexOf('<');
  const isOpen =
    start >= 0 && source.length - start <= heldBackMax && /^<[a-z][^\s>]*$/i.test(source.slice(start));
  return isOpen ? source.slice(0, start) : source;
}

function isOpenDestination(source: string, start: number): boolean {
  if (readDestination(source, start)) return false;
  return [')', '))', '")', "')", '>)'].some((ending) => {
    return readDestination(source + ending, start)?.end === source.length + ending.length;
  });
}
