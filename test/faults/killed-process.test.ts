import { describe, type TestContext, test } from 'vitest';
import { startPostingPlatform } from '../fakes/posting-platform.ts';
import { aDiary, aServiceProcess } from '../support/a-service-process.ts';
import { planTenant, shopOrigin } from '../support/a-tenant.ts';
import { aVisitor } from '../support/a-visitor.ts';
import { anInstallation } from '../support/an-installation.ts';
import { eventually } from '../support/eventually.ts';
import type { FallPoint } from '../support/fall-points.ts';

/** Where the process is killed, and how often the turn of the message has been begun when it is answered. */
const points: [FallPoint, number][] = [
  ['after-receive-commit', 1],
  ['before-wake', 1],
  ['mid-turn', 2],
  ['between-steps', 2],
  ['after-stream-part', 2],
  ['before-turn-commit', 2],
  ['after-turn-commit', 1],
  ['mid-delivery', 1],
];

describe.concurrent('kill -9', () => {
  for (const [at, attempts] of points) {
    test(`${at} loses nothing, and answers and posts nothing twice`, async (context) => {
      const { expect } = context;
      const platform = await startPostingPlatform();
      context.onTestFinished(platform.close);
      const { service, visitor, diary } = await aProcessThatFalls(context, at, platform.url);

      const sending = visitor.sendUntilTaken('Hello');
      expect(await service.ended()).toBe('SIGKILL');
      await service.restart();
      const first = await sending;
      const second = await visitor.sendUntilTaken('Again');
      await visitor.answerTo(first);
      await visitor.answerTo(second);
      const { messages, turns, deliveries } = await eventually(async () => {
        const rows = await service.rows();
        expect(rows.deliveries.map(({ state }) => state)).toEqual(['sent', 'sent']);
        return rows;
      });

      expect(messages.map(({ role, state }) => [role, state]).sort()).toEqual([
        ['agent', 'final'],
        ['agent', 'final'],
        ['visitor', 'final'],
        ['visitor', 'final'],
      ]);
      expect(turns.map(({ state, attempt }) => [state, attempt])).toEqual([
        ['done', attempts],
        ['done', 1],
      ]);
      expect(diary.count('looked up Hello')).toBe(1);
      expect(platform.posts.map(({ id, texts }) => [id, texts.at(-1)])).toEqual([
        ['post-1', 'You said: Hello'],
        ['post-2', 'You said: Again'],
      ]);
      expect(deliveries.map(({ external_ids }) => external_ids)).toEqual([['post-1'], ['post-2']]);
      const interrupted = platform.calls.flatMap(({ delivery }) => delivery?.interrupted ?? []);
      expect(interrupted).toEqual(at === 'mid-delivery' ? [false, true, false] : [false, false]);
      expect(await service.stop()).toBe(0);
    });
  }

  test('while an answer is shown: the page that comes back sees it begin again and end, and no message twice', async (context) => {
    const { expect } = context;
    const { service, visitor } = await aProcessThatFalls(context, 'while-streaming');
    const page = await visitor.listen();

    const sent = await visitor.send('Hello');
    expect(await service.ended()).toBe('SIGKILL');
    // What the killed process has sent may still be on its way to the page.
    await eventually(() => expect(page.draft()).toBe('You said: '));
    await service.restart();
    const back = await eventually(() => visitor.listen(page.lastEventId()));
    await visitor.answerTo(sent);
    await eventually(() => expect(back.messages()).toHaveLength(1));

    expect([...page.messages(), ...back.messages()]).toEqual(await visitor.history());
    expect(back.draft()).toBe('You said: Hello');
    visitor.leave();
    expect(await service.stop()).toBe(0);
  });
});

async function aProcessThatFalls({ onTestFinished }: TestContext, at: FallPoint, platformUrl?: string) {
  const installation = await anInstallation();
  onTestFinished(installation.remove);
  const diary = await aDiary(onTestFinished);
  const service = await aServiceProcess(
    {
      installation,
      diary,
      fall: { at, signal: 'SIGKILL' },
      plan: planTenant(),
      ...(platformUrl && { platformUrl }),
    },
    onTestFinished,
  );
  return { service, diary, visitor: await aVisitor(service, { key: 'wk_shop', origin: shopOrigin }) };
}
