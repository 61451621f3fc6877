import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { runCommand } from '../support/a-command.ts';
import { aStartedService } from '../support/a-started-service.ts';
import { anInstallation } from '../support/an-installation.ts';
import { asOwnerOf } from '../support/as-owner-of.ts';
import { eventually } from '../support/eventually.ts';

const acme = `organizations:
  - slug: acme
    name: Acme Inc
    tenants:
      - { slug: acme, name: Acme, agents: [{ slug: default, model: builtin/echo }] }
`;

test('an operator reads a trail, takes it along, and shows that nobody has changed it', async () => {
  const { env: data, remove } = await anInstallation();
  onTestFinished(remove);
  const folder = await mkdtemp(join(tmpdir(), 'swarmgate_test_audit_'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const env = { ...data, AUDIT_DIR: join(folder, 'witness') };
  const file = join(folder, 'acme.yaml');
  await writeFile(file, acme);
  const audit = (...words: string[]) => runCommand(['audit', ...words], env);

  // While the service runs: what is read is recorded too, and sealed within a second.
  // Where others reach it, it does nothing by itself that a trail would tell.
  const service = await aStartedService({ ...env, PUBLIC_URL: 'https://chat.example' });
  expect(await runCommand(['apply', file], env)).toMatchObject({ code: 0 });
  expect(await audit('list', 'acme')).toMatchObject({ code: 0, output: 'There is none.\n' });
  expect((await audit('list', 'acme')).output).toMatch(
    /^\S+Z {2}allowed {2}operator {2}listAuditEvents {2}audit {2}aud_[0-9a-f]{32} {2}At the command line\.\n$/,
  );
  const lines = (await audit('export', 'acme', '--actor', 'operator')).output.trimEnd().split('\n');
  expect(lines.map((line) => JSON.parse(line).action)).toEqual(['listAuditEvents', 'listAuditEvents']);
  await eventually(async () => {
    const verified = await audit('verify', '--tenant', 'acme', '--json');
    expect(JSON.parse(verified.output)).toMatchObject({
      state: 'whole',
      trails: [{ events: 3, tenant: 'acme' }],
    });
    expect(verified.code).toBe(0);
  });
  service.signal('SIGTERM');
  expect(await service.ended).toBe(0);

  // It has written down where the trail stands before it ended.
  const written = (await readFile(join(env.AUDIT_DIR, 'checkpoints.jsonl'), 'utf8')).trimEnd().split('\n');
  const { keys } = JSON.parse((await audit('key', '--json')).output);
  expect(keys).toMatchObject([
    { id: JSON.parse(written.at(-1) ?? '').key, publicKey: expect.stringMatching(/BEGIN PUBLIC KEY/) },
  ]);
  const whole = await audit('verify');
  expect(whole.output).toMatch(
    /^WHOLE {7}acme {2}3 events in \d seals, \d checkpoints, 0 not sealed yet\n1 trails: whole\.\n$/,
  );
  expect(whole.code).toBe(0);

  // Nobody seals now.
  await asOwnerOf(
    env,
    `INSERT INTO swarmgate.audit_events (tenant_id, id, at, actor_kind, action, resource_kind, outcome)
    SELECT id, '00000000-0000-7000-8000-000000000001', now() - interval '1 minute', 'system', 'test', 'tenant', 'allowed'
      FROM directory.tenants WHERE slug = 'acme'`,
  );
  expect(await audit('verify')).toMatchObject({
    code: 2,
    output: expect.stringMatching(/^INCOMPLETE .*\n +1 events are not sealed/),
  });
  await asOwnerOf(env, `DELETE FROM swarmgate.audit_events WHERE action = 'test'`);
  expect(await audit('verify')).toMatchObject({ code: 0 });

  await asOwnerOf(
    env,
    `UPDATE swarmgate.audit_events SET outcome = 'refused' WHERE id = (SELECT min(id::text)::uuid FROM swarmgate.audit_events)`,
  );
  const tampered = await audit('verify', '--tenant', 'acme');
  expect(tampered).toMatchObject({
    code: 1,
    output: expect.stringMatching(
      /^TAMPERED .*\n +content \(aud_[0-9a-f]{32}, seal 1\): the event is not what was sealed\n/,
    ),
  });

  await asOwnerOf(env, 'DELETE FROM swarmgate.audit_events; DELETE FROM swarmgate.audit_seals');
  expect(await audit('verify')).toMatchObject({
    code: 1,
    output: expect.stringMatching(/\bits end was cut off\n/),
  });
  expect(await audit('verify', '--checkpoints', join(folder, 'none'))).toMatchObject({
    code: 0,
    output: expect.stringMatching(/^There is no file .*none\.\nNothing was recorded yet\.\n$/),
  });
}, 180_000);

test('what cannot be looked at is not called tampered with', async () => {
  const { env, remove } = await anInstallation();
  onTestFinished(remove);
  expect(await runCommand(['audit', 'verify', '--tenant', 'nobody'], env)).toMatchObject({
    code: 2,
    errors: 'There is no tenant "nobody" here.\n',
  });
  expect(await runCommand(['audit', 'list', 'nobody', '--actor', 'me'], env)).toMatchObject({
    code: 1,
    errors: expect.stringMatching(/^--actor is "me"/),
  });
}, 60_000);
