import { EmphasisStack, type Piece } from './emphasis.ts';
import { type Destination, readDestination } from './link-destination.ts';
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

type Bracket = { index: number; piece: Piece };

const escapable = /[!-/:-@[-`{-~]/;
const lineBreakTag = /<br\s*\/?>/iy;
const angleLink = /<((?:https?:\/\/|mailto:)[^\s<>]+)>/iy;
const bareLink = /https?:\/\/[^\s<>[\]*`|"]+/iy;
const wordCharacter = /[\p{L}\p{N}_]/u;
const special = /[\\`*_~[\]!<\n]|https?:\/\//gi;

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
    for (let at = 0; at < this.#source.length; ) at = this.#step(at);
    if (this.#unfinished) this.#emphasis.closeAll();
    return this.#emphasis.settle();
  }

  /** Takes what stands at a place, and returns the place after it. So does each of the functions below. */
  #step(at: number): number {
    special.lastIndex = at;
    const next = special.exec(this.#source)?.index ?? this.#source.length;
    if (next > at) return this.#takeText(at, next);

    switch (this.#source.charAt(at)) {
      case '\\':
        return this.#takeEscape(at);
      case '`':
        return this.#takeCode(at);
      case '*':
      case '_':
      case '~':
        return this.#takeDelimiter(at);
      case '!':
        return this.#source.charAt(at + 1) === '[' ? this.#openBracket(at, 2) : this.#takeText(at);
      case '[':
        return this.#openBracket(at, 1);
      case ']':
        return this.#closeBracket(at);
      case '<':
        return this.#takeAngle(at);
      case '\n':
        return this.#takeLineBreak(at);
      default:
        return this.#takeBareLink(at);
    }
  }

  #takeText(at: number, end = at + 1): number {
    this.#pieces.push(this.#source.slice(at, end));
    return end;
  }

  #takeEscape(at: number): number {
    const escaped = this.#source.charAt(at + 1);
    if (!escapable.test(escaped)) return this.#takeText(at);
    this.#pieces.push(escaped);
    return at + 2;
  }

  #takeLineBreak(at: number): number {
    this.#pieces.push({ kind: 'break' });
    return at + 1;
  }

  #takeCode(at: number): number {
    const contentStart = endOfRun(this.#source, at);
    const length = contentStart - at;
    const contentEnd = this.#nextBacktickRun(length, contentStart);
    if (contentEnd === undefined && !this.#unfinished) return this.#takeText(at, contentStart);

    const text = this.#source.slice(contentStart, contentEnd).replaceAll('\n', ' ');
    this.#pieces.push({ kind: 'code', text: withoutPadding(text) });
    return contentEnd === undefined ? this.#source.length : contentEnd + length;
  }

  /** All runs are listed once: searching the rest of the text for each opener would be quadratic. */
  #nextBacktickRun(length: number, from: number): number | undefined {
    this.#backtickRuns ??= listBacktickRuns(this.#source);
    const starts = this.#backtickRuns.get(length) ?? [];
    while (starts.length > 0 && (starts.at(-1) ?? 0) < from) starts.pop();
    return starts.at(-1);
  }

  #takeDelimiter(at: number): number {
    const end = endOfRun(this.#source, at);
    const [before, after] = [this.#source.charAt(at - 1), this.#source.charAt(end)];
    this.#emphasis.add(this.#source.charAt(at), end - at, before, after);
    return end;
  }

  #openBracket(at: number, length: 1 | 2): number {
    const piece: Piece = { kind: 'literal', text: this.#source.slice(at, at + length) };
    this.#brackets.push({ index: this.#pieces.length, piece });
    this.#pieces.push(piece);
    return at + length;
  }

  #closeBracket(at: number): number {
    const bracket = this.#brackets.pop();
    const destination = bracket && this.#readDestination(at + 1);
    // An emphasis that closed in between has taken the bracket into itself: then there is no link.
    if (!destination || this.#pieces[bracket.index] !== bracket.piece) return this.#takeText(at);

    const children = this.#emphasis.takeFrom(bracket.index + 1);
    this.#pieces.pop();
    this.#pieces.push({ kind: 'link', href: destination.address, children });
    // Links do not nest: what is still open before this one can only be text.
    this.#brackets.length = 0;
    return destination.end;
  }

  #readDestination(at: number): Destination | undefined {
    const found = readDestination(this.#source, at);
    const address = found && safeHref(found.address);
    return address ? { address, end: found.end } : undefined;
  }

  #takeAngle(at: number): number {
    lineBreakTag.lastIndex = at;
    if (lineBreakTag.test(this.#source)) {
      this.#pieces.push({ kind: 'break' });
      return lineBreakTag.lastIndex;
    }
    angleLink.lastIndex = at;
    const address = angleLink.exec(this.#source)?.[1];
    return address && this.#pushLink(address) ? at + address.length + 2 : this.#takeText(at);
  }

  #takeBareLink(at: number): number {
    bareLink.lastIndex = at;
    const inWord = wordCharacter.test(this.#source.charAt(at - 1));
    const found = inWord ? undefined : bareLink.exec(this.#source)?.[0];
    if (!found) return this.#takeText(at);

    const address = withoutTrailingPunctuation(found);
    const mayGrow = this.#unfinished && at + found.length === this.#source.length;
    if (mayGrow || !this.#pushLink(address)) return this.#takeText(at, at + address.length);
    return at + address.length;
  }

  #pushLink(address: string): boolean {
    const href = safeHref(address);
    // Inside the words of a link the address stays text: links do not nest.
    if (!href || this.#brackets.length > 0) return false;
    this.#pieces.push({ kind: 'link', href, children: [address.replace(/^mailto:/i, '')] });
    return true;
  }
}

function endOfRun(source: string, start: number): number {
  const code = source.charCodeAt(start);
  let end = start + 1;
  while (source.charCodeAt(end) === code) end += 1;
  return end;
}

/** Run length → starts, the last one first, so that the next one to use can be popped. */
function listBacktickRuns(source: string): Map<number, number[]> {
  const runs = new Map<number, number[]>();
  for (const match of source.matchAll(/`+/g)) {
    const starts = runs.get(match[0].length) ?? [];
    runs.set(match[0].length, starts);
    starts.push(match.index);
  }
  for (const starts of runs.values()) starts.reverse();
  return runs;
}

/** "`` `a` ``" means "`a`": one space on each side only keeps the backticks apart. */
function withoutPadding(text: string): string {
  const padded = text.startsWith(' ') && text.endsWith(' ') && text.trim() !== '';
  return padded ? text.slice(1, -1) : text;
}

/** "(see https://a.example/b)." links to "https://a.example/b", "https://a.example/b_(c)" to all of itself. */
function withoutTrailingPunctuation(address: string): string {
  let opens = 0;
  let closes = 0;
  for (const character of address) {
    if (character === '(') opens += 1;
    if (character === ')') closes += 1;
  }
  let end = address.length;
  while (end > 0) {
    const last = address.charAt(end - 1);
    if (last === ')' && closes > opens) closes -= 1;
    else if (!/[.,;:!?'_~]/.test(last)) break;
    end -= 1;
  }
  return address.slice(0, end);
}
