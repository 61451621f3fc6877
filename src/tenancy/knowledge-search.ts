import type { KnowledgeMatches, KnowledgeSearch } from '#agents/agent.ts';
import type { Scopes } from './scopes.ts';

/** Full-text search in the knowledge of one tenant, in one round trip. */
export function createKnowledgeSearch(scopes: Scopes): KnowledgeSearch {
  return {
    async search(tenantId, question, limit) {
      const parameters = [tenantId, question.replaceAll('\u0000', ' '), limit];
      const [row] = await scopes.call<{ search_knowledge_v1: KnowledgeMatches }>(
        'swarmgate.search_knowledge_v1',
        parameters,
      );
      return row?.search_knowledge_v1 ?? { stems: [], passageCount: 0, passages: [] };
    },
  };
}
