import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { levelOne, levelTwo } from './asvs-requirements.ts';
import { sourceFiles } from './source-files.ts';

/** What the security documents say is there, is there: files, tests by their names, and sums. */

const root = join(import.meta.dirname, '../..');
const files = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], {
  cwd: root,
  encoding: 'utf8',
}).split('\n');

const documents = [
  ...sourceFiles('docs/security', /\.md$/),
  ...sourceFiles('docs', /^security\.md$/).filter(({ path }) => path === 'docs/security.md'),
];
const asvs = documents.find(({ path }) => path.endsWith('/asvs.md'))?.text ?? '';

const isFile = /^[\w.@][\w.@/-]*\.(?:tsx?|m?js|md|sql|ya?ml|jsonc?|sh)$/;
const isOurs = /^(?:src|test|contract|web|docs|prisma|tools|deploy|bin|bench)\/[\w.@/-]+$/;

/** The words between backticks that are files or folders of this repository. */
function namesIn(text: string): string[] {
  const quoted = [...text.matchAll(/`([^`\n]+)`/g)].map(([, name = '']) => name);
  return quoted.filter((name) => isFile.test(name) || isOurs.test(name));
}

/** A path from the root, or the mere name of a file that is somewhere. */
function placesOf(name: string): string[] {
  if (name.includes('/')) return existsSync(join(root, name)) ? [name] : [];
  return files.filter((path) => basename(path) === name);
}

test.each(documents)('$path names files that exist', ({ text }) => {
  expect(namesIn(text).filter((name) => placesOf(name).length === 0)).toEqual([]);
});

test.each(documents)('$path leads to documents that exist', ({ path, text }) => {
  const targets = [...text.matchAll(/\]\(([^)#\s]+)(?:#[^)]*)?\)/g)].map(([, target = '']) => target);
  const ours = targets.filter((target) => !/^[a-z]+:/.test(target));
  expect(ours.filter((target) => !existsSync(join(root, dirname(path), target)))).toEqual([]);
});

test.each(documents)('$path quotes names of tests that are there', ({ text }) => {
  const quotes = [...text.matchAll(/`([\w./-]+\.(?:test|browser)\.tsx?)` ((?:"[^"]+"(?:, )?)+)/g)];
  const missing = quotes.flatMap(([, file = '', quoted = '']) =>
    [...quoted.matchAll(/"([^"]+)"/g)]
      .map(([, name = '']) => name)
      .filter(
        (name) => !placesOf(file).some((place) => readFileSync(join(root, place), 'utf8').includes(name)),
      )
      .map((name) => `${file}: ${name}`),
  );
  expect(missing).toEqual([]);
});

test('a file that is not there would be seen', () => {
  const names = namesIn(
    '`src/nowhere.ts`, `nowhere.test.ts`, `test/nowhere/`, `not.a.file`, `docs/security.md`',
  );
  expect(names.filter((name) => placesOf(name).length === 0)).toEqual([
    'src/nowhere.ts',
    'nowhere.test.ts',
    'test/nowhere/',
  ]);
});

describe('ASVS', () => {
  const verdicts = ['met', 'partly', 'not', 'n.a.'];
  const rows = [...asvs.matchAll(/^\| (\d+\.\d+\.\d+) \| ([^|]+) \| (\d) \| ([^|]+) \| ([^|]+) \|$/gm)].map(
    ([, id = '', about = '', level, verdict = '', by = '']) => ({
      id,
      about,
      level: Number(level),
      verdict,
      by,
    }),
  );

  test('has each requirement of levels 1 and 2 once, under its level and in order', () => {
    const inOrder = (ids: readonly string[]) => [...ids].sort((a, b) => weightOf(a) - weightOf(b));
    expect([levelOne.length, levelTwo.length]).toEqual([70, 183]);
    expect(rows.map(({ id }) => id)).toEqual(inOrder([...levelOne, ...levelTwo]));
    expect(rows.filter(({ level }) => level === 1).map(({ id }) => id)).toEqual(inOrder(levelOne));
  });

  test('says of each whether it is met, and by what', () => {
    const unclear = rows.filter(
      ({ verdict, about, by }) => !verdicts.includes(verdict) || about.trim() === '' || by.trim() === '',
    );
    expect(unclear).toEqual([]);
  });

  test('sums up what its tables say', () => {
    const count = (of: typeof rows) => [
      of.length,
      ...verdicts.map((verdict) => of.filter((row) => row.verdict === verdict).length),
    ];
    const sums = [...asvs.matchAll(/^\| (?:\[V(\d+) [^|]*|\*\*all\*\*) \|((?: \d+ \|){5})$/gm)].map(
      ([, chapter, numbers = '']) => [chapter ?? 'all', numbers.match(/\d+/g)?.map(Number)],
    );
    const chapters = Array.from({ length: 17 }, (_, index) => String(index + 1));
    expect(sums).toEqual([
      ...chapters.map((chapter) => [chapter, count(rows.filter(({ id }) => id.startsWith(`${chapter}.`)))]),
      ['all', count(rows)],
    ]);
  });

  test('lists all that is not met', () => {
    const [, section = ''] = /^## What is not met\n([\s\S]*?)^## /m.exec(asvs) ?? [];
    const listed = section.match(/\b\d+\.\d+\.\d+\b/g) ?? [];
    const wanted = rows
      .filter(({ verdict }) => verdict === 'partly' || verdict === 'not')
      .map(({ id }) => id);
    expect([...new Set(listed)].sort()).toEqual(wanted.sort());
  });
});

function weightOf(id: string): number {
  const [chapter = 0, section = 0, number = 0] = id.split('.').map(Number);
  return chapter * 10_000 + section * 100 + number;
}
