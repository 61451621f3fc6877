import { expect, test } from 'vitest';
import { aService } from '../support/a-service.ts';
import { anInstallation } from '../support/an-installation.ts';
import { eventually } from '../support/eventually.ts';

test('a turn of a platform that a process does not know waits for one that does, and costs no attempt', async () => {
  const installation = await anInstallation();
  const older = await aService({
    installation,
    // A process of an earlier release, which does not have the platform yet.
    overrides: { wrapGateway: (gateway) => ({ ...gateway, platform: 'slack' as const }) },
  });
  const sent = await (await older.aVisitor()).send('Hello');
  await eventually(async () => {
    expect(older.logLines).toContainEqual(
      expect.objectContaining({ msg: 'this process has no gateway for the platform' }),
    );
    expect(await older.rows()).toMatchObject({ turns: [{ state: 'pending', attempt: 0 }] });
  });
  await older.close();

  const newer = await aService({ installation, tenants: [] });
  await eventually(async () => {
    const { messages, turns } = await newer.rows();
    expect(turns).toMatchObject([{ state: 'done', attempt: 1 }]);
    expect(messages.filter((message) => message.role === 'agent')).toHaveLength(1);
  });
  expect(sent.sequence).toBe(1);
  await installation.remove();
});
