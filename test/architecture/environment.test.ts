import { expect, test } from 'vitest';
import { sourceFiles } from './source-files.ts';

// What a setting means, and what is wrong with one, is said in one place (Biome's noProcessEnv sees only the first form).
const readsEnvironment =
  /\bprocess\.env\b|\bprocess\[['"]env['"]\]|\benv\b[^;]*\bfrom 'node:process'|\benv\b[^;=]*=\s*process\b/;

test('only config/env.ts reads the environment', () => {
  const readers = sourceFiles('src', /(?<!\.test)\.ts$/)
    .filter(({ text }) => readsEnvironment.test(text))
    .map(({ path }) => path)
    .filter((path) => !path.startsWith('src/connections/prisma/generated/'));
  expect(readers).toEqual(['src/config/env.ts']);
});

test.each([
  'const port = process.env.PORT;',
  "const port = process['env']['PORT'];",
  "import { env } from 'node:process';",
  'const { env } = process;',
])('a reader would be seen: %s', (line) => {
  expect(line).toMatch(readsEnvironment);
});
