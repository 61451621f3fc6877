import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { applyFile } from '@swarmgate/contract/apply-file.ts';
import { expect, onTestFinished, test } from 'vitest';
import { parse } from 'yaml';
import { program, runCommand } from '../support/a-command.ts';
import { aStartedService } from '../support/a-started-service.ts';
import { anInstallation } from '../support/an-installation.ts';
import { eventually } from '../support/eventually.ts';

/** What a person types who has no account anywhere. */

test('somebody without an account talks to a tenant over simulated platforms, as often as they like', async () => {
  const installation = await anInstallation();
  onTestFinished(installation.remove);
  const folder = await mkdtemp(join(tmpdir(), 'swarmgate_test_simulate_'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const file = join(folder, 'acme.yaml');
  await writeFile(
    file,
    `organizations:
  - slug: acme
    name: Acme
    tenants:
      - { slug: shop, name: Shop, agents: [{ slug: default, model: builtin/echo }] }
`,
  );
  const { url } = await aStartedService(installation.env);
  const env = { ...installation.env, REDIS_URL: '' };
  expect((await runCommand(['apply', file], env)).code).toBe(0);
  for (const [platform, text] of [
    ['slack', 'first'],
    ['slack', 'second'],
    ['discord', 'over discord'],
    ['discord', 'once more'],
    ['twilio', 'third'],
    ['twilio', 'fourth'],
    ['teams', 'fifth'],
    ['teams', 'sixth'],
  ] as const) {
    const said = await runCommand(['simulate', platform, text, '--tenant', 'shop', '--url', url], env);
    expect(said).toMatchObject({ code: 0, errors: '' });
    expect(said.output.trim()).toBe(text);
  }
}, 180_000);

test('two tenants have simulated accounts of their own, and an interrupted simulation is closed', async () => {
  const installation = await anInstallation();
  onTestFinished(installation.remove);
  const folder = await mkdtemp(join(tmpdir(), 'swarmgate_test_simulate_'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const file = join(folder, 'acme.yaml');
  await writeFile(
    file,
    `organizations:
  - slug: acme
    name: Acme
    tenants:
      - { slug: shop, name: Shop, agents: [{ slug: default, model: builtin/echo }] }
      - { slug: desk, name: Desk, agents: [{ slug: default, model: builtin/echo }] }
      - slug: library
        name: Library
        agents: [{ slug: default, model: builtin/answers }]
        knowledge: [{ path: ./hours.md, title: Opening hours }]
`,
  );
  await writeFile(join(folder, 'hours.md'), '# Opening hours\n\nThe library is open from nine to five.\n');
  const { url } = await aStartedService(installation.env);
  const env = { ...installation.env, REDIS_URL: '' };
  expect((await runCommand(['apply', file], env)).code).toBe(0);
  for (const platform of ['slack', 'discord', 'twilio', 'teams'])
    for (const tenant of ['shop', 'desk']) {
      const words = ['simulate', platform, 'Is [1] it?', '--tenant', tenant, '--url', url];
      const said = await runCommand(words, env);
      expect(said).toMatchObject({ code: 0, errors: '' });
      expect(said.output.trim()).toBe('Is [1] it?');
    }

  for (const platform of ['slack', 'discord', 'teams']) {
    const words = ['simulate', platform, 'When are you open?', '--tenant', 'library', '--url', url];
    const { output } = await runCommand(words, env);
    expect(output).toContain('[1]');
    expect(output).toMatch(/Sources\W[\s\S]*Opening hours/);
    expect(output).not.toContain('\\[');
  }

  const asked = await runCommand(['simulate', 'discord', ' ', '--tenant', 'shop', '--url', url], env);
  expect(asked).toMatchObject({ code: 1, errors: 'There is nothing to say: the message is empty.\n' });

  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    const talk = ['simulate', 'discord', '--tenant', 'shop', '--url', url];
    const child = spawn(process.execPath, [program, ...talk], {
      env: { PATH: process.env['PATH'] ?? '', ...env },
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    const ended = once(child, 'exit');
    let output = '';
    child.stdout.on('data', (chunk) => (output += chunk));
    await eventually(() => expect(output).toContain('Ctrl-D to end'));
    child.kill(signal);
    expect((await ended)[0]).toBe(0);
    const link = await runCommand(['discord', 'install-link', 'shop', 'simulated-discord'], env);
    expect(link.errors).toContain('the simulation has ended');
  }
}, 180_000);

test.each(['slack', 'discord', 'twilio', 'teams'])(
  'the channels that the page on %s shows can be applied',
  (page) => {
    const markdown = readFileSync(new URL(`../../docs/channels/${page}.md`, import.meta.url), 'utf8');
    const blocks = [...markdown.matchAll(/```yaml\n([\s\S]*?)```/g)].map(([, yaml = '']) => yaml);
    expect(blocks.length).toBeGreaterThan(0);
    for (const yaml of blocks) {
      // What the reader puts in: ids and the variables of their environment.
      const filled = yaml
        .replaceAll('AC…', 'AC0123')
        .replaceAll(/\$\{ACME_TEAMS_APP_PASSWORD\}/g, 'password')
        .replaceAll(/\$\{ACME_SLACK_BOT_TOKEN\}/g, 'xoxb-1')
        .replaceAll(/\$\{ACME_SLACK_APP_TOKEN\}/g, 'xapp-1')
        .replaceAll(/\$\{ACME_DISCORD_PUBLIC_KEY\}/g, 'ab'.repeat(32));
      const { channels } = parse(filled) as { channels: unknown[] };
      const tenant = { slug: 'shop', name: 'Shop', channels };
      const organizations = [{ slug: 'acme', name: 'Acme', tenants: [tenant] }];
      expect(applyFile.safeParse({ organizations }).error?.issues ?? []).toEqual([]);
    }
  },
);
