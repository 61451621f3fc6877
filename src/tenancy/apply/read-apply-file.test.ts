import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { PlannedTenant } from './apply-plan.ts';
import { ApplyFileError, readApplyFile } from './read-apply-file.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'swarmgate-apply-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** How a file names a variable. */
const variable = (name: string) => `\${${name}}`;
const variables: Readonly<Record<string, string>> = { KEY: 'sk-1', EMPTY: '', TRICKY: 'a: b\n- c' };

function write(name: string, content: string | Buffer): string {
  const path = join(folder, name);
  mkdirSync(join(path, '..'), { recursive: true });
  writeFileSync(path, content);
  return path;
}

const read = (yaml: string) => readApplyFile(write('apply.yaml', yaml), (name) => variables[name]);

/** What is wrong with a file, each line without the folder: `line: what`. */
function mistakes(yaml: string): string[] {
  try {
    read(yaml);
  } catch (error) {
    if (!(error instanceof ApplyFileError)) throw error;
    return error.lines.map((line) => line.replaceAll(`${folder}/`, '').replace('apply.yaml:', ''));
  }
  throw new Error('Nothing was wrong.');
}

/** A file with one tenant; `tenant` stands from line 7 on, indented by 8. */
const withTenant = (tenant: string) => `organizations:
  - slug: acme
    name: Acme
    tenants:
      - slug: support
        name: Support
${tenant
  .split('\n')
  .map((line) => `        ${line}`)
  .join('\n')}
`;

const onlyTenant = (yaml: string): PlannedTenant | undefined => read(yaml).organizations[0]?.tenants[0];

describe('a file', () => {
  test('is read with its defaults', () => {
    expect(read('organizations:\n  - { slug: acme, name: Acme }\n')).toEqual({
      organizations: [{ slug: 'acme', name: 'Acme', plan: 'free', tenants: [] }],
    });
  });

  test('takes variables in any text, as text', () => {
    const yaml = withTenant(`agents:
  - { slug: default, model: openai/gpt, apiKey: "\${KEY}", instructions: "\${TRICKY} and \${KEY}", name: "\${NOT A NAME}" }`);
    expect(onlyTenant(yaml)?.agents).toEqual([
      {
        slug: 'default',
        model: 'openai/gpt',
        apiKey: 'sk-1',
        instructions: 'a: b\n- c and sk-1',
        name: variable('NOT A NAME'),
        settings: {},
      },
    ]);
  });

  test('brings its documents along, found from where it stands', () => {
    write('docs/Hand Book (v2).md', 'Intro\n\n# The Handbook \n\nText');
    write('docs/plain.txt', 'No title');
    const yaml = withTenant(`knowledge:
  - path: ./docs/Hand Book (v2).md
  - { path: docs/plain.txt, title: Plain, slug: plain-text, url: https://acme.example/plain }`);
    expect(onlyTenant(yaml)?.knowledge).toEqual([
      { slug: 'hand-book-v2', title: 'The Handbook', content: 'Intro\n\n# The Handbook \n\nText' },
      { slug: 'plain-text', title: 'Plain', content: 'No title', url: 'https://acme.example/plain' },
    ]);
  });

  test('a document whose name has no letter gets a slug all the same', () => {
    write('文書.md', 'text');
    expect(onlyTenant(withTenant('knowledge: [{ path: 文書.md }]'))?.knowledge).toMatchObject([
      { slug: 'document', title: '文書' },
    ]);
  });
});

