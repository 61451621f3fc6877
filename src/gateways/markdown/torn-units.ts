import type { LaidBlock, LaidInline, LaidOut } from './laid-out.ts';
import { isSpace } from './slice.ts';

export type Unit = { start: number; end: number };

/**
 * What a cut at `place` would tear, the largest first: blocks and what they contain, then sentences or lines, links and
 * inline code, words. It ends at the first kind that the cut falls between two of.
 */
export function* tornUnits({ text, root }: LaidOut, place: number): Generator<Unit> {
  let leaf = root;
  while (leaf.blocks) {
    const torn = leaf.blocks.find((block) => isWithin(block, place));
    if (!torn) return;
    yield torn;
    leaf = torn;
  }
  if (leaf.inlines) yield* tornInParagraph(text, leaf, leaf.inlines, place);
  else if (leaf.node.type === 'code') yield* tornInCode(text, leaf, place);
}

function* tornInParagraph(
  text: string,
  leaf: LaidBlock,
  inlines: readonly LaidInline[],
  place: number,
): Generator<Unit> {
  const together = heldTogether(inlines, place);
  const sentence = sentenceAround(text, leaf, place);
  const isBetweenSentences = sentence.start === place;
  if (isBetweenSentences && !together) return;
  if (!isBetweenSentences) {
    const start = heldTogether(inlines, sentence.start)?.start ?? sentence.start;
    yield { start, end: sentence.end };
  }
  if (together) yield { start: behindOpening(text, together.start, leaf.start), end: together.end };
  yield* tornWord(text, leaf, place);
}

function* tornInCode(text: string, leaf: LaidBlock, place: number): Generator<Unit> {
  const start = Math.max(leaf.start, text.lastIndexOf('\n', place - 1) + 1);
  if (start === place) return;
  const end = text.indexOf('\n', place) + 1;
  yield { start, end };
  yield* tornWord(text, leaf, place);
}

function* tornWord(text: string, leaf: LaidBlock, place: number): Generator<Unit> {
  let start = place;
  let end = place;
  while (start > leaf.start && !isSpace(text, start - 1)) start--;
  while (end < leaf.end && !isSpace(text, end)) end++;
  if (start < place && place < end) yield { start, end };
}

/** A link, or code, that reads badly in two pieces. */
function heldTogether(inlines: readonly LaidInline[], place: number): LaidInline | undefined {
  const torn = inlines.find((inline) => isWithin(inline, place));
  if (torn?.node.type === 'link' || torn?.node.type === 'inlineCode') return torn;
  return torn?.children && heldTogether(torn.children, place);
}

const sentences = new Intl.Segmenter('en', { granularity: 'sentence' });
const segmented = new WeakMap<LaidBlock, Intl.Segments>();

function sentenceAround(text: string, leaf: LaidBlock, place: number): Unit {
  let segments = segmented.get(leaf);
  if (!segments) {
    segments = sentences.segment(text.slice(leaf.start, leaf.end));
    segmented.set(leaf, segments);
  }
  const found = segments.containing(place - leaf.start);
  if (!found) return { start: place, end: place };
  const start = leaf.start + found.index;
  return { start, end: start + found.segment.length };
}

/** A bracket or quotation mark goes along with what it opens. */
function behindOpening(text: string, place: number, leafStart: number): number {
  let at = place;
  while (at > leafStart && /[\p{Ps}\p{Pi}"']/u.test(text.charAt(at - 1))) at--;
  return at;
}

function isWithin({ start, end }: Unit, place: number): boolean {
  return start < place && place < end;
}

/** Moves a cut in front of the headings that would otherwise be the last thing before it. */
export function headingsBefore({ root }: LaidOut, place: number): number {
  let at = place;
  for (let heading = headingThatEndsAt(root, at); heading; heading = headingThatEndsAt(root, at))
    at = heading.start;
  return at;
}

function headingThatEndsAt(container: LaidBlock, place: number): LaidBlock | undefined {
  for (const block of container.blocks ?? []) {
    if (block.end === place) return block.node.type === 'heading' ? block : undefined;
    if (isWithin(block, place)) return headingThatEndsAt(block, place);
  }
  return undefined;
}
