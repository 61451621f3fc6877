import { describe, expect, test } from 'vitest';
import { applyFile } from './apply-file.ts';

const withTenant = (tenant: object) => ({
  organizations: [{ slug: 'acme', name: 'Acme', tenants: [{ slug: 'support', name: 'Support', ...tenant }] }],
});
const accepts = (file: unknown) => applyFile.safeParse(file).success;

test('a minimal file gets its defaults', () => {
  const { organizations } = applyFile.parse(
    withTenant({ agents: [{ slug: 'default', model: 'builtin/echo' }] }),
  );
  expect(organizations).toEqual([
    {
      slug: 'acme',
      name: 'Acme',
      plan: 'free',
      tenants: [
        {
          slug: 'support',
          name: 'Support',
          region: 'local',
          channels: [],
          knowledge: [],
          agents: [{ slug: 'default', model: 'builtin/echo', instructions: '', settings: {} }],
        },
      ],
    },
  ]);
});

describe('a slug', () => {
  test.each(['a', 'acme', 'a-1', '0', 'a'.repeat(63)])('may be %s', (slug) => {
    expect(accepts({ organizations: [{ slug, name: 'A' }] })).toBe(true);
  });
  test.each(['', '-a', 'a-', 'A', 'a_b', 'a b', 'a/b', 'ä', 'a\n', 'a'.repeat(64)])('is not %j', (slug) => {
    expect(accepts({ organizations: [{ slug, name: 'A' }] })).toBe(false);
  });
});

describe('a model', () => {
  const file = (model: string) => withTenant({ agents: [{ slug: 'default', model }] });

  test.each([
    'builtin/echo',
    'builtin/answers',
    'openai/gpt-5.1',
    'anthropic/claude',
    'google/gemini',
    'compatible/org/llama:8b',
  ])('may be %s', (model) => expect(accepts(file(model))).toBe(true));
  test.each([
    'echo',
    'builtin/none',
    'openai/',
    'azure/gpt',
    'openai/a b',
    `openai/${'x'.repeat(121)}`,
    'openai/x\n',
  ])('is not %j', (model) => expect(accepts(file(model))).toBe(false));
});

describe('the address of a document', () => {
  const file = (url: string) => withTenant({ knowledge: [{ path: 'a.md', url }] });

  test.each(['https://acme.example/a', 'http://localhost:3000/a', '/docs/a#b'])('may be %s', (url) => {
    expect(accepts(file(url))).toBe(true);
  });
  test.each([
    'javascript:alert(1)',
    'data:text/html,x',
    'docs/a',
    '//evil.example/a',
    '/\\evil.example/a',
    '/a b',
    '',
  ])('is not %j', (url) => expect(accepts(file(url))).toBe(false));
});

test.each(['file:///etc/passwd', 'javascript:alert(1)', 'ftp://models.example', 'models.example'])(
  'an agent is not found at %s',
  (baseUrl) => {
    expect(accepts(withTenant({ agents: [{ slug: 'default', model: 'compatible/m', baseUrl }] }))).toBe(
      false,
    );
  },
);

test.each([
  { organizations: [] },
  { organizations: [{ slug: 'a', name: 'A', extra: 1 }] },
  { organisations: [] },
  [],
  null,
])('%j is no apply file', (file) => expect(accepts(file)).toBe(false));

describe('webhooks', () => {
  const url = 'https://hooks.example/';
  const secret = `whsec_${Buffer.alloc(32).toString('base64')}`;

  test('need an address, and are told of everything unless it says otherwise', () => {
    const { organizations } = applyFile.parse(withTenant({ webhooks: [{ url }] }));
    expect(organizations[0]?.tenants[0]?.webhooks).toEqual([
      { url, eventTypes: ['*'], description: '', includeText: false },
    ]);
    expect(accepts(withTenant({ webhooks: [{ url, eventTypes: ['message.received'], secret }] }))).toBe(true);
  });

  test.each([
    [{}],
    [{ url: 'hooks.example' }],
    [{ url, eventTypes: ['message.sent'] }],
    [{ url, secret: 'hunter2' }],
    [{ url, secret: `whsec_${Buffer.alloc(16).toString('base64')}` }],
    [{ url, header: 'x' }],
  ])('are not %j', (webhook) => expect(accepts(withTenant({ webhooks: [webhook] }))).toBe(false));

  test('have one address each', () => {
    expect(accepts(withTenant({ webhooks: [{ url }, { url: `${url}b` }] }))).toBe(true);
    expect(accepts(withTenant({ webhooks: [{ url }, { url }] }))).toBe(false);
  });
});
