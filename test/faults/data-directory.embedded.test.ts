import { expect, onTestFinished, test } from 'vitest';
import type { Env } from '#config/env.ts';
import { runCommand } from '../support/a-command.ts';
import { aStartedService } from '../support/a-started-service.ts';
import { anInstallation } from '../support/an-installation.ts';

test('a second process on the same data is refused with one line that says what to do', async () => {
  const env = await anEnvironment();
  const service = await aStartedService(env);

  const second = await runCommand(['start'], { ...env, PORT: '0' });

  expect(second.code).toBe(1);
  expect(second.errors.trimEnd().split('\n')).toEqual([
    expect.stringMatching(/in use by another process; stop it first, or give this one a DATA_DIR of its own/),
  ]);
  expect((await fetch(`${service.url}/readyz`)).status).toBe(200);
});

test('what a killed process leaves behind keeps nobody out', async () => {
  const env = await anEnvironment();
  const killed = await aStartedService(env);
  killed.signal('SIGKILL');
  await killed.ended;

  const doctor = await runCommand(['doctor'], env);
  const next = await aStartedService(env);
  const handedOver = await runCommand(['doctor'], env);

  expect(doctor).toMatchObject({ code: 0, errors: '' });
  expect(doctor.output).not.toContain('it runs on this data directory');
  expect((await fetch(`${next.url}/readyz`)).status).toBe(200);
  expect(handedOver.output).toContain('it runs on this data directory and answered');
});

async function anEnvironment(): Promise<Env> {
  const { env, remove } = await anInstallation();
  onTestFinished(remove);
  return env;
}
