import type { KnowledgeMatches, Passage } from '../agent.ts';

/** A word of the question and how much it tells apart: a stem, or a name that is meant letter by letter. */
export type Term = { stem: string; weight: number } | { name: string; weight: number };

export type ScoredPassage = Passage & {
  /** How much of the question the passage covers: 0 nothing, 1 every word that says something. */
  score: number;
  /** The score with what speaks for it besides: what the order goes by. */
  relevance: number;
  /** What of the question stands in it. */
  matched: readonly Term[];
};

/**
 * Scores passages by the share of the question that they cover, each word weighing as much as it tells apart: a word
 * that few passages hold weighs much, one that no passage holds weighs most. A question about something else therefore
 * scores low although it shares common words with the documents. Best first.
 */
export function scorePassages(question: string, matches: KnowledgeMatches): ScoredPassage[] {
  const { passageCount, passages } = matches;
  const weights = new Map(matches.stems.map(({ stem, passages: n }) => [stem, weigh(stem, n, passageCount)]));
  const total = [...weights.values()].reduce((sum, weight) => sum + weight, 0);
  const names = readNames(question);
  const rankMax = Math.max(...passages.map(({ rank }) => rank), Number.MIN_VALUE);
  const subject = definedSubject(question);

  const scored = passages.map((passage) => {
    const { text, rank } = passage;
    const stems = passage.matchedStems.map((stem) => ({ stem, weight: weights.get(stem) ?? 0 }));
    const named = names
      .filter((name) => text.toLowerCase().includes(name))
      .map((name) => ({ name, weight: nameWeight }));
    const score = stems.reduce((sum, { weight }) => sum + weight, 0) / total;
    const extra =
      (rankShare * rank) / rankMax +
      (named.length > 0 ? nameShare : 0) +
      (subject?.test(text) ? definitionShare : 0);
    return { ...passage, score, relevance: score + extra, matched: [...stems, ...named] };
  });
  return scored.sort((a, b) => b.relevance - a.relevance);
}

/** How much closeness of the words and their place in a heading (`rank`) may change the order among like scores. */
const rankShare = 0.15;
/** The same for a passage that says what a thing is, when that was the question. */
const definitionShare = 0.2;
/** The same for a passage that holds a name of the question as it is written. */
const nameShare = 0.2;
/** As much as the rarest of words. */
const nameWeight = 5;

/** A handful of passages does not tell how rare a word is; below this they count as part of so many. */
const passagesAssumed = 20;

/** Inverse document frequency as BM25 has it, which stays above zero for words that stand everywhere. */
function weigh(stem: string, holders: number, passagesHeld: number): number {
  const passageCount = Math.max(passagesHeld, passagesAssumed);
  const idf = Math.log(1 + (passageCount - holders + 0.5) / (holders + 0.5));
  return askingStems.has(stem) ? idf * askingWeight : idf;
}

/** Words that people ask with, whatever they ask about; Postgres' stop words leave them in. */
const askingStems = new Set(
  'abl could describ explain find get give happen know let like mani mean much need often pleas possibl say show tell thing use want would'.split(
    ' ',
  ),
);
const askingWeight = 0.2;

/** `MASTER_KEYS`, `builtin/echo`, `--dry-run`: the index knows them only as the words in them. In lower case. */
function readNames(question: string): string[] {
  const words = question.match(/[\p{L}\p{N}_./-]{3,80}/gu) ?? [];
  return words
    .map((word) => word.replace(/[.]+$/, '').toLowerCase())
    .filter((word) => /[\p{L}\p{N}][_./-]+[\p{L}\p{N}]|^--/u.test(word));
}

/** For "What is X?": finds a sentence that begins with "X is". */
function definedSubject(question: string): RegExp | undefined {
  if (question.length > 80) return undefined;
  const subject = /^what(?:'s|’s| is| are) (?:an? |the )?([\w -]{2,40}?) ?\?*$/i.exec(question)?.[1];
  return subject === undefined
    ? undefined
    : new RegExp(`(?:^|[.!?]\\s|\\n)(?:An? |The )?${subject} (?:is|are) `, 'i');
}
