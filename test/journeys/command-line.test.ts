import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { Env } from '#config/env.ts';
import { runCommand } from '../support/a-command.ts';
import { aStartedService } from '../support/a-started-service.ts';
import { aVisitor } from '../support/a-visitor.ts';
import { anInstallation } from '../support/an-installation.ts';
import { testBackend } from '../support/test-backend.ts';

const acme = `organizations:
  - slug: acme
    name: Acme Inc
    tenants:
      - slug: acme-support
        name: Acme Support
        agents: [{ slug: default, model: builtin/echo }]
        channels: [{ slug: site, platform: webchat, key: wk_acme, origins: ["https://acme.example"] }]
`;

async function aFile(content: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'swarmgate_test_file_'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const path = join(folder, 'acme.yaml');
  await writeFile(path, content);
  return path;
}

async function anEnvironment(): Promise<Env> {
  const { env, remove } = await anInstallation();
  onTestFinished(remove);
  return env;
}

test('apply, then doctor, then a start that answers on the same data', async () => {
  const env = await anEnvironment();
  const file = await aFile(acme);

  const applied = await runCommand(['apply', file, '--json'], env);
  const again = await runCommand(['apply', file], env);
  const doctor = await runCommand(['doctor', '--json'], env);
  const service = await aStartedService(env);
  const visitor = await aVisitor(service, { key: 'wk_acme', origin: 'https://acme.example' });

  expect(applied.code).toBe(0);
  expect(JSON.parse(applied.output).changes).toContainEqual({
    action: 'created',
    kind: 'channel',
    path: 'acme/acme-support/site',
    key: 'wk_acme',
  });
  expect(again.output).toContain('0 changed.');
  expect(doctor.code).toBe(0);
  expect(JSON.parse(doctor.output).findings).toContainEqual({
    check: 'tenants',
    state: 'ok',
    says: '1 active',
  });
  expect(await visitor.answerTo(await visitor.send('Hello'))).toMatchObject({ text: 'Hello' });
});

test('apply and doctor work while the service runs, and what was applied answers', async () => {
  const env = await anEnvironment();
  const service = await aStartedService(env);

  const applied = await runCommand(['apply', await aFile(acme)], env);
  const doctor = await runCommand(['doctor'], env);
  const visitor = await aVisitor(service, { key: 'wk_acme', origin: 'https://acme.example' });

  expect(applied).toMatchObject({ code: 0, errors: '' });
  expect(doctor).toMatchObject({ code: 0, errors: '' });
  if (testBackend() === 'embedded')
    expect(doctor.output).toContain('it runs on this data directory and answered');
  expect(await visitor.answerTo(await visitor.send('Hello'))).toMatchObject({ text: 'Hello' });
});

test.for([
  ['an unknown key', acme.replace('name: Acme Inc', 'nmae: Acme Inc'), /:3: organizations\.0 has "nmae"/],
  [
    'a section of a later version',
    `${acme}        workflows: [{ slug: greet }]\n`,
    /:9: .* has "workflows", which this version does not know/,
  ],
  [
    'a platform of a later version',
    acme.replace('platform: webchat', 'platform: telegram'),
    /:8: .* is not a platform of this version; it has: webchat/,
  ],
  ['a bad model', acme.replace('builtin/echo', 'skynet/1'), /:7: .*model/],
  [
    'a variable that is not set',
    acme.replace('Acme Inc', '$' + '{NOT_SET_ANYWHERE}'),
    /:3: \$\{NOT_SET_ANYWHERE\} is not set/,
  ],
  ['broken YAML', `${acme}   - [`, /:9: /],
] as const)('an apply file with %s is refused with its line', async ([, content, complaint]) => {
  const result = await runCommand(['apply', await aFile(content)], await anEnvironment());

  expect(result.code).toBe(1);
  expect(result.output).toBe('');
  expect(result.errors).toMatch(complaint);
});

test.for([
  [{ PORT: 'http' }, 'PORT holds "http"'],
  [{ DATABASE_URL: 'mysql://root:hunter2@db/x' }, 'DATABASE_URL holds "mysql://root:***@db/x"'],
  [{ MASTER_KEYS: 'k1:tooshort' }, 'MASTER_KEYS holds an entry number 1 that is not a key (not shown)'],
  [{ ROLES: 'api' }, 'ROLES holds "api" while the database is embedded'],
  [{ LOG_LEVEL: 'loud' }, 'LOG_LEVEL holds "loud"'],
  [{ TRUSTED_PROXIES: 'everyone' }, 'TRUSTED_PROXIES holds "everyone"'],
  [{ REDIS_URL: 'localhost' }, 'REDIS_URL holds "localhost"'],
] as const)('a bad variable stops the start with one line: %o', async ([env, line]) => {
  const result = await runCommand(['start'], env);

  expect(result.code).toBe(1);
  expect(result.errors.trimEnd().split('\n')).toEqual([expect.stringContaining(line)]);
  expect(result.errors).not.toContain('hunter2');
});

test('doctor leaves nothing behind, and does not make known what it was lent', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'swarmgate_test_doctor_'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const nowhere = await runCommand(['doctor'], { DATA_DIR: join(folder, 'not-there') });
  expect(nowhere.code).toBe(0);
  expect(nowhere.output).toContain('the first start makes it');
  expect(await readdir(folder)).toEqual([]);

  const env = await anEnvironment();
  expect(await runCommand(['apply', await aFile(acme)], env)).toMatchObject({ code: 0 });
  const own = env.MASTER_KEYS ?? (await readFile(join(env.DATA_DIR ?? '', 'master.key'), 'utf8')).trim();
  const lent = { ...env, MASTER_KEYS: `${own},lent:${Buffer.alloc(32, 1).toString('base64')}` };
  expect(await runCommand(['doctor'], lent)).toMatchObject({ code: 0 });

  expect(await runCommand(['apply', await aFile(acme)], env)).toMatchObject({ code: 0, errors: '' });
});

test('wrong use ends with 2 and says how to use it', async () => {
  const result = await runCommand(['aply', 'x.yaml']);

  expect(result.code).toBe(2);
  expect(result.errors).toContain("unknown command 'aply'");
});

test('the package of a Teams app is written once, to a place that is there, for an address that Microsoft reaches', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'swarmgate_test_teams_'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const env = { TEAMS_APP_ID: '11111111-2222-3333-4444-555555555555' };
  const write = (out: string, url: string, ...more: string[]) =>
    runCommand(['teams', 'manifest', '--url', url, '--out', join(folder, out), ...more], env);
  const url = 'https://chat.acme.example';

  expect(await write('app.zip', url)).toMatchObject({ code: 0, errors: '' });
  const again = await write('app.zip', url);
  expect(again).toMatchObject({ code: 1, errors: expect.stringMatching(/app\.zip .*already.*--force.*\n$/) });
  expect(await write('app.zip', url, '--force')).toMatchObject({ code: 0, errors: '' });
  const nowhere = await write('nope/app.zip', url);
  expect(nowhere).toMatchObject({
    code: 1,
    errors: expect.stringMatching(/^\S+ cannot be written: its folder .*\n$/),
  });
  for (const local of ['https://127.0.0.1', 'https://localhost', 'https://[::1]', 'https://10.0.0.1/x'])
    expect((await write('other.zip', local)).errors).toContain('cannot reach');
  expect(await readdir(folder)).toEqual(['app.zip']);
});

test('a service stops in order when it is told to', async () => {
  const service = await aStartedService(await anEnvironment());

  service.signal('SIGTERM');

  expect(await service.ended).toBe(0);
});
