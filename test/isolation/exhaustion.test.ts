import { expect, test, vi } from 'vitest';
import { newId } from '#domain/ids.ts';
import { createKnowledgeSearch } from '#tenancy/knowledge-search.ts';
import { aDatabase, type TestDatabase } from '../support/a-database.ts';
import { aService } from '../support/a-service.ts';
import { insertRow, insertTenants, rowsOfTenant } from './tenant-rows.ts';

/** What one visitor may ask for costs a bounded amount, whoever pays for it. */

const wordOf = (index: number) => `w${index.toString(36)}x`;

test('a question of thousands of words is looked up by its first ones', async () => {
  const database = await aDatabase();
  const tenantId = newId();
  await knowledge(database, tenantId, 300);
  const search = createKnowledgeSearch(database.scopes);
  const question = Array.from({ length: 20_000 }, (_, index) => wordOf(index)).join(' ');
  const { stems, passages } = await search.search(tenantId, question, 10);
  expect(stems).toHaveLength(48);
  expect(new Set(stems.map(({ stem }) => stem))).toEqual(
    new Set(Array.from({ length: 48 }, (_, index) => wordOf(index))),
  );
  expect(passages).toHaveLength(6); // those that hold one of them
});

/** Passages of words that questions hold. */
async function knowledge(database: TestDatabase, tenantId: ReturnType<typeof newId>, passages: number) {
  const { 'swarmgate.knowledge_documents': document = {} } = rowsOfTenant(tenantId);
  await database.asOwner(async (client) => {
    await insertTenants(client, newId(), [tenantId]);
    await insertRow(client, 'swarmgate.knowledge_documents', document);
    for (let number = 1; number <= passages; number++) {
      const text = Array.from({ length: 50 }, (_, index) => wordOf(number * 7 + index)).join(' ');
      await client.query(
        `INSERT INTO swarmgate.knowledge_passages (tenant_id, document_id, number, heading, anchor, text, search)
           VALUES ($1, $2, $3, '', '', $4, to_tsvector('english', $4))`,
        [tenantId, document['id'], number, text],
      );
    }
  });
}

test('a thousand questions after its health are a few to the database', async () => {
  const service = await aService();
  const query = vi.spyOn(service.app.storage.database.pool, 'query');
  const call = vi.spyOn(service.app.storage.scopes, 'call');
  const paths = Array.from({ length: 1_000 }, (_, index) => (index % 2 === 0 ? '/readyz' : '/metrics'));
  const startedAt = performance.now();
  for (let from = 0; from < paths.length; from += 50) {
    const answers = await Promise.all(paths.slice(from, from + 50).map((path) => fetch(service.url + path)));
    for (const answer of answers) {
      expect(answer.status).toBe(200);
      await answer.arrayBuffer();
    }
  }
  const windows = Math.ceil((performance.now() - startedAt) / 250) + 1;
  const isThere = query.mock.calls.filter(([text]) => /schema_history/.test(JSON.stringify(text)));
  const backlog = call.mock.calls.filter(([name]) => name === 'swarmgate.backlog_v1');
  for (const { length } of [isThere, backlog]) {
    expect(length).toBeGreaterThan(0);
    expect(length).toBeLessThanOrEqual(windows);
  }
});
