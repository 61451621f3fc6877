import { expect, test } from 'vitest';
import { aBrowser } from './support/a-browser.ts';
import { openTab, phone } from './support/watched-page.ts';
import { aWidgetPage, widgetOn } from './support/widget-page.ts';

const browser = aBrowser();

test('after a reload the panel, the conversation and what was being written are as they were', async () => {
  const { widget, page } = await aWidgetPage(browser());
  await widget.open();
  await widget.ask('Remember me');
  await widget.answers.getByText('You said: Remember me').waitFor();
  await widget.composer.fill('half a sent');
  await page.reload();
  await widget.answers.getByText('You said: Remember me').waitFor();
  expect(await widget.composer.inputValue()).toBe('half a sent');
  expect(await widget.composer.evaluate((field) => field.matches(':focus'))).toBe(false);
});

test('two tabs show both sides of the same conversation', async () => {
  const { widget, page, gateway } = await aWidgetPage(browser());
  await widget.open();
  await widget.ask('from the first');
  await widget.answers.getByText('You said: from the first').waitFor();

  const second = await openTab(page);
  await second.page.goto(gateway.url);
  const other = widgetOn(second.page);
  await other.open();
  await other.answers.getByText('You said: from the first').waitFor();
  await other.ask('from the second');
  await widget.answers.getByText('You said: from the second').waitFor();
  expect(await widget.questions.locator('.bubble').allTextContents()).toEqual([
    'from the first',
    'from the second',
  ]);
  expect(gateway.visitorCount).toBe(1);
});

test('a new conversation is empty, and the other tab follows into it', async () => {
  const { widget, page, gateway } = await aWidgetPage(browser(), {
    gateway: { agent: { name: 'Bea', greeting: 'Welcome.' } },
  });
  await widget.open();
  await widget.ask('old words');
  await widget.answers.getByText('You said: old words').waitFor();
  const other = widgetOn((await openTab(page)).page);
  await other.panel.page().goto(gateway.url);
  await other.open();
  await other.answers.getByText('You said: old words').waitFor();

  await widget.button('Start a new conversation').click();
  await widget.button('Stay').click();
  expect(await widget.questions.count()).toBe(1);
  await widget.button('Start a new conversation').click();
  await widget.button('Start new').click();
  await expect.poll(() => widget.questions.count()).toBe(0);
  await expect.poll(() => other.questions.count()).toBe(0);
  await other.ask('new words');
  await widget.answers.getByText('You said: new words').waitFor();
});

test('a long conversation opens at its end and pages back without losing the place', async () => {
  const { widget, page, gateway } = await aWidgetPage(browser());
  await widget.open();
  await expect.poll(() => gateway.visitorCount).toBe(1);
  for (let at = 1; at <= 100; at += 1) gateway.conversation.say(at % 2 ? 'operator' : 'agent', `Line ${at}`);
  await page.reload();
  await widget.panel.getByText('Line 100', { exact: true }).waitFor();
  expect(await widget.panel.getByText('Line 60', { exact: true }).count()).toBe(0);
  await expect.poll(() => isAtEnd(widget)).toBe(true);

  await widget.log.evaluate((log) => log.scrollTo(0, 0));
  const before = await widget.panel.getByText('Line 61', { exact: true }).boundingBox();
  await widget.button('Show earlier messages').click();
  await widget.panel.getByText('Line 21', { exact: true }).waitFor({ state: 'attached' });
  const after = await widget.panel.getByText('Line 61', { exact: true }).boundingBox();
  expect(Math.abs((after?.y ?? 0) - (before?.y ?? 999))).toBeLessThan(60);
  await widget.button('Show earlier messages').click();
  await widget.panel.getByText('Line 1', { exact: true }).waitFor({ state: 'attached' });
  expect(await widget.button('Show earlier messages').count()).toBe(0);
});

test('a visitor who has scrolled up is not pulled away, and finds the way back', async () => {
  const { widget, gateway } = await aWidgetPage(browser());
  await widget.open();
  await expect.poll(() => gateway.visitorCount).toBe(1);
  for (let at = 1; at <= 30; at += 1) gateway.conversation.say('agent', `Line ${at}`);
  await widget.panel.getByText('Line 30', { exact: true }).waitFor();
  await widget.log.evaluate((log) => log.scrollTo(0, 0));
  await widget.button('Go to the latest message').waitFor();
  gateway.conversation.say('agent', 'Line 31');
  await widget.panel.getByText('Line 31', { exact: true }).waitFor({ state: 'attached' });
  expect(await widget.log.evaluate((log) => log.scrollTop)).toBe(0);
  await widget.button('Go to the latest message').click();
  await expect.poll(() => isAtEnd(widget)).toBe(true);
});

test('messages that come while the panel is closed are counted until it is opened, in every tab', async () => {
  const { widget, page, gateway } = await aWidgetPage(browser());
  await widget.open();
  await widget.ask('Hello');
  await widget.answers.getByText('You said: Hello').waitFor();
  const other = widgetOn((await openTab(page)).page);
  await other.panel.page().goto(gateway.url);
  await widget.composer.press('Escape');

  gateway.conversation.say('operator', 'Are you still there?');
  gateway.conversation.say('operator', 'We are.');
  await widget.button('Open chat, 2 unread messages').waitFor();
  await other.button('Open chat, 2 unread messages').waitFor();
  await expect.poll(() => widget.status.textContent()).toMatch(/Open chat, [12] unread message/);

  await widget.button('Open chat, 2 unread messages').click();
  await widget.panel.getByText('We are.').waitFor();
  await expect.poll(() => other.button('Open chat, 2 unread messages').count()).toBe(0);
  await page.reload();
  await expect.poll(() => widget.button(/unread/).count()).toBe(0);
});

test('the panel opens by itself at the first visit if the page wishes so, and only then', async () => {
  const { widget, page } = await aWidgetPage(browser(), { attributes: 'data-open="first-visit"' });
  await widget.panel.waitFor();
  expect(await page.evaluate(() => document.activeElement?.tagName)).toBe('BODY');
  await widget.button('Close chat').first().click();
  await page.reload();
  await widget.launcher.waitFor();
  expect(await widget.panel.count()).toBe(0);
  const next = await openTab(page);
  await next.page.goto(page.url());
  await widgetOn(next.page).launcher.waitFor();
  expect(await widgetOn(next.page).panel.count()).toBe(0);
});

test('on a phone it does not open by itself', async () => {
  const { widget } = await aWidgetPage(browser(), {
    attributes: 'data-open="first-visit" data-label="Ask us"',
    browser: { viewport: phone },
  });
  await widget.button('Ask us – Open chat').waitFor();
  expect(await widget.panel.count()).toBe(0);
});

async function isAtEnd({ log }: ReturnType<typeof widgetOn>): Promise<boolean> {
  return log.evaluate((element) => element.scrollHeight - element.scrollTop - element.clientHeight < 2);
}
