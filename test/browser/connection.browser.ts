import { expect, test } from 'vitest';
import { aBrowser } from './support/a-browser.ts';
import { gatedAnswer } from './support/gate.ts';
import { aWidgetPage } from './support/widget-page.ts';

const browser = aBrowser();

test('a connection that is cut in the middle of an answer goes on where it was', async () => {
  const { gateway, widget } = await aWidgetPage(browser());
  const { answer, next } = gatedAnswer(['One, ', 'two, ', 'three.']);
  gateway.answerWith(answer);
  await widget.open();
  await widget.ask('Count');
  await widget.answers.getByText('One,').waitFor();

  gateway.cutStreams();
  next();
  await widget.answers.getByText('One, two,').waitFor();
  next();
  next();
  await widget.answers.getByText('One, two, three.').waitFor();
  expect(await widget.answers.count()).toBe(1);
  expect(await widget.questions.count()).toBe(1);
  expect(gateway.violations).toEqual([]);
});

test('what is said while nobody listens comes after the reconnect', async () => {
  const { gateway, widget } = await aWidgetPage(browser());
  await widget.open();
  await widget.ask('Hello');
  await widget.answers.getByText('You said: Hello').waitFor();
  gateway.cutStreams();
  gateway.conversation.say('operator', 'A person here.');
  await widget.panel.getByText('A person here.').waitFor();
  await widget.panel.getByText('Team', { exact: true }).waitFor();
});

test('messages written offline are kept over a reload and sent in order', async () => {
  const { gateway, widget, page } = await aWidgetPage(browser());
  await widget.open();
  await widget.ask('before');
  await widget.answers.getByText('You said: before').waitFor();

  gateway.setOffline(true);
  await widget.ask('first');
  await widget.ask('second');
  await expect.poll(() => widget.panel.getByText('Waiting to be sent').count()).toBe(2);
  await widget.panel.getByText('Reconnecting…').waitFor();

  gateway.setOffline(false);
  await page.reload();
  await widget.answers.getByText('You said: second').waitFor();
  const asked = gateway.conversation.messages.filter(({ role }) => role === 'visitor');
  expect(asked.map(({ text }) => text)).toEqual(['before', 'first', 'second']);
  await expect.poll(() => widget.panel.getByText('Waiting to be sent').count()).toBe(0);
  expect(await widget.questions.count()).toBe(3);
});

test('the browser says that it is offline, and the chat says what that means', async () => {
  const { widget, page } = await aWidgetPage(browser());
  await widget.open();
  await page.context().setOffline(true);
  await widget.panel.getByText(/You are offline/).waitFor();
  await widget.ask('Are you there?');
  await page.context().setOffline(false);
  await widget.answers.getByText('You said: Are you there?').waitFor();
  await expect.poll(() => widget.panel.getByText(/You are offline/).count()).toBe(0);
});

test('an acceptance that is lost on the way does not send the message twice', async () => {
  const { gateway, widget, page } = await aWidgetPage(browser());
  await widget.open();
  await widget.ask('warm up');
  await widget.answers.getByText('You said: warm up').waitFor();
  let lost = false;
  await page.route('**/chat/v1/messages', async (route) => {
    if (lost || route.request().method() !== 'POST') return route.continue();
    lost = true;
    await route.fetch();
    return route.abort();
  });
  await widget.ask('once');
  await widget.answers.getByText('You said: once').waitFor();
  expect(gateway.conversation.messages.filter(({ text }) => text === 'once')).toHaveLength(1);
  await expect.poll(() => widget.questions.count()).toBe(2);
});

test('a token that has expired is renewed without a word', async () => {
  const { gateway, widget } = await aWidgetPage(browser());
  await widget.open();
  await widget.ask('one');
  await widget.answers.getByText('You said: one').waitFor();
  gateway.expireTokens();
  gateway.cutStreams();
  await widget.ask('two');
  await widget.answers.getByText('You said: two').waitFor();
  expect(gateway.visitorCount).toBe(1);
  expect(gateway.conversation.messages).toHaveLength(4);
});

test('a gateway that asks to wait is not asked again before', async () => {
  const { gateway, widget, page } = await aWidgetPage(browser());
  await widget.open();
  await widget.ask('zero');
  await widget.answers.getByText('You said: zero').waitFor();
  const sentAtMs: number[] = [];
  page.on('request', (request) => {
    if (request.method() === 'POST' && request.url().endsWith('/messages')) sentAtMs.push(performance.now());
  });
  gateway.refuseNext('/messages', 429, 'rate_limited', 'Too many messages.', { 'Retry-After': '2' });
  await widget.ask('one');
  await widget.ask('two');
  await widget.answers.getByText('You said: two').waitFor();
  expect(sentAtMs).toHaveLength(3);
  expect((sentAtMs[1] ?? 0) - (sentAtMs[0] ?? 0)).toBeGreaterThan(1_900);
});

test('a message that cannot be accepted shows why, holds up nothing, and can be removed or tried again', async () => {
  const { gateway, widget, page } = await aWidgetPage(browser());
  await widget.open();
  await widget.ask('x'.repeat(8_001));
  await widget.panel.getByText('Not sent: The text has 8001 characters; at most 8000 are taken.').waitFor();
  await widget.ask('short');
  await widget.answers.getByText('You said: short').waitFor();
  await widget.button('Remove').click();
  expect(await widget.panel.getByText(/Not sent/).count()).toBe(0);

  gateway.refuseNext('/messages', 403, 'channel_closed', 'This channel is paused.');
  await widget.ask('again');
  await widget.panel.getByText('Not sent: This channel is paused.').waitFor();
  await widget.button('Try again').click();
  await widget.answers.getByText('You said: again').waitFor();
  await page.reload();
  await widget.answers.getByText('You said: again').waitFor();
  expect(await widget.questions.count()).toBe(2);
});

test('an answer that is finished while nobody listens takes the place of its draft', async () => {
  const { gateway, widget, page } = await aWidgetPage(browser());
  const { answer, next } = gatedAnswer(['Half an ans', 'wer']);
  gateway.answerWith(answer);
  await widget.open();
  await widget.ask('Go');
  await widget.answers.getByText('Half an ans').waitFor();
  await page.route('**/chat/v1/events', (route) => route.abort());
  gateway.cutStreams();
  next();
  next();
  await expect.poll(() => gateway.conversation.messages.length).toBe(2);
  await page.unroute('**/chat/v1/events');
  await widget.answers.getByText('Half an answer').waitFor();
  expect(await widget.answers.count()).toBe(1);
});

test('a draft that nobody goes on with is taken away', async () => {
  const { gateway, widget } = await aWidgetPage(browser());
  gateway.answerWith(gatedAnswer(['Half an ans']).answer);
  await widget.open();
  await widget.ask('Go');
  await widget.answers.getByText('Half an ans').waitFor();
  gateway.conversation.abandonTurn();
  gateway.cutStreams();
  await expect.poll(() => widget.answers.count(), { timeout: 15_000 }).toBe(0);
});
