import { createHash } from 'node:crypto';
import { newId, type Uuid } from '#domain/ids.ts';
import type { Unit } from '../scopes.ts';
import type { PlannedDocument, Report } from './apply-plan.ts';

/** Cuts a markdown document into the passages that are searched and quoted. */
export type SplitPassages = (
  markdown: string,
) => readonly { heading: string; anchor: string; text: string }[];

/** Makes a tenant's documents what the plan says; one that has not changed is not touched. */
export async function applyKnowledge(
  { splitPassages }: { splitPassages: SplitPassages },
  unit: Unit,
  tenantId: Uuid,
  path: string,
  planned: readonly PlannedDocument[],
  report: Report,
): Promise<void> {
  const rows = await unit.prisma((prisma) =>
    prisma.knowledgeDocument.findMany({
      select: { id: true, slug: true, title: true, url: true, contentHash: true },
    }),
  );
  const known = new Map(rows.map((document) => [document.slug, document]));

  for (const { slug, title, url, content } of planned) {
    const documentPath = `${path}/${slug}`;
    const old = known.get(slug);
    known.delete(slug);
    const contentHash = createHash('sha256').update(content).digest('hex');
    if (old && old.contentHash === contentHash && old.title === title && old.url === (url ?? null)) {
      report({ action: 'unchanged', kind: 'knowledge', path: documentPath });
      continue;
    }
    const id = (old?.id ?? newId()) as Uuid;
    const data = { title, url: url ?? null, content, contentHash };
    await unit.prisma((prisma) =>
      old
        ? prisma.knowledgeDocument.update({
            where: { tenantId_id: { tenantId, id } },
            data: { ...data, updatedAt: new Date() },
          })
        : prisma.knowledgeDocument.create({ data: { tenantId, id, slug, ...data } }),
    );
    await replacePassages(unit, tenantId, id, title, splitPassages(content));
    report({ action: old ? 'updated' : 'created', kind: 'knowledge', path: documentPath });
  }
  for (const slug of known.keys()) report({ action: 'kept', kind: 'knowledge', path: `${path}/${slug}` });
}

// A heading weighs more than the text below it, the document's title a little.
async function replacePassages(
  unit: Unit,
  tenantId: Uuid,
  documentId: Uuid,
  title: string,
  passages: ReturnType<SplitPassages>,
): Promise<void> {
  await unit.sql('DELETE FROM swarmgate.knowledge_passages WHERE tenant_id = $1 AND document_id = $2', [
    tenantId,
    documentId,
  ]);
  await unit.sql(
    `INSERT INTO swarmgate.knowledge_passages (tenant_id, document_id, number, heading, anchor, text, search)
       SELECT $1, $2, n, p.heading, p.anchor, p.text,
           setweight(to_tsvector('english', p.heading), 'A') || setweight(to_tsvector('english', p.text), 'B') || setweight(to_tsvector('english', $3), 'C')
         FROM unnest($4::text[], $5::text[], $6::text[]) WITH ORDINALITY AS p (heading, anchor, text, n)`,
    [
      tenantId,
      documentId,
      title,
      passages.map((p) => p.heading),
      passages.map((p) => p.anchor),
      passages.map((p) => p.text),
    ],
  );
}
