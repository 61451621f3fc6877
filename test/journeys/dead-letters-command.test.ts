import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { runCommand } from '../support/a-command.ts';
import { aStartedService } from '../support/a-started-service.ts';
import { aVisitor } from '../support/a-visitor.ts';
import { anInstallation } from '../support/an-installation.ts';

// A model whose key nobody has given: its turns are given up at once.
const acme = `organizations:
  - slug: acme
    name: Acme Inc
    tenants:
      - slug: acme
        name: Acme
        agents: [{ slug: default, model: openai/gpt-5 }]
        channels: [{ slug: site, platform: webchat, key: wk_acme, origins: ["https://acme.example"] }]
`;

test('an operator looks at what was given up and puts it away, while the service runs', async () => {
  const { env, remove } = await anInstallation();
  onTestFinished(remove);
  const folder = await mkdtemp(join(tmpdir(), 'swarmgate_test_file_'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const file = join(folder, 'acme.yaml');
  await writeFile(file, acme);
  const service = await aStartedService(env);
  const letters = (...words: string[]) => runCommand(['dead-letters', ...words], env);
  expect(await runCommand(['apply', file], env)).toMatchObject({ code: 0 });
  expect(await letters('list', 'acme')).toMatchObject({ code: 0, output: 'There is none.\n' });
  const visitor = await aVisitor(service, { key: 'wk_acme', origin: 'https://acme.example' });
  await visitor.answerTo(await visitor.send('a private question'));

  const listed = await letters('list', 'acme', '--json');
  const [{ id, code }, ...more] = JSON.parse(listed.output);
  expect(more).toEqual([]);
  const shown = await letters('show', 'acme', id);
  expect(shown.output).toContain(code);
  expect(shown.output).not.toContain('a private question');
  expect((await letters('show', 'acme', id, '--text')).output).toContain('a private question');

  expect(await letters('purge', 'acme')).toMatchObject({ code: 1, errors: expect.stringMatching(/--all/) });
  expect(await letters('list', 'acme', '--kind', 'letter')).toMatchObject({
    code: 1,
    errors: expect.stringMatching(/turn and delivery/),
  });
  expect((await letters('purge', 'acme', '--all')).output).toMatch(/1 put away\.\n$/);
  expect(await letters('list', 'acme')).toMatchObject({ code: 0, output: 'There is none.\n' });
}, 120_000);
