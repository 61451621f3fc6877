import { expect, onTestFinished, test } from 'vitest';
import { runCommand } from '../support/a-command.ts';
import { aStartedService } from '../support/a-started-service.ts';
import { anInstallation } from '../support/an-installation.ts';
import { eventually } from '../support/eventually.ts';

test('an operator closes a tenant at the command line, takes it back, and closes it for good', async () => {
  const { env, remove } = await anInstallation();
  onTestFinished(remove);
  const withGrace = (days: string) => ({ ...env, TENANT_GRACE_DAYS: days });
  await aStartedService(withGrace('0'));
  expect(await runCommand(['apply', 'demo.yaml'], env)).toMatchObject({ code: 0 });
  const tenants = (...words: string[]) => runCommand(['tenants', ...words], withGrace('0'));

  expect(await tenants('list')).toMatchObject({
    code: 0,
    output: expect.stringMatching(/ demo\/demo {2}active/),
  });
  expect(await tenants('suspend', 'demo')).toMatchObject({ output: expect.stringContaining('suspended') });
  expect(await tenants('resume', 'demo')).toMatchObject({ output: expect.stringContaining('active') });
  expect(await tenants('reopen', 'demo')).toMatchObject({
    code: 1,
    errors: expect.stringContaining('is not closing'),
  });
  expect(await tenants('show', 'nobody')).toMatchObject({
    code: 1,
    errors: 'There is no tenant "nobody" here.\n',
  });
  expect(await tenants('vanish', 'demo')).toMatchObject({ code: 2 });

  const closed = await tenants('close', 'demo', '--json');
  expect(JSON.parse(closed.output)).toMatchObject({ slug: 'demo', status: 'closing', closedBy: 'operator' });
  await eventually(async () => {
    const listed = await tenants('list', '--deleted');
    expect(listed.output).toMatch(/tnt_[0-9a-f]{32} {2}demo {2}deleted, 20/);
  });
  // Its trail outlives it.
  const trail = await runCommand(['audit', 'list', 'demo'], env);
  expect(trail).toMatchObject({
    code: 0,
    output: expect.stringMatching(/tenant\.deleted[\s\S]*closeTenant/),
  });
  expect(await tenants('show', 'demo')).toMatchObject({
    code: 1,
    errors: 'The tenant "demo" was deleted.\n',
  });
});
