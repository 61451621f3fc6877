import { expect, test } from 'vitest';
import { aBrowser } from './support/a-browser.ts';
import { gatedAnswer } from './support/gate.ts';
import { aWidgetPage } from './support/widget-page.ts';

const browser = aBrowser();
const agent = {
  name: 'Bea',
  description: 'Answers from the handbook',
  greeting: 'Hello **you**.',
  suggestions: ['Opening hours?'],
};

test('the page asks the gateway for nothing until the visitor opens the chat', async () => {
  const { page, gateway, widget } = await aWidgetPage(browser());
  const calls: string[] = [];
  page.on('request', (request) => calls.push(request.url()));
  await widget.launcher.waitFor();
  expect(calls.filter((url) => url.includes('/chat/v1'))).toEqual([]);
  await widget.open();
  await expect.poll(() => gateway.visitorCount).toBe(1);
});

test('the agent greets, and a suggestion asks', async () => {
  const { gateway, widget, page, expectClean } = await aWidgetPage(browser(), { gateway: { agent } });
  await widget.open();
  await page.getByRole('heading', { name: 'Bea' }).waitFor();
  await page.getByText('Answers from the handbook').waitFor();
  await widget.log.locator('strong', { hasText: 'you' }).waitFor();

  await widget.button('Opening hours?').click();
  await widget.answers.getByText('You said: Opening hours?').waitFor();
  expect(await widget.button('Opening hours?').count()).toBe(0);
  expect(gateway.conversation.messages.map(({ text }) => text)).toEqual([
    'Opening hours?',
    'You said: Opening hours?',
  ]);
  expect(gateway.violations).toEqual([]);
  expectClean([gateway.url]);
});

test('an answer appears while it is written, and is there once when it is done', async () => {
  const { gateway, widget } = await aWidgetPage(browser());
  const { answer, next } = gatedAnswer(['It is **op', 'en** from', ' nine.']);
  gateway.answerWith(answer, [{ title: 'Handbook', url: '/handbook.html', quote: 'We open at nine.' }]);
  await widget.open();
  await widget.ask('When?');

  await widget.answers.locator('strong', { hasText: /^op$/ }).waitFor();
  next();
  await widget.answers.getByText('It is open from', { exact: true }).waitFor();
  expect(await widget.button('Stop this answer').count()).toBe(1);
  next();
  next();
  await widget.answers.getByText('It is open from nine.').waitFor();
  await expect.poll(() => widget.button('Stop this answer').count()).toBe(0);
  expect(await widget.answers.count()).toBe(1);

  await widget.answers.getByText('1. Handbook').click();
  await widget.answers.getByText('We open at nine.').waitFor();
  expect(await widget.answers.getByRole('link', { name: 'Open the source' }).getAttribute('href')).toBe(
    `${gateway.url}/handbook.html`,
  );
});

test('a new attempt of the agent starts the answer over', async () => {
  const { gateway, widget } = await aWidgetPage(browser());
  const { answer, next } = gatedAnswer(['First try', 'Second try', ', complete.']);
  gateway.answerWith(answer);
  await widget.open();
  await widget.ask('Go');
  await widget.answers.getByText('First try').waitFor();
  gateway.conversation.beginNewAttempt();
  next();
  await widget.answers.getByText('Second try').waitFor();
  expect(await widget.answers.getByText('First try').count()).toBe(0);
});

test('the visitor can stop an answer, and goes on writing', async () => {
  const { gateway, widget } = await aWidgetPage(browser());
  const { answer } = gatedAnswer(['A very long', ' story']);
  gateway.answerWith(answer);
  await widget.open();
  await widget.ask('Tell me');
  await widget.answers.getByText('A very long').waitFor();
  await widget.button('Stop this answer').click();
  await expect.poll(() => gateway.conversation.messages.at(-1)?.text).toBe('A very long');
  await expect.poll(() => widget.button('Stop this answer').count()).toBe(0);
  expect(await widget.answers.count()).toBe(1);
  await expect.poll(() => widget.composer.evaluate((field) => field.matches(':focus'))).toBe(true);
});

test('several quick messages are answered in order', async () => {
  const { gateway, widget } = await aWidgetPage(browser());
  await widget.open();
  for (const word of ['one', 'two', 'three']) await widget.ask(word);
  await widget.answers.getByText('You said: three').waitFor();
  const roles = gateway.conversation.messages
    .filter(({ role }) => role === 'visitor')
    .map(({ text }) => text);
  expect(roles).toEqual(['one', 'two', 'three']);
  expect(await widget.questions.locator('.bubble').allTextContents()).toEqual(['one', 'two', 'three']);
});

test('what a model writes never becomes a script, a picture or a foreign link', async () => {
  const hostile =
    '<img src=x onerror="alert(1)"> [click](javascript:alert(1)) ![pixel](https://spy.example/p.png)\n\n<script>alert(1)</script>';
  const { gateway, widget, page, expectClean } = await aWidgetPage(browser());
  async function* answer() {
    yield hostile;
  }
  gateway.answerWith(answer, [{ title: 'Bad', url: 'javascript:alert(1)' }]);
  let dialogs = 0;
  page.on('dialog', (dialog) => {
    dialogs += 1;
    void dialog.dismiss();
  });
  await widget.open();
  await widget.ask('Hi');
  await widget.answers.getByText('<script>alert(1)</script>').waitFor();
  const links = await widget.answers.getByRole('link').all();
  expect(await Promise.all(links.map((link) => link.getAttribute('href')))).toEqual([
    'https://spy.example/p.png',
  ]);
  expect(await widget.answers.locator('img, script').count()).toBe(0);
  expect(dialogs).toBe(0);
  expectClean([gateway.url]);
});
