import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { done } from '../fakes/scripted-agent.ts';
import { sharedPostingService } from '../support/a-posting-service.ts';
import { eventually } from '../support/eventually.ts';

const begin = sharedPostingService();

// Says nothing before its answer is whole, so that each answer is one call to the platform.
const answering = () =>
  begin(async function* ({ message }) {
    yield done(`Answer to ${message.text}`);
  });

test('answers go out in the order of their conversation', async () => {
  const { platform, visitor, settled } = await answering();
  platform.refuseNext({ status: 503 });

  for (const text of ['One', 'Two', 'Three']) await visitor.send(text);
  await settled('sent', 'sent', 'sent');

  expect(platform.posts.map(({ texts }) => texts)).toEqual([
    ['Answer to One'],
    ['Answer to Two'],
    ['Answer to Three'],
  ]);
  expect(platform.calls.map(({ text, delivery }) => [text, delivery?.attempt])).toEqual([
    ['Answer to One', 1],
    ['Answer to One', 2],
    ['Answer to Two', 1],
    ['Answer to Three', 1],
  ]);
});

test('a platform that is down is tried again, a little later each time', async () => {
  const { platform, visitor, settled } = await answering();
  const calledAt: number[] = [];
  platform.onCall(async () => void calledAt.push(performance.now()));
  platform.refuseNext({ status: 503 }, { status: 503 });

  await visitor.send('Hello');
  const { deliveries } = await settled('sent');

  expect(deliveries[0]).toMatchObject({ attempt: 3, error_code: null });
  const [first = 0, second = 0, third = 0] = calledAt;
  expect(second - first).toBeGreaterThan(900);
  expect(third - second).toBeGreaterThan(1_900);
  expect(platform.calls.map(({ delivery }) => delivery?.interrupted)).toEqual([false, false, false]);
});

test('a platform that did not answer in time may be at it still, and gets as long again', async () => {
  const { platform, visitor, settled } = await answering();
  const calledAt: number[] = [];
  platform.onCall(async () => {
    calledAt.push(performance.now());
    if (calledAt.length === 1) await sleep(1_600);
  });
  platform.refuseNext({ status: 504 });

  await visitor.send('Hello');
  await settled('sent');

  const [first = 0, second = 0] = calledAt;
  expect(second - first).toBeGreaterThan(3_200);
  expect(platform.calls.map(({ delivery }) => delivery?.interrupted)).toEqual([false, true]);
});

test('a platform that asks for time is given it', async () => {
  const { platform, visitor, settled } = await answering();
  const calledAt: number[] = [];
  platform.onCall(async () => void calledAt.push(performance.now()));
  platform.refuseNext({ status: 429, retryAfterMs: 2_500 });

  await visitor.send('Hello');
  await settled('sent');

  const [first = 0, second = 0] = calledAt;
  expect(calledAt).toHaveLength(2);
  expect(second - first).toBeGreaterThan(2_400);
});

test.each([
  [400, 'gateway_message_refused'],
  [403, 'gateway_credentials_refused'],
  [404, 'gateway_recipient_gone'],
] as const)(
  'an answer that the platform refuses (%i) is given up, and the next one goes out',
  async (status, code) => {
    const { service, platform, visitor, settled } = await answering();
    platform.refuseNext({ status });

    await visitor.send('One');
    await visitor.send('Two');
    const { deliveries } = await settled('failed', 'sent');

    expect(deliveries[0]).toMatchObject({ attempt: 1, error_code: code });
    expect(platform.posts.map(({ texts }) => texts)).toEqual([['Answer to Two']]);
    expect(service.logLines).toContainEqual(
      expect.objectContaining({ level: 'error', code, deliveryId: deliveries[0]?.id }),
    );
  },
);

test('a conversation whose platform is slow keeps nobody else waiting', async () => {
  const { service, platform, visitor, settled } = await answering();
  const gate = Promise.withResolvers<void>();
  platform.onCall(({ text }) => (text === 'Answer to Slow' ? gate.promise : Promise.resolve()));
  const other = await service.aVisitor();

  await visitor.send('Slow');
  await eventually(() => expect(platform.calls).toHaveLength(1));
  await other.send('Quick');
  await eventually(() => expect(platform.posts).toHaveLength(1));
  gate.resolve();

  await settled('sent');
  expect(platform.posts.map(({ texts }) => texts)).toEqual([['Answer to Quick'], ['Answer to Slow']]);
});
