import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';

// A cruise that sees nothing (dependency-cruiser under TypeScript 7 does that) says "no violations" and exits with 0.
// So violations are planted in a copy of the code, and each must be found by the name of its rule.
const planted: { file: string; content: string; rule: string }[] = [
  {
    file: 'src/domain/planted.ts',
    content: "import '#kernel/logger.ts';",
    rule: 'domain-direction',
  },
  {
    file: 'src/agents/planted-past-front-door.ts',
    content: "import '#models/model-error.ts';",
    rule: 'agents-direction',
  },
  {
    file: 'src/conversations/planted-driver.ts',
    content: "import pg from 'pg'; export const pool = new pg.Pool();",
    rule: 'database-drivers-owned',
  },
  {
    file: 'src/conversations/planted-type.ts',
    content: "import type { Queue } from 'bullmq'; export type Planted = Queue;",
    rule: 'queue-library-owned',
  },
  {
    file: 'src/http/planted-model.ts',
    content: "import { generateText } from 'ai'; export const planted = generateText;",
    rule: 'model-sdks-owned',
  },
  {
    file: 'src/tenancy/planted-router.ts',
    content: "import express from 'express'; export const planted = express();",
    rule: 'express-owned',
  },
  {
    file: 'src/gateways/webchat/planted.ts',
    content: "import '#tenancy/scopes.ts';",
    rule: 'gateways-webchat',
  },
  {
    file: 'src/gateways/slack/planted.ts',
    content: "import '../webchat/index.ts';",
    rule: 'gateways-platform',
  },
  {
    file: 'src/kernel/planted-circle.ts',
    content: "import './planted-circle-back.ts';",
    rule: 'no-cycles',
  },
  {
    file: 'src/kernel/planted-circle-back.ts',
    content: "import './planted-circle.ts';",
    rule: 'no-cycles',
  },
  {
    file: 'src/kernel/planted-development-package.ts',
    content: "import { test } from 'vitest'; export const planted = test;",
    rule: 'no-development-package',
  },
  {
    file: 'src/kernel/planted-dead-end.ts',
    content: "import './nowhere.ts';",
    rule: 'no-unresolvable',
  },
  {
    file: 'src/surprise/planted.ts',
    content: "import '#domain/ids.ts';",
    rule: 'every-folder-in-the-table',
  },
  {
    file: 'contract/src/planted.ts',
    content: "import '../../src/domain/ids.ts';",
    rule: 'contract-alone',
  },
  {
    file: 'web/widget/src/planted.ts',
    content: "import '../../../src/domain/ids.ts';",
    rule: 'web-contract-only',
  },
];

const allowed = {
  file: 'src/http/planted-allowed.ts',
  content: "import express from 'express'; import '#domain/ids.ts'; export const planted = express;",
};

type Violation = { from: string; rule: { name: string }; cycle?: { name: string }[] };
type Cruise = { summary: { totalCruised: number; violations: Violation[] } };

const root = join(import.meta.dirname, '../..');
let copy: string;
let cruise: Cruise;

beforeAll(() => {
  copy = mkdtempSync(join(tmpdir(), 'swarmgate-boundaries-'));
  copyCode(copy);
  for (const { file, content } of [...planted, allowed]) {
    mkdirSync(join(copy, dirname(file)), { recursive: true });
    writeFileSync(join(copy, file), content);
  }
  cruise = runCruise(copy);
});

afterAll(() => rmSync(copy, { recursive: true }));

test.each(planted)('$rule is broken by $file', ({ file, rule }) => {
  expect(rulesBrokenBy(file)).toContain(rule);
});

test('what the table allows breaks nothing', () => {
  expect(rulesBrokenBy(allowed.file)).toEqual([]);
});

test('the cruise has seen the code, not just a few files of it', () => {
  const sources = execFileSync('git', ['ls-files', 'src/*.ts'], { cwd: root, encoding: 'utf8' }).split('\n');
  expect(cruise.summary.totalCruised).toBeGreaterThan(sources.length);
});

// A circle is reported once, from any of its files.
function rulesBrokenBy(file: string): string[] {
  return cruise.summary.violations
    .filter(({ from, cycle }) => from === file || cycle?.some(({ name }) => name === file))
    .map(({ rule }) => rule.name);
}

function copyCode(folder: string): void {
  const isOurs = (path: string): boolean => !/[\\/](node_modules|dist)$/.test(path);
  for (const part of ['src', 'contract', 'web', 'bin', 'package.json', 'tsconfig.json']) {
    cpSync(join(root, part), join(folder, part), { recursive: true, filter: isOurs });
  }
  linkPackages(folder);
}

// The installed packages, but the contract of the copy: the project's own would lead out of the copy again.
function linkPackages(folder: string): void {
  mkdirSync(join(folder, 'node_modules/@swarmgate'), { recursive: true });
  symlinkSync(join(folder, 'contract'), join(folder, 'node_modules/@swarmgate/contract'), 'junction');
  for (const name of readdirSync(join(root, 'node_modules'))) {
    if (name.startsWith('.') || name === '@swarmgate') continue;
    symlinkSync(join(root, 'node_modules', name), join(folder, 'node_modules', name), 'junction');
  }
}

function runCruise(folder: string): Cruise {
  const script = join(root, 'node_modules/dependency-cruiser/bin/dependency-cruiser.mjs');
  const config = join(root, '.dependency-cruiser.mjs');
  const { stdout, stderr } = spawnSync(
    process.execPath,
    [script, '--config', config, '--output-type', 'json', 'src', 'contract/src', 'web', 'bin'],
    { cwd: folder, encoding: 'utf8', maxBuffer: 256 * 1024 * 1024 },
  );
  if (stdout === '') throw new Error(`dependency-cruiser gave no report: ${stderr}`);
  return JSON.parse(stdout);
}
