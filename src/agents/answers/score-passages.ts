import type { KnowledgeMatches, Passage } from '../agent.ts';

/** How much of a question a passage covers: 0 nothing, 1 every word that says something. */
export type ScoredPassage = Passage & { score: number };

/**
 * Scores passages by the share of the question that they cover, each word weighing as much as it tells apart: a word
 * that few passages hold weighs much, one that no passage holds weighs most. A question about something else therefore
 * scores low although it shares common words with the documents. Best first; equals stay in the order of the search.
 */
export function scorePassages({ stems, passageCount, passages }: KnowledgeMatches): ScoredPassage[] {
  const weights = new Map(stems.map(({ stem, passages: holders }) => [stem, weigh(stem, holders, passageCount)]));
  const total = sum(weights.values());
  if (total === 0) return [];
  const rankMax = Math.max(...passages.map(({ rank }) => rank), Number.MIN_VALUE);

  return passages
    .map((passage) => ({
      ...passage,
      score: sum(passage.matchedStems.map((stem) => weights.get(stem) ?? 0)) / total,
    }))
    .sort((a, b) => order(b, rankMax) - order(a, rankMax));
}

/** How much closeness of the words and their place in a heading (`rank`) may change the order among like scores. */
const rankShare = 0.15;

function order({ score, rank }: ScoredPassage, rankMax: number): number {
  return score + (rankShare * rank) / rankMax;
}

/** Words that people ask with, whatever they ask about; Postgres' own stop words leave these in. */
const askingStems = new Set(
  'tell know want need pleas explain describ show like get use way thing question mean possibl abl let give find say happen work make look help would could'.split(
    ' ',
  ),
);
const askingWeight = 0.2;

/** Inverse document frequency as in BM25, which stays above zero for words that stand everywhere. */
function weigh(stem: string, holders: number, passageCount: number): number {
  const idf = Math.log(1 + (passageCount - holders + 0.5) / (holders + 0.5));
  return askingStems.has(stem) ? idf * askingWeight : idf;
}

function sum(numbers: Iterable<number>): number {
  let total = 0;
  for (const number of numbers) total += number;
  return total;
}
