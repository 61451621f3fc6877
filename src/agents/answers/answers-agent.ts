import { texts } from '#locales/en.ts';
import type { Agent, AgentEvent, KnowledgeSearch, Source } from '../agent.ts';
import { piecesOf } from '../pieces.ts';
import { chooseQuote, chooseSentence } from './choose-quote.ts';
import { readQuestion, recogniseSmallTalk, type SmallTalk } from './intents.ts';
import { type ScoredPassage, scorePassages } from './score-passages.ts';

/**
 * From the first score on, the best passage is the answer; from the second on, it is shown as what comes close; from the
 * third on, its title is worth a mention. Measured by test/contracts/answers-quality.test.ts.
 */
export const answerScoreMin = 0.5;
export const closeScoreMin = 0.3;
const mentionScoreMin = 0.15;

/** How near a second passage must come to the best one to be worth a mention. */
const alsoRelevantShare = 0.8;

/** How many passages the search may find; the score, which the search does not know, chooses among them. */
const candidatesMax = 20;
const closestMax = 3;

type Answer = { text: string; sources: readonly Source[] };

/**
 * `builtin/answers`: finds the passage of the tenant's documents that covers the question best and quotes it word for
 * word, with its source. It makes up nothing: below a score it says that it does not know. It needs no model, no key
 * and no journal, because looking again costs nothing and changes nothing.
 */
export function createAnswersAgent(knowledge: KnowledgeSearch): Agent {
  return {
    async *reply({ tenantId, message, agent }, signal): AsyncGenerator<AgentEvent, void> {
      signal.throwIfAborted();
      const smallTalk = recogniseSmallTalk(message.text);
      const { text, sources } = smallTalk
        ? answerSmallTalk(smallTalk)
        : await lookUp(knowledge, tenantId, message.text);
      signal.throwIfAborted();
      for (const delta of piecesOf(text)) yield { kind: 'text', delta };
      yield { kind: 'done', text, sources, usage: {}, model: agent.model };
    },
  };
}

function answerSmallTalk(smallTalk: SmallTalk): Answer {
  return { text: texts.answers[smallTalk], sources: [] };
}

async function lookUp(knowledge: KnowledgeSearch, tenantId: string, message: string): Promise<Answer> {
  const question = readQuestion(message);
  const matches = await knowledge.search(tenantId, question, candidatesMax);
  if (matches.passageCount === 0) return { text: texts.answers.noDocuments, sources: [] };
  if (matches.stems.length === 0) return { text: texts.answers.nothingToLookUp, sources: [] };

  const passages = scorePassages(question, matches);
  const [best, ...others] = passages;
  if (!best || best.score < closeScoreMin) return admit(passages);
  if (best.score < answerScoreMin) return showClose(passages.filter(({ score }) => score >= closeScoreMin));
  const second = others.find((other) => isAlsoRelevant(other, best));
  return quote(best, second);
}

function isAlsoRelevant(other: ScoredPassage, best: ScoredPassage): boolean {
  const isClose = other.score >= answerScoreMin && other.relevance >= best.relevance * alsoRelevantShare;
  return isClose && titleOf(other) !== titleOf(best);
}

function quote(best: ScoredPassage, second: ScoredPassage | undefined): Answer {
  const quoted = chooseQuote(best.text, best.matched);
  const endsAsBlock = /(?:```|^\s*(?:-|\d+[.)]) .*)$/.test(quoted.slice(quoted.lastIndexOf('\n') + 1));
  const text = `${quoted}${endsAsBlock ? '\n\n' : ' '}[1]`;
  if (!second) return { text, sources: [sourceOf(best)] };
  return {
    text: `${text}\n\n${texts.answers.alsoRelevant}: ${titleOf(second)} [2]`,
    sources: [sourceOf(best), sourceOf(second)],
  };
}

function showClose(passages: readonly ScoredPassage[]): Answer {
  const shown = distinct(passages);
  const list = shown.map((passage, index) => `- ${titleOf(passage)} [${index + 1}]`);
  return { text: `${texts.answers.notSure}\n\n${list.join('\n')}`, sources: shown.map(sourceOf) };
}

function admit(passages: readonly ScoredPassage[]): Answer {
  const mentioned = distinct(passages.filter(({ score }) => score >= mentionScoreMin));
  const titles = mentioned.map((passage) => `- ${titleOf(passage)}`);
  if (titles.length === 0) return { text: texts.answers.notFound, sources: [] };
  return { text: `${texts.answers.notFound} ${texts.answers.closest}\n\n${titles.join('\n')}`, sources: [] };
}

function distinct(passages: readonly ScoredPassage[]): ScoredPassage[] {
  const byTitle = new Map<string, ScoredPassage>();
  for (const passage of passages) if (!byTitle.has(titleOf(passage))) byTitle.set(titleOf(passage), passage);
  return [...byTitle.values()].slice(0, closestMax);
}

function titleOf({ title, heading }: ScoredPassage): string {
  return heading === '' ? title : `${title} › ${heading}`;
}

function sourceOf(passage: ScoredPassage): Source {
  const { url, anchor } = passage;
  return {
    title: titleOf(passage),
    ...(url !== null && { url: anchor === '' ? url : `${url}#${encodeURIComponent(anchor)}` }),
    quote: chooseSentence(passage.text, passage.matched),
  };
}
