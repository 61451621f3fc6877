import { expect, test } from 'vitest';
import { aService } from '../support/a-service.ts';

test('what somebody else says on the channels of live updates harms nobody', async () => {
  const service = await aService({ env: { REDIS_URL: '' } });
  const visitor = await service.aVisitor();
  const reader = await visitor.listen();

  for (const nonsense of ['x', '{}', '[1]', 'null', '']) {
    await service.app.storage.database.pool.query('SELECT pg_notify($1, $2)', ['swarmgate_live', nonsense]);
  }
  const sent = await visitor.send('Hello');

  expect(await visitor.answerTo(sent)).toMatchObject({ text: 'Hello' });
  reader.close();
});
