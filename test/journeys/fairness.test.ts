import { expect, onTestFinished, test } from 'vitest';
import { toWire } from '#domain/ids.ts';
import { say, scriptedAgent } from '../fakes/scripted-agent.ts';
import { aService } from '../support/a-service.ts';
import type { TenantOptions } from '../support/a-tenant.ts';
import type { Visitor } from '../support/a-visitor.ts';
import { eventually } from '../support/eventually.ts';

const tenantOf = (slug: string, more: Partial<TenantOptions> = {}): TenantOptions => ({ slug, ...more });

/** A service with an agent whose answers wait until the test lets them go, and which counts what runs. */
async function aHeldService(tenants: TenantOptions[], turnConcurrency?: number) {
  const gate = Promise.withResolvers<void>();
  const running = new Map<string, number>();
  const peak = new Map<string, number>();
  const order: string[] = [];
  const { agent } = scriptedAgent(async function* (turn, signal) {
    const now = (running.get(turn.tenantId) ?? 0) + 1;
    running.set(turn.tenantId, now);
    peak.set(turn.tenantId, Math.max(now, peak.get(turn.tenantId) ?? 0));
    order.push(turn.message.text);
    const stopped = Promise.withResolvers<void>();
    signal.addEventListener('abort', () => stopped.resolve());
    await Promise.race([gate.promise, stopped.promise]);
    running.set(turn.tenantId, (running.get(turn.tenantId) ?? 1) - 1);
    yield* say(`Answer to ${turn.message.text}`);
  });
  const service = await aService({
    tenants,
    overrides: { wrapAgents: () => agent, ...(turnConcurrency && { turnConcurrency }) },
  });
  onTestFinished(() => gate.resolve());
  return {
    service,
    order,
    peakOf: () => Math.max(0, ...peak.values()),
    runningNow: () => [...running.values()].reduce((sum, count) => sum + count, 0),
    open: () => gate.resolve(),
    visitorsOf: (slug: string, count: number): Promise<Visitor[]> =>
      Promise.all(Array.from({ length: count }, () => service.aVisitor({ key: `wk_${slug}` }))),
  };
}

test('who writes seldom is answered before what somebody else has waiting', async () => {
  // One at a time, so that the order is what the queue chose.
  const { visitorsOf, order, open } = await aHeldService([tenantOf('storm'), tenantOf('quiet')], 1);
  const [storm, [quiet]] = [await visitorsOf('storm', 12), await visitorsOf('quiet', 1)];

  for (const [index, visitor] of storm.entries()) await visitor.send(`storm ${index}`);
  await eventually(() => expect(order).toHaveLength(1));
  const asked = await quiet?.send('quiet');
  open();
  await quiet?.answerTo({ id: asked?.id ?? '' });
  await eventually(() => expect(order).toHaveLength(13));

  // Behind what was at work, and at most one that started in the same moment of virtual time.
  expect(order.indexOf('quiet')).toBeLessThanOrEqual(2);
});

test('a plan of more weight gets more of the same time', async () => {
  const { visitorsOf, order, open } = await aHeldService(
    [tenantOf('first'), tenantOf('small'), tenantOf('large', { organization: 'globex', plan: 'pro' })],
    1,
  );
  const [[first], small, large] = [
    await visitorsOf('first', 1),
    await visitorsOf('small', 8),
    await visitorsOf('large', 8),
  ];
  await first?.send('first');
  await eventually(() => expect(order).toHaveLength(1));
  for (const [index, visitor] of small.entries()) await visitor.send(`small ${index}`);
  for (const [index, visitor] of large.entries()) await visitor.send(`large ${index}`);
  open();
  await eventually(() => expect(order).toHaveLength(17));

  const early = order.slice(1, 11).filter((text) => text.startsWith('large'));
  expect(early).toHaveLength(8);
});

test('a tenant runs no more turns at once than it may, and all of them in the end', async () => {
  const { visitorsOf, service, peakOf, runningNow, order, open } = await aHeldService([
    tenantOf('shop', { concurrentConversations: 3 }),
    tenantOf('other'),
  ]);
  const [visitors, [other]] = [await visitorsOf('shop', 10), await visitorsOf('other', 1)];
  const sent = [];
  for (const [index, visitor] of visitors.entries()) sent.push(await visitor.send(`shop ${index}`));
  await eventually(() => expect(runningNow()).toBe(3));
  await eventually(async () => {
    const { conversations } = await service.rows();
    expect(conversations.filter(({ waiting_for }) => waiting_for === 'slot')).toHaveLength(7);
  });

  // Nobody else is held up by them.
  await other?.send('other');
  await eventually(() => expect(order).toContain('other'));

  open();
  for (const [index, visitor] of visitors.entries())
    expect(await visitor.answerTo({ id: sent[index]?.id ?? '' })).toMatchObject({
      text: `Answer to shop ${index}`,
    });
  expect(peakOf()).toBe(3);
  expect(order.filter((text) => text.startsWith('shop'))).toHaveLength(10);
  await eventually(async () => {
    const { conversations } = await service.rows();
    expect(new Set(conversations.map(({ waiting_for, due_at }) => `${waiting_for} ${due_at}`))).toEqual(
      new Set(['null null']),
    );
  });
});

test('a turn that is asked to stop needs no slot for that', async () => {
  const { visitorsOf, service, runningNow } = await aHeldService([
    tenantOf('shop', { concurrentConversations: 1 }),
  ]);
  const [busy, waiting] = await visitorsOf('shop', 2);
  await busy?.send('busy');
  await eventually(() => expect(runningNow()).toBe(1));
  const asked = await waiting?.send('waiting');
  const turn = await eventually(async () => {
    const { turns, conversations } = await service.rows();
    expect(conversations.some(({ waiting_for }) => waiting_for === 'slot')).toBe(true);
    const found = turns.find(({ state }) => state === 'pending');
    expect(found).toBeDefined();
    return found;
  });

  expect((await waiting?.cancel(toWire('turn', turn?.id ?? '')))?.status).toBe(202);
  expect(await waiting?.answerTo({ id: asked?.id ?? '' })).toMatchObject({ role: 'system' });
  expect(runningNow()).toBe(1);
});

test('a ceiling that is raised is used at once, and a slot that nobody handed on is found', async () => {
  const { visitorsOf, service, runningNow } = await aHeldService([
    tenantOf('shop', { concurrentConversations: 1 }),
  ]);
  const visitors = await visitorsOf('shop', 5);
  for (const [index, visitor] of visitors.entries()) await visitor.send(`shop ${index}`);
  await eventually(async () => {
    const { conversations } = await service.rows();
    expect(conversations.filter(({ waiting_for }) => waiting_for === 'slot')).toHaveLength(4);
  });
  await service.app.storage.scopes.inPlatform((unit) =>
    unit.sql('UPDATE directory.tenants SET running_turns_max = 4'),
  );
  await eventually(() => expect(runningNow()).toBe(4));
});
