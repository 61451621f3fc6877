import type { Inline, InlineWrap } from './nodes.ts';

/** What the inline parser gathers: finished parts, brackets that may begin a link, and runs that may open an emphasis. */
export type Piece = Inline | { kind: 'literal'; text: string } | Run;

type Run = { kind: 'run'; character: string; count: number };
type Opener = { index: number; run: Run };

/** Deeper nesting is never meant, and a page that draws it recursively would run out of stack. */
const depthMax = 8;
const whitespace = /^\s?$/;
const punctuation = /^[\p{P}\p{S}]$/u;

/**
 * Pairs `*`, `_` and `~~` by CommonMark's rules. Openers wait on one stack a character, so that a closer finds its
 * opener without a search; each part is moved into an emphasis at most once a level.
 */
export class EmphasisStack {
  readonly #pieces: Piece[];
  readonly #openers = new Map<string, Opener[]>();

  constructor(pieces: Piece[]) {
    this.#pieces = pieces;
  }

  /** Takes a run of `count` characters with what stands before and after it: it closes, opens, or is text. */
  add(character: string, count: number, before: string, after: string): void {
    const { canOpen, canClose } = flanks(character, before, after);
    const left = canClose ? this.#close(character, count) : count;
    if (left === 0) return;

    const run: Run = { kind: 'run', character, count: left };
    if (canOpen) this.#openersOf(character).push({ index: this.#pieces.length, run });
    this.#pieces.push(run);
  }

  /** Ends what is still open, because its end has not arrived yet. */
  closeAll(): void {
    const open = [...this.#openers.values()].flat().sort((a, b) => b.index - a.index);
    for (const { index, run } of open.slice(0, depthMax)) {
      const wrap = wrapOf(run.character, run.count);
      if (!wrap) continue;
      const children = this.takeFrom(index + 1);
      this.#pieces.pop();
      if (children.length > 0) this.#pieces.push({ kind: wrap, children });
    }
  }

  /** Takes away everything from `index` on, as finished parts. */
  takeFrom(index: number): Inline[] {
    this.#forgetOpenersFrom(index);
    return settled(this.#pieces.splice(index));
  }

  settle(): Inline[] {
    return this.takeFrom(0);
  }

  /** Returns how many characters of the run found no opener. */
  #close(character: string, count: number): number {
    let left = count;
    while (left > 0) {
      const opener = this.#openersOf(character).at(-1);
      const use = Math.min(left, opener?.run.count ?? 0, 2);
      const wrap = wrapOf(character, use);
      if (!opener || !wrap) return left;

      const children = this.takeFrom(opener.index + 1);
      if (depthOf(children) >= depthMax) {
        this.#pieces.push(...children);
        this.#openers.clear();
        return left;
      }
      left -= use;
      opener.run.count -= use;
      if (opener.run.count === 0) {
        this.#pieces.pop();
        this.#openersOf(character).pop();
      }
      this.#pieces.push({ kind: wrap, children });
    }
    return 0;
  }

  #openersOf(character: string): Opener[] {
    const openers = this.#openers.get(character) ?? [];
    this.#openers.set(character, openers);
    return openers;
  }

  #forgetOpenersFrom(index: number): void {
    for (const openers of this.#openers.values()) {
      while ((openers.at(-1)?.index ?? -1) >= index) openers.pop();
    }
  }
}

function flanks(character: string, before: string, after: string): { canOpen: boolean; canClose: boolean } {
  const spaceBefore = whitespace.test(before);
  const spaceAfter = whitespace.test(after);
  const signBefore = punctuation.test(before);
  const signAfter = punctuation.test(after);
  const left = !spaceAfter && (!signAfter || spaceBefore || signBefore);
  const right = !spaceBefore && (!signBefore || spaceAfter || signAfter);
  // snake_case_names are no emphasis.
  if (character === '_')
    return { canOpen: left && (!right || signBefore), canClose: right && (!left || signAfter) };
  return { canOpen: left, canClose: right };
}

function wrapOf(character: string, count: number): InlineWrap | undefined {
  if (character === '~') return count === 2 ? 'strike' : undefined;
  return count >= 2 ? 'strong' : 'emphasis';
}

function settled(pieces: Piece[]): Inline[] {
  const result: Inline[] = [];
  let text = '';
  for (const piece of pieces) {
    const words = wordsOf(piece);
    if (words !== undefined) text += words;
    else {
      if (text) result.push(text);
      text = '';
      result.push(piece as Inline);
    }
  }
  if (text) result.push(text);
  return result;
}

function wordsOf(piece: Piece): string | undefined {
  if (typeof piece === 'string') return piece;
  if (piece.kind === 'literal') return piece.text;
  if (piece.kind === 'run') return piece.character.repeat(piece.count);
  return undefined;
}

function depthOf(parts: Inline[]): number {
  let deepest = 0;
  for (const part of parts) {
    if (typeof part !== 'string' && 'children' in part)
      deepest = Math.max(deepest, 1 + depthOf(part.children));
  }
  return deepest;
}
