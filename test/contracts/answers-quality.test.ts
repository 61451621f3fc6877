import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { KnowledgeSearch } from '#agents/agent.ts';
import { answerScoreMin, closeScoreMin } from '#agents/answers/answers-agent.ts';
import { scorePassages } from '#agents/answers/score-passages.ts';
import { splitPassages } from '#agents/knowledge/split-passages.ts';
import { readConfig } from '#config/config.ts';
import { createLogger } from '#kernel/logger.ts';
import { apply } from '#tenancy/apply/apply.ts';
import { createKnowledgeSearch } from '#tenancy/knowledge-search.ts';
import { openStorage, type Storage } from '../../src/storage.ts';
import { type JudgedQuestion, questions } from '../fixtures/knowledge/questions.ts';

/**
 * How well `builtin/answers` finds its passage, measured over the real search: Postgres' stemmer, its stop words, and
 * row-level security. `npx vitest run test/contracts/answers-quality.test.ts` prints the figures.
 */

const documents = join(import.meta.dirname, '../fixtures/knowledge');

let folder: string;
let storage: Storage;
let search: (question: string) => ReturnType<KnowledgeSearch['search']>;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'swarmgate-answers-'));
  storage = await openStorage(readConfig({ DATA_DIR: folder }), createLogger('silent'));
  const { scopes, keyRing } = storage;
  const tenant = {
    slug: 'docs',
    name: 'Docs',
    region: 'local',
    channels: [],
    agents: [],
    knowledge: await readDocuments(),
  };
  const organization = { slug: 'docs', name: 'Docs', plan: 'free', tenants: [tenant] };
  await apply(
    { scopes, keyRing, splitPassages, keepMember: async () => 'unchanged', keepWebhooks: async () => [] },
    { organizations: [organization] },
    { dryRun: false },
  );

  const [row] = await scopes.inPlatform((unit) =>
    unit.sql<{ id: string }>('SELECT id FROM directory.tenants', []),
  );
  const knowledge = createKnowledgeSearch(scopes);
  search = (question) => knowledge.search(row?.id ?? '', question, 20);
});
afterAll(async () => {
  await storage?.close();
  await rm(folder, { recursive: true, force: true });
});

test('questions in the words of the documents are answered from the right passage', async () => {
  const { answeredRightly, answeredWrongly, close } = await judge(questions.answered);

  expect(answeredRightly.length).toBeGreaterThanOrEqual(44); // of 48
  expect(answeredWrongly.length).toBeLessThanOrEqual(2);
  expect(answeredRightly.length + answeredWrongly.length + close.length).toBe(48); // none is turned away
});

test('questions that the documents do not answer are not answered', async () => {
  const { answeredRightly, answeredWrongly } = await judge(questions.unanswered);

  expect([...answeredRightly, ...answeredWrongly]).toEqual([]);
});

test('questions in other words are rarely answered wrongly: it says that it is not sure, or does not know', async () => {
  const { answeredWrongly } = await judge(questions.inOtherWords);

  expect(answeredWrongly.length).toBeLessThanOrEqual(2); // of 22
});

test('nine answers out of ten that are given are right, over all questions together', async () => {
  const all = await judge([...questions.answered, ...questions.unanswered, ...questions.inOtherWords]);
  const given = all.answeredRightly.length + all.answeredWrongly.length;

  const precision = all.answeredRightly.length / given;
  console.info(
    `answers: ${given} of ${all.total} questions answered, precision ${precision.toFixed(2)}, ` +
      `${all.close.length} unsure, ${all.declined.length} declined`,
  );
  expect(precision).toBeGreaterThanOrEqual(0.9);
});

type Judgement = Record<'answeredRightly' | 'answeredWrongly' | 'close' | 'declined', string[]> & {
  total: number;
};

async function judge(judged: readonly JudgedQuestion[]): Promise<Judgement> {
  const judgement: Judgement = {
    answeredRightly: [],
    answeredWrongly: [],
    close: [],
    declined: [],
    total: judged.length,
  };
  for (const { question, passages } of judged) {
    const [best] = scorePassages(question, await search(question));
    if (!best || best.score < closeScoreMin) judgement.declined.push(question);
    else if (best.score < answerScoreMin) judgement.close.push(question);
    else {
      const isRight = passages.includes(`${best.url?.replace(/^.*\//, '')}#${best.anchor}`);
      judgement[isRight ? 'answeredRightly' : 'answeredWrongly'].push(question);
    }
  }
  return judgement;
}

async function readDocuments() {
  const names = (await readdir(documents)).filter((name) => name.endsWith('.md'));
  return Promise.all(
    names.map(async (name) => {
      const content = await readFile(join(documents, name), 'utf8');
      const slug = basename(name, '.md');
      return {
        slug,
        title: /^# (.*)$/m.exec(content)?.[1] ?? slug,
        content,
        url: `https://docs.example/${slug}`,
      };
    }),
  );
}
