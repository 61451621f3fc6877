import type { Term } from './score-passages.ts';

/** How much of the question stands in a text: the weights of its terms, each counted once. */
export function weighText(text: string, terms: readonly Term[]): number {
  const lower = text.toLowerCase();
  const words = [...new Set(lower.match(/[\p{L}\p{N}]+/gu))];
  const stands = (term: Term) =>
    'name' in term ? lower.includes(term.name) : words.some((word) => hasStem(word, term.stem));
  return terms.reduce((sum, term) => (stands(term) ? sum + term.weight : sum), 0);
}

/**
 * Tells whether Postgres would reduce an English word to this stem, near enough to choose a sentence by: the stem begins
 * the word (a final `i` stands for `y` too) and what follows looks like an ending.
 */
function hasStem(word: string, stem: string): boolean {
  const isBegun = word.startsWith(stem) || (stem.endsWith('i') && word.startsWith(`${stem.slice(0, -1)}y`));
  return isBegun && ending.test(word.slice(stem.length));
}

const ending =
  /^(?:\p{L}?(?:e|s|es|ed|er|ers|ing|ings|ion|ions|able|ly|al|y|ies|ity|ment|ments|ation|ations|ance|ence)?)$/u;
