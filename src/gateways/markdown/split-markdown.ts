import type { Root } from './document.ts';
import { type LaidOut, layOut } from './laid-out.ts';
import { loosen } from './loosen.ts';
import { slice } from './slice.ts';
import { headingsBefore, tornUnits } from './torn-units.ts';

/**
 * Splits an answer into parts that fit, with nothing left out. It is cut between blocks if that can be (a heading stays
 * with what follows it), else between items of a list, rows of a table, lines of code, sentences, words, and only then
 * between grapheme clusters. Each cut leaves whole what would fit into a part by itself, so a part may end early.
 *
 * `fits` must hold for every beginning of what it holds for. It is asked a few dozen times a part, about pieces of that
 * size: the time grows with the length of the answer. A single grapheme cluster that does not fit is a part of its own.
 */
export function splitMarkdown(root: Root, fits: (part: Root) => boolean): Root[] {
  if (fits(root)) return [root];
  const laidOut = layOut(loosen(root, fits));
  const ruler = createRuler(laidOut, fits);
  const parts: Root[] = [];
  for (let from = 0; from < laidOut.text.length; ) {
    const to = findCut(laidOut, ruler, from);
    const part = slice(laidOut, from, to);
    if (part.children.length > 0) parts.push(part);
    from = to;
  }
  return parts.length > 0 ? parts : [root];
}

function findCut(laidOut: LaidOut, ruler: Ruler, from: number): number {
  const farthest = ruler.reach(from);
  if (farthest === laidOut.text.length) return farthest;
  for (const unit of tornUnits(laidOut, farthest)) {
    const start = headingsBefore(laidOut, ruler.floor(unit.start));
    // What fits by itself is left whole for the next part; what does not is looked into.
    if (start > from && ruler.fitsAlone(unit.start, unit.end)) return start;
  }
  const start = headingsBefore(laidOut, farthest);
  return start > from ? start : farthest;
}

type Ruler = {
  /** The last cut up to which a part that begins at `from` fits; at least the next one. */
  reach(from: number): number;
  fitsAlone(start: number, end: number): boolean;
  /** The last cut that is not behind `place`. */
  floor(place: number): number;
};

function createRuler(laidOut: LaidOut, fits: (part: Root) => boolean): Ruler {
  const { cuts } = laidOut;
  const last = cuts.length - 1;
  /** In cuts, and near what fits into a part, so that few guesses are needed. */
  let usual = 512;

  const fitsBetween = (from: number, to: number) => fits(slice(laidOut, cuts[from] ?? 0, cuts[to] ?? 0));

  function reach(from: number): number {
    const first = indexBelow(cuts, from);
    let fitting = first + 1;
    let beyond = first + Math.max(usual, 1);
    while (beyond < last && fitsBetween(first, beyond)) {
      fitting = beyond;
      beyond = first + (beyond - first) * 2;
    }
    if (beyond >= last) {
      if (fitsBetween(first, last)) return cuts[last] ?? 0;
      beyond = last;
    }
    while (beyond - fitting > 1) {
      const middle = (fitting + beyond) >> 1;
      if (fitsBetween(first, middle)) fitting = middle;
      else beyond = middle;
    }
    usual = fitting - first;
    return cuts[fitting] ?? 0;
  }

  function fitsAlone(start: number, end: number): boolean {
    const first = indexBelow(cuts, start);
    const beyond = indexBelow(cuts, end);
    // In steps, because asking about all of something huge is what takes long.
    for (let size = usual * 2; first + size < beyond; size *= 2) {
      if (!fitsBetween(first, first + size)) return false;
    }
    return fitsBetween(first, beyond);
  }

  return { reach, fitsAlone, floor: (place) => cuts[indexBelow(cuts, place)] ?? 0 };
}

/** The index of the last of ascending numbers that is not above `value`. */
function indexBelow(ascending: readonly number[], value: number): number {
  let low = 0;
  let high = ascending.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((ascending[middle] ?? 0) <= value) low = middle;
    else high = middle - 1;
  }
  return low;
}
