import type { Inline, InlineWrap } from './nodes.ts';

/** What the inline parser gathers: finished parts, and characters whose meaning is still open. */
export type Piece = Inline | Run;

type Run = { kind: 'run'; character: string; count: number };
type Opener = { index: number; run: Run };

/**
 * More openers than this never wait at once in a text that somebody means; the oldest becomes text. So a search stays
 * short, and emphasis in emphasis shallow enough to be drawn recursively.
 */
const openersMax = 12;
const neither = { canOpen: false, canClose: false };
const whitespace = /^\s?$/;
const punctuation = /^[\p{P}\p{S}]$/u;

/** Pairs `*`, `_` and `~~` by CommonMark's rules. Each part is moved into an emphasis at most once a level. */
export class EmphasisStack {
  readonly #pieces: Piece[];
  #openers: Opener[] = [];

  constructor(pieces: Piece[]) {
    this.#pieces = pieces;
  }

  /** Takes a run of `count` characters with what stands before and after it: it closes, opens, or is text. */
  add(character: string, count: number, before: string, after: string): void {
    // Longer runs are decoration, not emphasis in emphasis.
    const { canOpen, canClose } = count > 3 ? neither : flanks(character, before, after);
    const left = canClose ? this.#close(character, count) : count;
    if (left === 0) return;
    const run: Run = { kind: 'run', character, count: left };
    if (canOpen) this.#openers = [...this.#openers, { index: this.#pieces.length, run }].slice(-openersMax);
    this.#pieces.push(run);
  }

  /** Ends what is still open, because its end has not arrived yet. */
  closeAll(): void {
    for (const { run } of this.#openers.toReversed()) this.#close(run.character, run.count);
  }

  /** Takes away everything from `index` on, as finished parts. */
  takeFrom(index: number): Inline[] {
    this.#openers = this.#openers.filter((opener) => opener.index < index);
    return settled(this.#pieces.splice(index));
  }

  /** Returns how many characters of the run found no opener. */
  #close(character: string, count: number): number {
    for (let left = count; left > 0; ) {
      const opener = this.#openers.findLast(({ run }) => run.character === character);
      const use = Math.min(left, opener?.run.count ?? 0, 2);
      const kind = wrapOf(character, use);
      if (!opener || !kind) return left;

      const children = this.takeFrom(opener.index + 1);
      left -= use;
      opener.run.count -= use;
      // An opener that is used up leaves no piece; with more to give it opens one more emphasis around this one.
      if (opener.run.count === 0) this.takeFrom(opener.index);
      if (children.length > 0) this.#pieces.push({ kind, children });
    }
    return 0;
  }
}

function flanks(character: string, before: string, after: string): { canOpen: boolean; canClose: boolean } {
  const signBefore = punctuation.test(before);
  const signAfter = punctuation.test(after);
  const left = !whitespace.test(after) && (!signAfter || whitespace.test(before) || signBefore);
  const right = !whitespace.test(before) && (!signBefore || whitespace.test(after) || signAfter);
  // snake_case_names are no emphasis.
  const isWord = character === '_' && left && right;
  return { canOpen: left && (!isWord || signBefore), canClose: right && (!isWord || signAfter) };
}

function wrapOf(character: string, count: number): InlineWrap | undefined {
  if (character === '~') return count === 2 ? 'strike' : undefined;
  return count === 2 ? 'strong' : 'emphasis';
}

function settled(pieces: Piece[]): Inline[] {
  const result: Inline[] = [];
  for (const piece of pieces) {
    const part =
      typeof piece !== 'string' && piece.kind === 'run' ? piece.character.repeat(piece.count) : piece;
    const before = result.at(-1);
    if (typeof part === 'string' && typeof before === 'string') result[result.length - 1] = before + part;
    else result.push(part);
  }
  return result.filter(Boolean);
}
