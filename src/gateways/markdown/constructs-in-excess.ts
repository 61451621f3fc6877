/**
 * The parser's time grows with the square, and for some marks the cube, of how many stand together: it took 4 s for 2,000
 * quotes, 14 s for 25,000 characters of `a\n===\n`, 4 s for as many of `*a_ `, and 8,000 of `>` overflowed its stack. So
 * what a text has far too many of is switched off for that text and shown as it was written. The bounds lie above what
 * people and models write. Measured with them on one slow core: 100,000 characters of prose take 0.2 s, and no pattern
 * of several thousand that were tried took longer than a few seconds.
 */

/** In UTF-16 units. Answers of models are a fraction of it. */
export const lengthMax = 128_000;
const linesMax = 15_000;
const paragraphsMax = 5_000;

/** Whether a text would take too long whatever is switched off. */
export function isTooMuchToParse(text: string): boolean {
  if (text.length > lengthMax || count(text, /\n/g) > linesMax) return true;
  const blocks = text.split(emptyLines);
  return blocks.length > paragraphsMax || sum(blocks, (block) => count(block, mark) ** 2) > 2e8;
}

/** What ends a piece of text in the parser, which then joins the pieces with all that follow. */
const mark = /[!&*<[\\\]_`~\n]/g;
const emptyLines = /\n[ \t]*\n/g;

/** Quotes and lists inside one another. */
const depthMax = 24;
/** Quotes and lists that begin, one after another. */
const containersMax = 400;
/** Lines that underline a heading. */
const underlinesMax = 200;
/** What the parser compares in inline content, which never reaches beyond an empty line. */
const comparisons: { of: readonly string[]; workIn: (block: string) => number; workMax: number }[] = [
  { of: ['attention', 'strikethrough'], workIn: (block) => delimitersIn(block) ** 2, workMax: 4e6 },
  {
    of: ['labelStartLink', 'labelStartImage', 'labelEnd', 'gfmFootnoteCall', 'gfmPotentialFootnoteCall'],
    workIn: (block) => count(block, /\]/g) ** 2,
    workMax: 4e6,
  },
  { of: ['codeText'], workIn: (block) => count(block, /`+/g) * block.length, workMax: 1e7 },
  { of: ['htmlText'], workIn: (block) => count(block, /<[!?]/g) * block.length, workMax: 1e7 },
];

/** Names of the micromark constructs that `text` has too many marks of. */
export function constructsInExcess(text: string): string[] {
  const off: string[] = [];
  const { deepest, begun } = measureContainers(text);
  if (deepest > depthMax || begun > containersMax) off.push('blockQuote', 'list', 'gfmFootnoteDefinition');
  if (count(text, /^[ \t>]*(?:=+|-+)[ \t]*$/gm) > underlinesMax) off.push('setextUnderline');
  const blocks = text.split(emptyLines);
  for (const { of, workIn, workMax } of comparisons) {
    if (sum(blocks, workIn) > workMax) off.push(...of);
  }
  return off;
}

const containerMarks = /^(?:[ \t]*(?:>|[-+*](?=[ \t]|$)|\d{1,9}[.)](?=[ \t]|$)|\[\^[^\]]+\]:))+/;
const containerMark = /[>\-+*]|\d+[.)]|\[\^/g;

/** An upper bound of how deep containers are nested and of how many there are, told from how lines begin. */
function measureContainers(text: string): { deepest: number; begun: number } {
  let deepest = 0;
  let begun = 0;
  let marksBefore = '';
  const indents: number[] = [];
  for (const line of text.split('\n')) {
    const marks = containerMarks.exec(line)?.[0] ?? '';
    const markCount = count(marks, containerMark);
    // An item of the list that the line above stands in, or a line of the same quote, begins nothing.
    const kind = marks.replace(/\d+/, '1');
    if (markCount > 1 || (markCount === 1 && kind !== marksBefore)) begun += markCount;
    marksBefore = kind;
    if (markCount === 0) continue;
    const indent = marks.search(/[^ \t]/);
    while ((indents.at(-1) ?? -1) >= indent) indents.pop();
    indents.push(indent);
    deepest = Math.max(deepest, indents.length - 1 + markCount);
  }
  return { deepest, begun };
}

/** A long run of marks nests as deep as several short ones. */
function delimitersIn(block: string): number {
  let found = 0;
  for (const [run] of block.matchAll(/\*+|~+|(?<![\p{L}\p{N}])_+|_+(?![\p{L}\p{N}])/gu))
    found += Math.ceil(run.length / 2);
  return found;
}

function sum(blocks: readonly string[], of: (block: string) => number): number {
  return blocks.reduce((total, block) => total + of(block), 0);
}

function count(text: string, pattern: RegExp): number {
  let found = 0;
  for (const _ of text.matchAll(pattern)) found++;
  return found;
}
