import { expect, onTestFinished, test } from 'vitest';
import { type Away, startTcpProxy } from '../fakes/tcp-proxy.ts';
import { aService } from '../support/a-service.ts';
import { anInstallation } from '../support/an-installation.ts';
import { eventually } from '../support/eventually.ts';
import { testRedisUrl } from '../support/test-backend.ts';

/** A person notices, and does not yet give up. */
const acknowledgedWithinMs = 2_000;

test.each<Away>(['refused', 'silent'])(
  'while Redis is away (%s) messages are taken at once, and answered when it is back',
  async (how) => {
    const { hostname, port, pathname } = new URL(testRedisUrl());
    const redis = await startTcpProxy({ host: hostname, port: Number(port || 6379) });
    onTestFinished(redis.close);
    const installation = await anInstallation();
    onTestFinished(installation.remove);
    const service = await aService({
      installation,
      env: { REDIS_URL: `redis://127.0.0.1:${redis.port}${pathname}` },
    });
    const visitor = await service.aVisitor();
    await visitor.answerTo(await visitor.send('Before'));

    const openPage = await visitor.listen();

    redis.takeAway(how);
    const sent = [];
    for (const text of ['One', 'Two', 'Three']) {
      const startedAt = performance.now();
      sent.push(await visitor.send(text));
      expect(performance.now() - startedAt).toBeLessThan(acknowledgedWithinMs);
    }
    const newPage = await visitor.listen('2');
    await eventually(() =>
      expect(newPage.messages().map(({ text }) => text)).toEqual(['One', 'Two', 'Three']),
    );
    const readiness = await fetch(`${service.url}/readyz`);
    expect([readiness.status, await readiness.json()]).toMatchObject([
      200,
      { status: 'degraded', checks: { queue: 'failing', database: 'ok' } },
    ]);

    redis.bringBack();
    for (const message of sent) await visitor.answerTo(message);
    await eventually(async () => {
      const { deliveries } = await service.rows();
      expect(deliveries.map(({ state }) => state)).toEqual(['sent', 'sent', 'sent', 'sent']);
    });
    const all = await visitor.history();
    for (const page of [openPage, newPage])
      await eventually(() => expect(page.messages()).toEqual(all.slice(2)));
  },
);
