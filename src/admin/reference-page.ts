import { createHash } from 'node:crypto';
import { Router } from 'express';
import { describeApi } from './openapi.ts';

/** `/docs`: the API for people to read, made from the same document that programs read. It runs no script. */
export function referenceRoute(publicUrl: () => string): Router {
  const router = Router();
  const styleHash = createHash('sha256').update(style).digest('base64');
  router.get('/docs', (_request, response) => {
    response.set({
      'Content-Security-Policy': `default-src 'none'; style-src 'sha256-${styleHash}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
      'Cache-Control': 'no-cache',
    });
    response.type('html').send(renderReference(describeApi(publicUrl())));
  });
  return router;
}

type Described = {
  operationId: string;
  tags: string[];
  summary: string;
  description: string;
  parameters: { name: string; in: string; required: boolean; description?: string; schema: object }[];
  requestBody?: { content: Record<string, { schema: object }> };
  responses: Record<string, { content?: Record<string, { schema: object }> }>;
};

type Document = {
  info: { title: string; description: string };
  tags: { name: string }[];
  paths: Record<string, Record<string, Described>>;
  servers: { url: string }[];
};

function renderReference(given: Record<string, unknown>): string {
  const document = given as Document;
  const all = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
  );
  const sections = document.tags.map(({ name }) => ({
    name,
    id: name.toLowerCase().replaceAll(/[^a-z]+/g, '-'),
    operations: all.filter(({ operation }) => operation.tags.includes(name)),
  }));
  const { info, servers } = document;
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(info.title)}: API reference</title><style>${style}</style></head>
<body><header><h1>${escapeHtml(info.title)} API</h1>
<p>Everything below <code>${escapeHtml(servers[0]?.url ?? '')}</code>. For programs: <a href="/api/v1/openapi.json">openapi.json</a>.</p>
<p>${code(info.description)}</p>
<nav>${sections.map(({ id, name }) => `<a href="#${id}">${escapeHtml(name)}</a>`).join(' ')}</nav></header>
<main>${sections
    .map(
      ({ id, name, operations }) =>
        `<section id="${id}"><h2>${escapeHtml(name)}</h2>${operations.map(renderOperation).join('\n')}</section>`,
    )
    .join('\n')}</main></body></html>`;
}

function renderOperation({
  path,
  method,
  operation,
}: {
  path: string;
  method: string;
  operation: Described;
}): string {
  const { operationId, summary, description, parameters, requestBody, responses } = operation;
  const body = requestBody?.content['application/json']?.schema;
  const [status = '', answer] = Object.entries(responses).find(([code]) => code.startsWith('2')) ?? [];
  const answered = answer?.content?.['application/json']?.schema;
  const shown = parameters.filter(({ in: place }) => place !== 'path');
  return `<details id="${escapeHtml(operationId)}"><summary><b class="${escapeHtml(method)}">${escapeHtml(method.toUpperCase())}</b> <code>${escapeHtml(path)}</code> <span>${escapeHtml(summary)}</span></summary>
<p>${code(description)}</p>
${shown.length === 0 ? '' : `<table><tr><th>parameter</th><th>in</th><th></th></tr>${shown.map(renderParameter).join('')}</table>`}
${body ? `<h3>Body</h3>${renderSchema(body)}` : ''}
<h3>Answer ${escapeHtml(status)}</h3>${answered ? renderSchema(answered) : '<p>Without a body.</p>'}
</details>`;
}

function renderParameter({
  name,
  in: place,
  required,
  description,
  schema,
}: Described['parameters'][number]): string {
  const said = [required ? 'needed' : '', description ?? ''].filter(Boolean).join('; ');
  return `<tr><td><code>${escapeHtml(name)}</code></td><td>${escapeHtml(place)}</td><td>${code(said)} <code>${escapeHtml(JSON.stringify(schema))}</code></td></tr>`;
}

function renderSchema(schema: object): string {
  return `<pre>${escapeHtml(JSON.stringify(schema, undefined, 2))}</pre>`;
}

/** What stands between backticks, as code. */
function code(text: string): string {
  return escapeHtml(text).replaceAll(/`([^`]*)`/g, '<code>$1</code>');
}

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

function escapeHtml(text: string): string {
  return text.replaceAll(/[&<>"']/g, (sign) => entities[sign] ?? sign);
}

const style = `
:root{color-scheme:light dark;--line:color-mix(in srgb,currentColor 18%,transparent);--soft:color-mix(in srgb,currentColor 6%,transparent)}
*{box-sizing:border-box}
body{font:16px/1.55 system-ui,sans-serif;max-width:62rem;margin:0 auto;padding:1.5rem 1rem 4rem}
h1{font-size:1.9rem;margin:.5rem 0}h2{margin:2.2rem 0 .6rem;font-size:1.25rem}h3{margin:1rem 0 .3rem;font-size:.95rem}
nav{display:flex;flex-wrap:wrap;gap:.4rem .9rem;margin:1rem 0}
code,pre{font:.87em/1.5 ui-monospace,monospace}
details{border:1px solid var(--line);border-radius:.5rem;margin:.4rem 0;padding:0 .8rem}
summary{cursor:pointer;padding:.55rem 0;display:flex;flex-wrap:wrap;gap:.2rem .7rem;align-items:baseline}
summary b{font:600 .78rem ui-monospace,monospace;min-width:3.6rem}
summary span{opacity:.75}
summary:focus-visible,a:focus-visible{outline:2px solid;outline-offset:3px}
.get{color:#1a7f4b}.post{color:#1f63c9}.patch,.put{color:#a3650b}.delete{color:#c0362c}
@media (prefers-color-scheme:dark){.get{color:#5fd097}.post{color:#7fb1ff}.patch,.put{color:#eab45c}.delete{color:#ff8f85}}
pre{overflow:auto;max-height:26rem;background:var(--soft);padding:.7rem;border-radius:.4rem}
table{border-collapse:collapse;width:100%;font-size:.92rem}td,th{text-align:left;vertical-align:top;border-top:1px solid var(--line);padding:.3rem .5rem .3rem 0;overflow-wrap:anywhere}
`;