describe('a mistake is told with its line', () => {
  test.each<[string, string, string[]]>([
    ['broken YAML', 'organizations:\n  - slug: "acme\n    name: Acme\n', ['4: Missing closing "quote']],
    [
      'a key given twice',
      'organizations:\n  - slug: a\n    slug: b\n    name: A\n',
      ['3: Map keys must be unique'],
    ],
    [
      'an unknown key',
      withTenant('chanels: []'),
      ['7: organizations.0.tenants.0 has "chanels", which this version does not know'],
    ],
    [
      'two unknown keys',
      withTenant('tools: []\nusage: []'),
      [
        '7: organizations.0.tenants.0 has "tools", which this version does not know',
        '8: organizations.0.tenants.0 has "usage", which this version does not know',
      ],
    ],
    [
      'an unknown platform',
      withTenant('channels:\n  - { slug: hq,\n      platform: telegram }'),
      ['9: organizations.0.tenants.0.channels.0.platform is not a platform of this version; it has: webchat'],
    ],
    [
      'a value of the wrong form',
      withTenant('agents:\n  - slug: default\n    model: gpt-5'),
      [
        '9: organizations.0.tenants.0.agents.0.model: builtin/echo, builtin/answers, or openai/NAME, anthropic/NAME, google/NAME, compatible/NAME',
      ],
    ],
    [
      'a missing value',
      'organizations:\n  - slug: acme\n',
      ['2: organizations.0.name: Invalid input: expected string, received undefined'],
    ],
    [
      'a number for a text',
      'organizations:\n  - slug: acme\n    name: 5\n',
      ['3: organizations.0.name: Invalid input: expected string, received number'],
    ],
    [
      'a slug with capitals',
      'organizations:\n  - slug: Acme\n    name: A\n',
      ['2: organizations.0.slug: 1 to 63 lower-case letters, digits and dashes'],
    ],
    [
      'a short identity secret',
      withTenant(
        'channels:\n  - slug: site\n    platform: webchat\n    origins: [https://a.example]\n    identity: { secret: short }',
      ),
      ['11: organizations.0.tenants.0.channels.0.identity.secret: at least 32 characters'],
    ],
    [
      'both ways of identity',
      withTenant(
        `channels:\n  - slug: site\n    platform: webchat\n    origins: [https://a.example]\n    identity: { secret: ${'s'.repeat(32)}, jwksUrl: https://a.example/jwks }`,
      ),
      ['11: organizations.0.tenants.0.channels.0.identity: either secret or jwksUrl'],
    ],
    [
      'an address of the key set that is no web address',
      withTenant(
        'channels:\n  - slug: site\n    platform: webchat\n    origins: [https://a.example]\n    identity: { jwksUrl: "file:///etc/passwd" }',
      ),
      ['11: organizations.0.tenants.0.channels.0.identity.jwksUrl: Invalid URL'],
    ],
    ['nothing', '', ['1: the file: Invalid input: expected object, received null']],
    [
      'an empty list',
      'organizations: []\n',
      ['1: organizations: Too small: expected array to have >=1 items'],
    ],
    [
      'a variable that is not set',
      withTenant(`agents:\n  - slug: default\n    model: openai/gpt\n    apiKey: ${variable('MISSING')}`),
      [`10: ${variable('MISSING')} is not set in the environment`],
    ],
    [
      'a document that is not there',
      withTenant('knowledge:\n  - path: missing.md'),
      ['8: missing.md: there is no such file'],
    ],
  ])('%s', (_, yaml, expected) => {
    const found = mistakes(yaml);
    expect(found).toHaveLength(expected.length);
    for (const [index, line] of expected.entries()) expect(found[index]).toContain(line);
  });

  test('a value is not repeated: it may be a secret', () => {
    const lines = mistakes(
      withTenant(
        'agents:\n  - slug: default\n    model: openai/gpt\n    apiKey: { hidden: hunter2 }\n    baseUrl: hunter2',
      ),
    );
    expect(lines).toHaveLength(2);
    expect(lines.join()).not.toContain('hunter2');
  });

  test('a document that is no text', () => {
    write('image.md', Buffer.from([0xff, 0xd8, 0xff]));
    expect(mistakes(withTenant('knowledge:\n  - path: image.md'))).toEqual([
      '8: image.md: it is not UTF-8 text',
    ]);
  });

  test('a document that is too large', () => {
    write('large.md', Buffer.alloc(2 * 1024 * 1024 + 1, 'x'));
    expect(mistakes(withTenant('knowledge:\n  - path: large.md'))).toEqual([
      '8: large.md is larger than 2 MB',
    ]);
  });

  test('a folder where a document should be', () => {
    mkdirSync(join(folder, 'docs'));
    expect(mistakes(withTenant('knowledge:\n  - path: docs'))).toEqual([
      '8: docs: it cannot be read (EISDIR)',
    ]);
  });

  test('a file that is not there', () => {
    expect(() => readApplyFile(join(folder, 'none.yaml'), () => undefined)).toThrow(
      /none\.yaml: there is no such file$/,
    );
  });
});

test('a file that unfolds without end is refused, and quickly', () => {
  const level = (n: number) =>
    `l${n}: &l${n} [${Array(9)
      .fill(`*l${n - 1}`)
      .join(', ')}]`;
  const bomb = [
    'l0: &l0 [lol]',
    ...Array.from({ length: 12 }, (_, n) => level(n + 1)),
    'organizations: *l12',
  ].join('\n');
  const startedAt = performance.now();
  expect(() => read(bomb)).toThrow(ApplyFileError);
  expect(performance.now() - startedAt).toBeLessThan(5_000);
});

test('two things of one name are told apart by nobody, so they are refused, with the line of the second', () => {
  expect(
    mistakes(
      withTenant('agents:\n  - { slug: a, model: builtin/echo }\n  - { slug: a, model: builtin/answers }'),
    ),
  ).toEqual(['9: organizations.0.tenants.0.agents.1.slug: "a" stands here twice']);
});
