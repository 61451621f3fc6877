import { expect, test } from 'vitest';
import type { KnowledgeMatches, Passage } from '../agent.ts';
import { scorePassages } from './score-passages.ts';

test('a passage scores by the share of the question that it covers, rare words counting more', () => {
  const matches = matching({ redi: 2, servic: 90, teleport: 0 }, [
    passage('rare', ['redi']),
    passage('common', ['servic']),
    passage('both', ['redi', 'servic']),
  ]);

  const scored = scorePassages('Can the service teleport Redis?', matches);

  expect(scored.map(({ text }) => text)).toEqual(['both', 'rare', 'common']);
  const [both = 0, rare = 0, common = 0] = scored.map(({ score }) => score);
  expect(both).toBeCloseTo(rare + common);
  expect(rare).toBeGreaterThan(10 * common);
  expect(both).toBeLessThan(0.5); // nobody has heard of teleporting
});

test('the words that people ask with weigh little', () => {
  const matches = matching({ tell: 0, redi: 2 }, [passage('redis', ['redi'])]);

  expect(scorePassages('Tell me about Redis', matches)[0]?.score).toBeGreaterThan(0.75);
});

test('a single document is enough to answer from', () => {
  const passages = [passage('Goods may be returned within fourteen days.', ['good', 'return', 'day'])];
  const matches = { ...matching({ day: 1, good: 1, return: 1, week: 0 }, passages), passageCount: 1 };

  expect(
    scorePassages('How many days or weeks until goods are returned?', matches)[0]?.score,
  ).toBeGreaterThan(0.6);
});

test('among equals, what is closer comes first', () => {
  const matches = matching({ port: 3 }, [passage('far', ['port'], 0.1), passage('near', ['port'], 0.9)]);

  expect(scorePassages('port', matches).map(({ text }) => text)).toEqual(['near', 'far']);
});

test('what a thing is, is told by the passage that says "it is"', () => {
  const matches = matching({ cell: 3 }, [
    passage('Every row names its cell.', ['cell'], 0.9),
    passage('Read this first. A cell is a region with its database.', ['cell'], 0.5),
  ]);

  expect(scorePassages('What is a cell?', matches)[0]?.text).toContain('A cell is');
});

test('a name counts as it is written', () => {
  const matches = matching({ databas: 9, url: 9 }, [
    passage('The URL of the database.', ['databas', 'url'], 0.9),
    passage('Set `DATABASE_URL` to use Postgres.', ['databas', 'url'], 0.5),
  ]);

  const [best] = scorePassages('what is DATABASE_URL?', matches);

  expect(best?.text).toContain('DATABASE_URL');
  expect(best?.matched).toContainEqual(expect.objectContaining({ name: 'database_url' }));
});

test('nothing to score is no passage', () => {
  expect(scorePassages('?', { stems: [], passageCount: 9, passages: [] })).toEqual([]);
});

function matching(stems: Record<string, number>, passages: Passage[]): KnowledgeMatches {
  return {
    stems: Object.entries(stems).map(([stem, count]) => ({ stem, passages: count })),
    passageCount: 100,
    passages,
  };
}

function passage(text: string, matchedStems: string[], rank = 0): Passage {
  return { documentId: 'd', title: 'T', heading: '', url: null, anchor: '', text, rank, matchedStems };
}
