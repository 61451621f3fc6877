import { EmphasisStack, type Piece } from './emphasis.ts';
import type { Inline } from './nodes.ts';
import { safeHref } from './safe-href.ts';
import { withholdUnfinishedInline } from './unfinished.ts';

/**
 * Reads what stands inside one paragraph, heading or cell. One pass, and no character is looked at more than a few
 * times: the text comes from a model and may be hostile. `unfinished` says that more of this text is still to come.
 */
export function parseInline(source: string, unfinished = false): Inline[] {
  return new InlineParser(unfinished ? withholdUnfinishedInline(source) : source, unfinished).parse();
}

/** Everything that is not plain text. Which alternative it was shows in the first character. */
const mark =
  /\\[!-/:-@[-`{-~]|`+|\*+|_+|~+|!?\[|\]|<br\s*\/?>|<(?:https?:\/\/|mailto:)[^\s<>]+>|\n|(?<![\p{L}\p{N}_])https?:\/\/[^\s<>[\]*`|"]+/giu;

/**
 * `(address "title")`, the address in `<>` or with balanced parentheses. No bracket may stand in it, so that the searches
 * of a whole text never overlap and their sum stays linear.
 */
const destination =
  /\((?:<([^<>[\]\n]*)>|((?:[^\s()<>[\]]|\([^\s()<>[\]]*\))*))(?: +(?:"[^"[\]\n]*"|'[^'[\]\n]*'))? *\)/y;

type Bracket = { index: number; piece: Piece };

class InlineParser {
  readonly #source: string;
  readonly #unfinished: boolean;
  readonly #pieces: Piece[] = [];
  readonly #emphasis = new EmphasisStack(this.#pieces);
  readonly #brackets: Bracket[] = [];
  #backtickRuns: Map<number, number[]> | undefined;

  constructor(source: string, unfinished: boolean) {
    this.#source = source;
    this.#unfinished = unfinished;
  }

  parse(): Inline[] {
    for (let at = 0; at < this.#source.length; ) {
      mark.lastIndex = at;
      const found = mark.exec(this.#source);
      const start = found?.index ?? this.#source.length;
      if (start > at) this.#pieces.push(this.#source.slice(at, start));
      at = found ? this.#takeMark(found[0], start) : start;
    }
    if (this.#unfinished) this.#emphasis.closeAll();
    return this.#emphasis.takeFrom(0);
  }

  /** Takes the mark at a place, and returns the place to go on from. */
  #takeMark(text: string, at: number): number {
    const end = at + text.length;
    const first = text.charAt(0);
    if (first === '`') return this.#takeCode(text, end);
    if (first === ']') return this.#closeBracket(end);
    if (/h/i.test(first)) return this.#takeBareLink(text, at);
    if (first === '\\') this.#pieces.push(text.slice(1));
    else if (first === '\n' || /^<b/i.test(text)) this.#pieces.push({ kind: 'break' });
    else if (first === '<') this.#pushLink(text.slice(1, -1), text);
    else if (text.endsWith('[')) this.#openBracket(text);
    else this.#emphasis.add(first, text.length, this.#source.charAt(at - 1), this.#source.charAt(end));
    return end;
  }

  #takeCode(run: string, start: number): number {
    const end = this.#nextBacktickRun(run.length, start);
    if (end === undefined && !this.#unfinished) {
      this.#pieces.push(run);
      return start;
    }
    const text = this.#source.slice(start, end).replaceAll('\n', ' ');
    this.#pieces.push({ kind: 'code', text: withoutPadding(text) });
    return end === undefined ? this.#source.length : end + run.length;
  }

  /** All runs are listed once: searching the rest of the text for each opener would be quadratic. */
  #nextBacktickRun(length: number, from: number): number | undefined {
    this.#backtickRuns ??= listBacktickRuns(this.#source);
    const starts = this.#backtickRuns.get(length) ?? [];
    while ((starts.at(-1) ?? from) < from) starts.pop();
    return starts.at(-1);
  }

  #openBracket(text: string): void {
    const piece: Piece = { kind: 'run', character: text, count: 1 };
    this.#brackets.push({ index: this.#pieces.length, piece });
    this.#pieces.push(piece);
  }

  #closeBracket(end: number): number {
    const bracket = this.#brackets.pop();
    destination.lastIndex = end;
    const found = bracket && destination.exec(this.#source);
    const href = found && safeHref(found[1] ?? found[2] ?? '');
    // An emphasis that closed in between has taken the bracket into itself: then there is no link.
    if (!href || this.#pieces[bracket.index] !== bracket.piece) {
      this.#pieces.push(']');
      return end;
    }
    const children = this.#emphasis.takeFrom(bracket.index + 1);
    this.#pieces.pop();
    this.#pieces.push({ kind: 'link', href, children });
    // Links do not nest: what is still open before this one can only be text.
    this.#brackets.length = 0;
    return destination.lastIndex;
  }

  #takeBareLink(text: string, at: number): number {
    const address = withoutTrailingPunctuation(text);
    const mayGrow = this.#unfinished && at + text.length === this.#source.length;
    if (mayGrow) this.#pieces.push(address);
    else this.#pushLink(address, address);
    return at + address.length;
  }

  #pushLink(address: string, text: string): void {
    // Inside the words of a link the address stays text: links do not nest.
    const href = this.#brackets.length > 0 ? undefined : safeHref(address);
    this.#pieces.push(href ? { kind: 'link', href, children: [address.replace(/^mailto:/i, '')] } : text);
  }
}

/** Run length → starts, the last one first, so that the next one to use can be popped. */
function listBacktickRuns(source: string): Map<number, number[]> {
  const runs = new Map<number, number[]>();
  for (const { 0: run, index } of [...source.matchAll(/`+/g)].reverse()) {
    const starts = runs.get(run.length) ?? [];
    runs.set(run.length, starts);
    starts.push(index);
  }
  return runs;
}

/** "`` `a` ``" means "`a`": one space on each side only keeps the backticks apart. */
function withoutPadding(text: string): string {
  return text.trim() && /^ .* $/.test(text) ? text.slice(1, -1) : text;
}

/** "(see https://a.example/b)." links to "https://a.example/b", "https://a.example/b_(c)" to all of itself. */
function withoutTrailingPunctuation(address: string): string {
  let unopened = address.split(')').length - address.split('(').length;
  let end = address.length;
  for (; end > 0; end -= 1) {
    const last = address.charAt(end - 1);
    if (last === ')' && unopened > 0) unopened -= 1;
    else if (!/[.,;:!?'_~]/.test(last)) break;
  }
  return address.slice(0, end);
}
