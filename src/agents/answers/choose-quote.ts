import { splitSentences } from '../knowledge/split-sentences.ts';
import type { Term } from './score-passages.ts';
import { weighText } from './stem-match.ts';

/** A passage up to this length is quoted as it is. */
const wholeCharactersMax = 600;
/** A quote of a longer one grows to the first length if it can, and never over the second. */
const quoteCharactersGoal = 220;
const quoteCharactersMax = 700;

/** Chooses what to quote of a passage, word for word: all of it, or the part that says most about the question. */
export function chooseQuote(text: string, terms: readonly Term[]): string {
  const quote = choosePart(text, terms);
  return quote.includes('\n') ? quote : quote.replace(listItem, '');
}

function choosePart(text: string, terms: readonly Term[]): string {
  if (isList(text)) return chooseItems(text.split('\n'), terms);
  if (text.length <= wholeCharactersMax) return text;

  const run = chooseRun(splitBlocks(text), '\n\n', terms);
  if (run.length <= quoteCharactersMax || run.startsWith('```')) return run;
  return isList(run) ? chooseItems(run.split('\n'), terms) : chooseRun(splitSentences(run), ' ', terms);
}

function isList(text: string): boolean {
  const lines = text.split('\n');
  return lines.length > 1 && lines.every((line) => listItem.test(line));
}

/** The one sentence that says most, for where there is little room. */
export function chooseSentence(text: string, terms: readonly Term[]): string {
  const prose = splitBlocks(text).filter((block) => !block.startsWith('```'));
  const lines = prose.length > 0 ? prose.join('\n').split('\n') : text.split('\n').slice(1, 2);
  const sentences = lines.flatMap((line) => splitSentences(line.replace(listItem, '')));
  return sentences[findBest(sentences, terms)] ?? '';
}

/** Of a list, the one item that says more than all others; where there is none, the list as far as it goes. */
function chooseItems(items: readonly string[], terms: readonly Term[]): string {
  const weights = items.map((item) => weighText(item, terms));
  const most = Math.max(...weights);
  const [best = '', ...asGood] = items.filter((_, index) => weights[index] === most);
  if (asGood.length === 0) return best;
  const whole = items.join('\n');
  return whole.length <= wholeCharactersMax ? whole : chooseRun(items, '\n', terms);
}

/** The best part with what it cannot be read without: what a colon announces, and company for a short one. */
function chooseRun(parts: readonly string[], glue: string, terms: readonly Term[]): string {
  const best = findBest(parts, terms);
  let run = parts[best] ?? '';
  const before = parts[best - 1];
  if (before?.endsWith(':') && fits(before, run)) run = before + glue + run;
  for (const next of parts.slice(best + 1)) {
    if ((run.length >= quoteCharactersGoal && !run.endsWith(':')) || !fits(run, next)) break;
    run += glue + next;
  }
  return run;
}

function findBest(parts: readonly string[], terms: readonly Term[]): number {
  const weights = parts.map((part) => weighText(part, terms));
  return weights.indexOf(Math.max(...weights));
}

function fits(a: string, b: string): boolean {
  return a.length + b.length <= quoteCharactersMax;
}

const listItem = /^\s*(?:-|\d+[.)]) /;

// A fence is one block whatever stands in it; everything else ends at an empty line.
function splitBlocks(text: string): string[] {
  const blocks = text.match(/^```[^\n]*\n[\s\S]*?\n```$|^(?:(?!```)[^\n]+\n?)+/gm) ?? [];
  return blocks.map((block) => block.trimEnd());
}
