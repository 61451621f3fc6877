import pg from 'pg';
import { describe, expect, onTestFinished, test } from 'vitest';
import { done, scriptedAgent } from '../fakes/scripted-agent.ts';
import { startTcpProxy } from '../fakes/tcp-proxy.ts';
import { aService } from '../support/a-service.ts';
import { anInstallation } from '../support/an-installation.ts';
import { eventually } from '../support/eventually.ts';
import { testRedisUrl } from '../support/test-backend.ts';

describe.each([
  ['with Redis', {}],
  ['on Postgres alone', { REDIS_URL: '' }],
])('an api and a worker apart from each other, %s', (_kind, env) => {
  test('an answer streams from one through the other', async () => {
    const { visitor, goOn } = await apiAndWorker(env);
    const page = await visitor.listen();

    const sent = await visitor.send('Tell me');
    await eventually(() => expect(page.draft()).toBe('The first half, '));
    const late = await visitor.listen('1');
    await eventually(() => expect(late.draft()).toBe('The first half, '));
    goOn();

    expect(await visitor.answerTo(sent)).toMatchObject({ text: 'The first half, the second half.' });
    for (const tab of [page, late])
      await eventually(() => expect(tab.messages().at(-1)).toMatchObject({ inReplyTo: sent.id }));
  });

  test('a turn that runs in one is stopped through the other', async () => {
    const { visitor } = await apiAndWorker(env);
    const page = await visitor.listen();
    const sent = await visitor.send('Tell me');
    await eventually(() => expect(page.draft()).toBe('The first half, '));
    const started = await page.until(({ event }) => event === 'turn');

    expect((await visitor.cancel((started.data as { turnId: string }).turnId)).status).toBe(202);

    expect(await visitor.answerTo(sent)).toMatchObject({ text: 'The first half, ' });
  });
});

test('a page is told what it missed while the connection that listens to Postgres was broken', async () => {
  const { api, visitor, goOn } = await apiAndWorker({ REDIS_URL: '' });
  const page = await visitor.listen();
  const sent = await visitor.send('Tell me');
  await eventually(() => expect(page.draft()).toBe('The first half, '));

  await breakListeners(api.installation.env.DATABASE_URL ?? '');
  goOn();

  await visitor.answerTo(sent);
  await eventually(() => expect(page.messages()).toHaveLength(2));
});

test('a page is told what it missed while the connection that listens to Redis was broken', async () => {
  const { hostname, port } = new URL(testRedisUrl());
  const redis = await startTcpProxy({ host: hostname, port: Number(port || 6379) });
  onTestFinished(redis.close);
  const { visitor, goOn, rows } = await apiAndWorker({}, { REDIS_URL: `redis://127.0.0.1:${redis.port}` });
  const page = await visitor.listen();
  const sent = await visitor.send('Tell me');
  await eventually(() => expect(page.draft()).toBe('The first half, '));

  redis.takeAway('refused', /subscribe/i);
  goOn();
  await visitor.answerTo(sent);
  await eventually(async () => expect((await rows()).deliveries.map(({ state }) => state)).toEqual(['sent']));
  expect(page.messages()).toHaveLength(1);
  redis.bringBack();

  await eventually(() => expect(page.messages()).toHaveLength(2));
});

async function apiAndWorker(env: { REDIS_URL?: string }, envOfApi = env) {
  const rest = Promise.withResolvers<void>();
  const { agent } = scriptedAgent(async function* (_turn, signal) {
    yield { kind: 'text', delta: 'The first half, ' };
    await Promise.race([
      rest.promise,
      new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
    ]);
    yield { kind: 'text', delta: 'the second half.' };
    yield done('The first half, the second half.');
  });
  const installation = await anInstallation();
  onTestFinished(installation.remove);
  const api = await aService({ installation, env: { ...envOfApi, ROLES: 'api' } });
  await aService({
    installation,
    tenants: [],
    env: { ...env, ROLES: 'worker,scheduler' },
    overrides: { wrapAgents: () => agent },
  });
  return { api, rows: api.rows, visitor: await api.aVisitor(), goOn: () => rest.resolve() };
}

async function breakListeners(databaseUrl: string): Promise<void> {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  await client.query(
    `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
      WHERE datname = current_database() AND application_name = 'swarmgate-listen'`,
  );
  await client.end();
}
