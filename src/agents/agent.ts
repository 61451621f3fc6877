import type { ModelUsage } from '#models/model.ts';

/**
 * The front door of the agents: what a turn hands to an agent, and what an agent hands back.
 */

/** An agent as its tenant configured it. */
export type AgentDefinition = {
  id: string;
  slug: string;
  name: string;
  /** `builtin/echo`, `builtin/answers`, or a model's full name (`openai/…`, `anthropic/…`, `google/…`, `compatible/…`). */
  model: string;
  instructions: string;
  settings: AgentSettings;
  /** The tenant's own key and base URL for the model, already opened. */
  access?: { apiKey?: string; baseUrl?: string };
};

/** Bounds of a turn; their defaults are in `agents/defaults.ts`. */
export type AgentSettings = {
  /** How much of the conversation a model reads, by our own estimate. */
  historyTokensMax?: number;
  /** How long an answer may get; the provider's own bound when absent. */
  outputTokensMax?: number;
  /** How long one attempt may take in all. */
  turnTimeoutMs?: number;
  /** How long a model may stay silent. */
  idleTimeoutMs?: number;
};

export type HistoryEntry = { role: 'visitor' | 'agent' | 'operator' | 'system'; text: string };

/** A step of this turn that an earlier attempt has finished and that need not run again. */
export type JournalledStep = { number: number; kind: 'model' | 'retrieval'; output: unknown };

/** One message to answer, with what came before it (oldest first, without the message itself). */
export type AgentTurn = {
  tenantId: string;
  conversationId: string;
  turnId: string;
  agent: AgentDefinition;
  message: { id: string; text: string };
  history: readonly HistoryEntry[];
  steps: readonly JournalledStep[];
  /** Keeps a step's result before the next step starts; resolves once it is committed. Throws when the lease is lost. */
  keepStep(step: JournalledStep): Promise<void>;
};

export type Source = { title: string; url?: string; quote?: string };

/** What an agent says while it answers. `text` events are pieces of the final answer, in order; `done` comes last. */
export type AgentEvent =
  | { kind: 'text'; delta: string }
  | { kind: 'done'; text: string; sources: readonly Source[]; usage: ModelUsage; model: string };

/** Answers turns. It holds no state between them and opens no transaction. */
export interface Agent {
  /** Fails with an `AppError`: `retry` says whether the turn may be tried again. Ends with the signal's reason on abort. */
  reply(turn: AgentTurn, signal: AbortSignal): AsyncIterable<AgentEvent>;
}

/** A passage of a tenant's knowledge that matches a question. */
export type Passage = {
  documentId: string;
  title: string;
  /** The headings above it from the outside in; empty before the first one. */
  heading: string;
  /** The document's address. */
  url: string | null;
  /** The place in it; empty at its beginning. */
  anchor: string;
  text: string;
  /** Postgres `ts_rank_cd`, for ordering only. */
  rank: number;
  /** The stems of the question that occur in the passage. */
  matchedStems: readonly string[];
};

export type KnowledgeMatches = {
  /** Every stem of the question (stop words removed) with the number of this tenant's passages that hold it. */
  stems: readonly { stem: string; passages: number }[];
  passageCount: number;
  /** Best first. */
  passages: readonly Passage[];
};

/** Looks things up in the knowledge of one tenant. Implemented over row-level security. */
export interface KnowledgeSearch {
  search(tenantId: string, question: string, limit: number): Promise<KnowledgeMatches>;
}
