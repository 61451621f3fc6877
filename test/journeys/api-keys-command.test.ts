import { expect, onTestFinished, test } from 'vitest';
import { runCommand } from '../support/a-command.ts';
import { aStartedService } from '../support/a-started-service.ts';
import { callerOf } from '../support/an-api-caller.ts';
import { anInstallation } from '../support/an-installation.ts';

test('a newcomer makes a key at the command line, calls the API with it, and ends it', async () => {
  const { env, remove } = await anInstallation();
  onTestFinished(remove);
  const service = await aStartedService(env);
  expect(await runCommand(['apply', 'demo.yaml'], env)).toMatchObject({ code: 0 });
  const keys = (...words: string[]) => runCommand(['api-keys', ...words], env);

  const made = await keys(
    'create',
    'demo',
    '--name',
    'A script',
    '--role',
    'viewer',
    '--days',
    '7',
    '--json',
  );
  const { id, key, tenantId, expiresAt } = JSON.parse(made.output);
  expect(Date.parse(expiresAt) - Date.now()).toBeGreaterThan(6 * 86_400_000);
  const call = callerOf(service, key);
  expect(await call('GET', `/tenants/${tenantId}/channels`)).toMatchObject({
    status: 200,
    body: { items: [{ key: 'wk_demo' }] },
  });
  expect(await call('PATCH', `/tenants/${tenantId}`, { body: { name: 'Mine' } })).toMatchObject({
    status: 403,
  });

  const listed = await keys('list', 'demo');
  expect(listed.output).toContain(id);
  expect(listed.output).not.toContain(key.slice(12));
  expect(await keys('revoke', 'demo', id)).toMatchObject({ code: 0, output: `${id} is revoked.\n` });
  expect(await keys('list', 'demo')).toMatchObject({ output: expect.stringMatching(/revoked 20/) });

  expect(await keys('create', 'demo', '--role', 'king')).toMatchObject({
    code: 1,
    errors: expect.stringMatching(/owner/),
  });
  expect(await keys('create', 'demo', '--permission', 'fly:read')).toMatchObject({ code: 1 });
  expect(await keys('create', 'nobody')).toMatchObject({
    code: 1,
    errors: expect.stringMatching(/no tenant "nobody"/),
  });
  expect(await keys('revoke', 'demo', 'key_1')).toMatchObject({
    code: 1,
    errors: expect.stringMatching(/no API key/),
  });
}, 120_000);
