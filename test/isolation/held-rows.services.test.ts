import pg from 'pg';
import { expect, test } from 'vitest';
import { aService } from '../support/a-service.ts';

test('a conversation whose row somebody holds keeps nobody else’s message waiting for long', async () => {
  const service = await aService();
  const [held, other] = [await service.aVisitor(), await service.aVisitor()];
  for (const visitor of [held, other]) await visitor.answerTo(await visitor.send('Hello'));

  const holder = new pg.Client({ connectionString: service.installation.env.DATABASE_URL });
  await holder.connect();
  await holder.query('BEGIN');
  await holder.query(`SELECT 1 FROM swarmgate.conversations WHERE external_id = $1 FOR UPDATE`, [
    held.session.conversationId.replace(/^cnv_(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5'),
  ]);

  const startedAt = performance.now();
  const [refused, ...taken] = await Promise.all([
    held.post('Held'),
    ...Array.from({ length: 5 }, (_, index) => other.post(`Not held ${index}`)),
  ]);
  expect(refused.status).toBe(503);
  expect(refused.headers.get('retry-after')).toBe('2');
  for (const { status } of taken) expect(status).toBe(202);
  expect(performance.now() - startedAt).toBeLessThan(10_000);

  await holder.query('ROLLBACK');
  await holder.end();
  expect((await held.post('Held no more')).status).toBe(202);
});
