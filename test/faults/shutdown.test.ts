import { expect, onTestFinished, test } from 'vitest';
import { splitPassages } from '#agents/knowledge/split-passages.ts';
import { readConfig } from '#config/config.ts';
import type { Env } from '#config/env.ts';
import { createLogger } from '#kernel/logger.ts';
import { apply } from '#tenancy/apply/apply.ts';
import { openStorage, type Storage } from '../../src/storage.ts';
import { startModelServer } from '../fakes/model-server.ts';
import { aStartedService } from '../support/a-started-service.ts';
import { planTenant, shopOrigin } from '../support/a-tenant.ts';
import { aVisitor } from '../support/a-visitor.ts';
import { anInstallation, type Installation } from '../support/an-installation.ts';
import { eventually } from '../support/eventually.ts';
import { readJourneyRows } from '../support/journey-rows.ts';

test('a turn that ends soon after SIGTERM is ended by the process that began it', async () => {
  const { model, start, rows } = await aServiceWithAModel();
  model.next({ kind: 'answer', pieces: ['One, ', 'two, ', 'three.'], delayMs: 500 });
  const service = await start();
  const visitor = await aVisitor(service, { key: 'wk_shop', origin: shopOrigin });
  const page = await visitor.listen();
  await visitor.send('Count');
  await eventually(() => expect(page.draft()).not.toBe(''));

  service.signal('SIGTERM');

  await eventually(() => expect(page.ended).toBe(true));
  expect(await service.ended).toBe(0);
  const { messages, turns } = await rows();
  expect(messages.at(-1)).toMatchObject({ role: 'agent', text: 'One, two, three.' });
  expect(turns.map(({ state, attempt }) => [state, attempt])).toEqual([['done', 1]]);
});

test('a turn that does not end is put back as if it had not begun, and the next process answers', async () => {
  const { model, start, rows } = await aServiceWithAModel();
  model.next({ kind: 'silent', pieces: ['I am think'] }, { kind: 'answer', pieces: ['Thought.'] });
  const service = await start();
  const visitor = await aVisitor(service, { key: 'wk_shop', origin: shopOrigin });
  const page = await visitor.listen();
  await visitor.send('Think');
  await eventually(() => expect(page.draft()).toBe('I am think'));

  const toldAt = performance.now();
  service.signal('SIGTERM');
  await eventually(() => expect(page.ended).toBe(true));
  await eventually(() => expect(fetch(`${service.url}/healthz`)).rejects.toThrow());
  expect(await service.ended).toBe(0);
  expect(performance.now() - toldAt).toBeLessThan(10_000);
  expect((await rows()).turns.map(({ state, attempt }) => [state, attempt])).toEqual([['pending', 0]]);
  expect(model.requests[0]?.isAborted).toBe(true);

  const next = await start();
  const returned = await aVisitor(next, {
    key: 'wk_shop',
    origin: shopOrigin,
    visitorToken: visitor.session.visitorToken,
  });
  await eventually(async () => expect((await returned.history()).at(-1)).toMatchObject({ text: 'Thought.' }));
  next.signal('SIGTERM');
  await next.ended;
  expect((await rows()).turns.map(({ state, attempt }) => [state, attempt])).toEqual([['done', 1]]);
});

/** An installation whose agent asks a model, apart from the processes that run on it one after the other. */
async function aServiceWithAModel() {
  const model = await startModelServer();
  onTestFinished(model.close);
  const installation = await anInstallation();
  onTestFinished(installation.remove);
  await openOnce(installation, (storage) =>
    apply(
      { ...storage, splitPassages, keepMember: async () => 'unchanged', keepWebhooks: async () => [] },
      planTenant({ model: 'compatible/test' }),
      { dryRun: false },
    ),
  );
  const env: Env = {
    ...installation.env,
    COMPATIBLE_BASE_URL: `${model.url}/v1`,
    COMPATIBLE_API_KEY: model.key,
  };
  return {
    model,
    start: () => aStartedService(env),
    /** What is in the database between two processes. */
    rows: () => openOnce(installation, ({ scopes }) => readJourneyRows(scopes)),
  };
}

async function openOnce<T>(installation: Installation, work: (storage: Storage) => Promise<T>): Promise<T> {
  const storage = await openStorage(readConfig(installation.env), createLogger('silent'));
  return work(storage).finally(storage.close);
}
