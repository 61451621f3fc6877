import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { aSlackService, postsOf } from '../support/a-slack-service.ts';

/** Slack gives three seconds, whatever is slow on our side. */

test('a queue that hangs keeps no acknowledgement waiting, and the answer comes all the same', async () => {
  const service = await aSlackService({
    overrides: { wrapQueue: (queue) => ({ ...queue, wake: () => new Promise(() => {}) }) },
  });
  const said = await service.slack.say('T1', { user: 'U1', text: 'quickly' });
  expect(said.deliveries).toMatchObject([{ status: 200, retryNum: 0 }]);
  expect(await postsOf(service.slack, 'T1', said.channel)).toEqual(['quickly']);
});

test('a database that hangs has Slack told in time to say it again, and then it is answered once', async () => {
  let hangs = true;
  const service = await aSlackService({
    overrides: {
      wrapScopes: (scopes) => ({
        ...scopes,
        call: async (name, parameters) => {
          const kept = await scopes.call(name, parameters);
          // It is kept, and nobody hears of it in time.
          if (name === 'swarmgate.receive_messages_v4' && hangs) {
            hangs = false;
            await sleep(3_500);
          }
          return kept as never;
        },
      }),
    },
    slack: { retryDelaysMs: [100] },
  });
  const saying = service.slack.say('T1', { user: 'U1', text: 'patiently' });
  const { deliveries, channel } = await saying;
  expect(deliveries.map(({ status }) => status)).toEqual([503, 200]);
  expect(await postsOf(service.slack, 'T1', channel)).toEqual(['patiently']);
});
