import { expect, test, vi } from 'vitest';
import { aService, sharedService } from '../support/a-service.ts';
import { anInstallation } from '../support/an-installation.ts';
import type { EventReader } from '../support/event-reader.ts';
import { eventually } from '../support/eventually.ts';

const shared = sharedService();

test('a page that comes for the first time is told what happens from then on', async () => {
  const visitor = await shared().aVisitor();
  await visitor.answerTo(await visitor.send('Before'));

  const page = await visitor.listen();
  await visitor.answerTo(await visitor.send('Now'));

  await eventually(() => expect(textsOf(page)).toEqual(['Now', 'Now']));
});

test('a page that comes back is told all that it missed, in order and once, however much it was', async () => {
  const visitor = await shared().aVisitor();
  const page = await visitor.listen();
  await visitor.answerTo(await visitor.send('Seen'));
  await eventually(() => expect(page.messages()).toHaveLength(2));
  page.close();

  const missed = await Promise.all(Array.from({ length: 60 }, (_, n) => visitor.send(`Missed ${n}`)));
  for (const message of missed) await visitor.answerTo(message);
  const back = await visitor.listen(page.lastEventId());

  await eventually(() => expect(back.messages()).toHaveLength(120));
  expect([...page.messages(), ...back.messages()]).toEqual(await visitor.history());
});

test('a page that follows through a restart misses nothing and is told nothing twice', async () => {
  const installation = await anInstallation();
  const before = await aService({ installation });
  const visitor = await before.aVisitor();
  const page = await visitor.listen();
  await visitor.answerTo(await visitor.send('One'));
  await eventually(() => expect(page.messages()).toHaveLength(2));
  page.close();
  await visitor.answerTo(await visitor.send('Two'));
  await before.close();

  const after = await aService({ installation });
  const returned = await after.aVisitor({ visitorToken: visitor.session.visitorToken });
  const back = await returned.listen(page.lastEventId());
  await returned.answerTo(await returned.send('Three'));

  await eventually(() => expect(textsOf(back)).toEqual(['Two', 'Two', 'Three', 'Three']));
  expect([...page.messages(), ...back.messages()]).toEqual(await returned.history());
});

test('a page is told by a sign of life that its stream is still open', async () => {
  const visitor = await shared().aVisitor();
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
  try {
    const page = await visitor.listen();
    vi.advanceTimersByTime(14_000);
    const before = page.comments.length;
    vi.advanceTimersByTime(16_000);

    await eventually(() => expect(page.comments).toHaveLength(2));
    expect(before).toBe(0);
  } finally {
    vi.useRealTimers();
  }
});

test('a stream does not begin at an id that no event has', async () => {
  const visitor = await shared().aVisitor();

  const response = await visitor.call('/chat/v1/events', { headers: { 'last-event-id': 'latest' } });

  expect(response.status).toBe(400);
  expect(await response.json()).toMatchObject({ code: 'invalid_last_event_id' });
});

function textsOf(page: EventReader): string[] {
  return page.messages().map(({ text }) => text);
}
