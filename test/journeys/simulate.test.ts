import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { applyFile } from '@swarmgate/contract/apply-file.ts';
import { expect, onTestFinished, test } from 'vitest';
import { parse } from 'yaml';
import { runCommand } from '../support/a-command.ts';
import { aStartedService } from '../support/a-started-service.ts';
import { anInstallation } from '../support/an-installation.ts';

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
    ['twilio', 'third'],
    ['twilio', 'fourth'],
  ] as const) {
    const said = await runCommand(['simulate', platform, text, '--tenant', 'shop', '--url', url], env);
    expect(said).toMatchObject({ code: 0 });
    expect(said.output.trim()).toBe(text);
  }
}, 180_000);

test.each(['slack', 'twilio'])('the channels that the page on %s shows can be applied', (page) => {
  const markdown = readFileSync(new URL(`../../docs/channels/${page}.md`, import.meta.url), 'utf8');
  const blocks = [...markdown.matchAll(/```yaml\n([\s\S]*?)```/g)].map(([, yaml = '']) => yaml);
  expect(blocks.length).toBeGreaterThan(0);
  for (const yaml of blocks) {
    // What the reader puts in: ids and the variables of their environment.
    const filled = yaml
      .replaceAll('AC…', 'AC0123')
      .replaceAll(/\$\{ACME_SLACK_BOT_TOKEN\}/g, 'xoxb-1')
      .replaceAll(/\$\{ACME_SLACK_APP_TOKEN\}/g, 'xapp-1');
    const { channels } = parse(filled) as { channels: unknown[] };
    const tenant = { slug: 'shop', name: 'Shop', channels };
    const organizations = [{ slug: 'acme', name: 'Acme', tenants: [tenant] }];
    expect(applyFile.safeParse({ organizations }).error?.issues ?? []).toEqual([]);
  }
});
