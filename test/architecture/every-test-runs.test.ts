import { expect, test } from 'vitest';
import { sourceFiles } from './source-files.ts';

const leftOut = /(\.(skip|only|todo|skipIf|runIf)\b|\b(xit|xtest|xdescribe))\s*[.(]/;
const folders = ['src', 'contract', 'web', 'test', 'tools'];

test('no test is left out', () => {
  const tests = folders.flatMap((folder) => sourceFiles(folder, /\.(test|browser)\.tsx?$/));
  expect(tests.length).toBeGreaterThan(0);
  const leftOutIn = tests.filter(({ text }) => leftOut.test(text)).map(({ path }) => path);
  expect(leftOutIn).toEqual([]);
});

test.each(['skip', 'only', 'todo', 'skipIf', 'runIf'])('a test with %s would be seen', (modifier) => {
  expect(`test.${modifier}(true, () => undefined)`).toMatch(leftOut);
});
