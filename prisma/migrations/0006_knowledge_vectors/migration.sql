-- requires: vector
-- Embeddings of passages, where pgvector is installed. The embedder's name goes with each vector, so that a tenant
-- that changes embedders is indexed anew instead of compared across models.
CREATE EXTENSION IF NOT EXISTS vector WITH SCHEMA public;

CREATE TABLE swarmgate.knowledge_vectors (
  tenant_id uuid NOT NULL,
  document_id uuid NOT NULL,
  number integer NOT NULL,
  embedder text NOT NULL,
  embedding public.vector NOT NULL,
  PRIMARY KEY (tenant_id, document_id, number, embedder),
  CONSTRAINT knowledge_vectors_tenant_id_document_id_number_fkey FOREIGN KEY (tenant_id, document_id, number)
    REFERENCES swarmgate.knowledge_passages (tenant_id, document_id, number) ON DELETE CASCADE ON UPDATE RESTRICT
);
SELECT swarmgate.enable_tenant_rls('swarmgate.knowledge_vectors');
