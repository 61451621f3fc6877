-- What a tenant's agents may answer from.

CREATE TABLE swarmgate.knowledge_documents (
  tenant_id uuid NOT NULL REFERENCES directory.tenants (id) ON DELETE RESTRICT ON UPDATE RESTRICT,
  id uuid NOT NULL,
  slug text NOT NULL,
  title text NOT NULL,
  url text,
  content text NOT NULL,
  content_hash text NOT NULL,
  created_at timestamptz(3) NOT NULL DEFAULT now(),
  updated_at timestamptz(3) NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant_id, id),
  CONSTRAINT knowledge_documents_tenant_id_slug_key UNIQUE (tenant_id, slug)
);
SELECT swarmgate.enable_tenant_rls('swarmgate.knowledge_documents');

-- A document cut at its headings. No GIN index over `search`: under row-level security @@ is not leakproof, so the
-- planner may not apply it before the tenant's own condition; the tenant-first primary key is what narrows the scan.
CREATE TABLE swarmgate.knowledge_passages (
  tenant_id uuid NOT NULL,
  document_id uuid NOT NULL,
  number integer NOT NULL,
  heading text NOT NULL,
  anchor text NOT NULL,
  text text NOT NULL,
  search tsvector NOT NULL,
  PRIMARY KEY (tenant_id, document_id, number),
  CONSTRAINT knowledge_passages_tenant_id_document_id_fkey FOREIGN KEY (tenant_id, document_id)
    REFERENCES swarmgate.knowledge_documents (tenant_id, id) ON DELETE CASCADE ON UPDATE RESTRICT
);
SELECT swarmgate.enable_tenant_rls('swarmgate.knowledge_passages');
