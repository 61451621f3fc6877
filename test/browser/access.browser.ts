import { mkdirSync } from 'node:fs';
import type { Page } from 'playwright-core';
import { beforeAll, describe, expect, test } from 'vitest';
import { aBrowser } from './support/a-browser.ts';
import { expectAccessible } from './support/accessibility.ts';
import { gatedAnswer } from './support/gate.ts';
import { desktop, phone } from './support/watched-page.ts';
import { aWidgetPage, type WidgetPageOptions } from './support/widget-page.ts';

const browser = aBrowser();
const shots = 'tmp/screenshots';
const agent = {
  name: 'Bea',
  description: 'Answers from the handbook',
  greeting: 'Hello! How can I help?',
  suggestions: ['Opening hours?', 'Where is my order?'],
};
const richAnswer =
  '# Opening hours\n\nWe are open **every day**, see [the handbook](https://example.com/) and `hours.txt`:\n\n- Mo to Fr: 9 to 18\n  - lunch at *noon*\n- Sa, Su: 10 to 14\n\n| Day | From | To |\n|:----|-----:|---:|\n| Monday | 9:00 | 18:00 |\n\n```sh\ncurl https://shop.example/hours.txt --silent --show-error --location --max-time 10\n```\n\n> Closed on holidays.';

beforeAll(() => {
  mkdirSync(shots, { recursive: true });
});

const looks: { name: string; options: WidgetPageOptions }[] = [
  { name: 'desktop', options: { browser: { viewport: desktop } } },
  { name: 'phone', options: { browser: { viewport: phone, hasTouch: true, isMobile: true } } },
  { name: 'desktop-dark', options: { browser: { viewport: desktop, colorScheme: 'dark' } } },
  { name: 'phone-dark', options: { browser: { viewport: phone, hasTouch: true, colorScheme: 'dark' } } },
  { name: 'desktop-rtl', options: { browser: { viewport: desktop }, htmlAttributes: 'dir="rtl"' } },
  { name: 'narrow-320', options: { browser: { viewport: { width: 320, height: 640 } } } },
];

test.each(looks)(
  'axe finds nothing in $name: closed, greeting, answer in the making, answer, refusal',
  async ({ name, options }) => {
    const { gateway, widget, page } = await aWidgetPage(browser(), { ...options, gateway: { agent } });
    await widget.launcher.waitFor();
    await expectAccessible(page);

    await page.getByRole('button', { name: /Open chat/ }).click();
    await widget.button('Opening hours?').waitFor();
    await expectAccessible(page);
    await page.screenshot({ path: `${shots}/widget-${name}-greeting.png` });

    const { answer, next } = gatedAnswer([richAnswer.slice(0, 180), richAnswer.slice(180)]);
    gateway.answerWith(answer, [
      { title: 'Handbook', url: '/handbook', quote: 'We open at nine.' },
      { title: 'Sign at the door' },
    ]);
    await widget.button('Opening hours?').click();
    await widget.button('Stop this answer').waitFor();
    await expectAccessible(page);
    await page.screenshot({ path: `${shots}/widget-${name}-writing.png` });
    next();
    next();
    await widget.answers.getByText('Sign at the door').waitFor();
    await expectAccessible(page);
    await page.screenshot({ path: `${shots}/widget-${name}-answer.png` });

    gateway.refuseNext('/messages', 403, 'channel_closed', 'This channel is paused.');
    await widget.ask('Hello?');
    await widget.panel.getByText(/Not sent/).waitFor();
    await widget.button('Start a new conversation').click();
    await widget.button('Start new').waitFor();
    await expectAccessible(page);
    await page.screenshot({ path: `${shots}/widget-${name}-refused.png` });
    expect(await overflowsSideways(page)).toBe(false);
  },
);

test('axe would notice: words that nobody can read inside the widget are found', async () => {
  const { widget, page } = await aWidgetPage(browser());
  await widget.open();
  await widget.ask('Can you read me?');
  await widget.answers.first().waitFor();
  await page.evaluate(() => document.documentElement.style.setProperty('--swarmgate-accent-text', '#333'));
  await expect(expectAccessible(page)).rejects.toMatchObject({
    actual: [expect.stringContaining('color-contrast: swarmgate-chat')],
  });
});

describe('with the keyboard alone', () => {
  test('Tab reaches the launcher, Enter opens, Escape closes and gives the focus back', async () => {
    const { widget, page } = await aWidgetPage(browser());
    await widget.launcher.waitFor();
    await page.keyboard.press('Tab');
    await page.keyboard.press('Tab');
    expect(await focusedName(page)).toBe('Open chat');
    await page.keyboard.press('Enter');
    await expect.poll(() => focusedName(page)).toBe('Write a message');
    await page.keyboard.press('Escape');
    await expect.poll(() => focusedName(page)).toBe('Open chat');
    expect(await widget.panel.count()).toBe(0);
  });

  test('Enter sends, Shift and Enter begins a new line, and the Enter of an input method does neither', async () => {
    const { widget, gateway } = await aWidgetPage(browser());
    await widget.open();
    await widget.composer.pressSequentially('one');
    await widget.composer.press('Shift+Enter');
    await widget.composer.pressSequentially('two');
    await widget.composer.evaluate((field) => {
      field.dispatchEvent(new KeyboardEvent('keydown', { key: 'Enter', isComposing: true, bubbles: true }));
    });
    expect(await widget.composer.inputValue()).toBe('one\ntwo');
    await widget.composer.press('Enter');
    await expect.poll(() => gateway.conversation.messages[0]?.text).toBe('one\ntwo');
    expect(await widget.composer.inputValue()).toBe('');
  });

  test('everything in the panel is reached in the order in which it stands', async () => {
    const { widget, page } = await aWidgetPage(browser(), { gateway: { agent } });
    await widget.open();
    await widget.button('Opening hours?').click();
    await widget.answers.first().waitFor();
    await widget.composer.fill('x');
    await page.evaluate(() => (document.activeElement as HTMLElement | null)?.blur());
    await widget.launcher.focus();
    const names: string[] = [];
    for (let at = 0; at < 5; at += 1) {
      await page.keyboard.press('Tab');
      names.push(await focusedName(page));
    }
    expect(names).toEqual([
      'Start a new conversation',
      'Close chat',
      'Conversation',
      'Write a message',
      'Send message',
    ]);
  });

  test('on a phone the page behind cannot be reached, and Escape gives the focus back', async () => {
    const { widget, page } = await aWidgetPage(browser(), { browser: { viewport: phone } });
    await widget.open();
    for (let at = 0; at < 8; at += 1) {
      await page.keyboard.press('Tab');
      expect(await focusedName(page)).not.toBe('Honey');
    }
    await page.keyboard.press('Escape');
    await expect.poll(() => focusedName(page)).toBe('Open chat');
  });

  test('the question about a new conversation takes the focus, and Escape only takes it back', async () => {
    const { widget, page } = await aWidgetPage(browser());
    await widget.open();
    await widget.ask('Hi');
    await widget.answers.getByText('You said: Hi').waitFor();
    await widget.button('Start a new conversation').press('Enter');
    await expect.poll(() => focusedName(page)).toBe('Start new');
    await page.keyboard.press('Escape');
    await expect.poll(() => focusedName(page)).toBe('Write a message');
    expect(await widget.panel.count()).toBe(1);
  });
});

test('a screen reader hears a finished answer once, and nothing while it is written', async () => {
  const { gateway, widget } = await aWidgetPage(browser(), { gateway: { agent } });
  const { answer, next } = gatedAnswer(['It is **op', 'en**.']);
  gateway.answerWith(answer);
  await widget.open();
  const heard = await widget.status.evaluateHandle((region) => {
    const texts: string[] = [];
    new MutationObserver(() => texts.push(region.textContent ?? '')).observe(region, {
      childList: true,
      subtree: true,
    });
    return texts;
  });
  await widget.ask('When?');
  await widget.answers.getByText('It is op').waitFor();
  expect(await widget.log.getAttribute('aria-live')).toBe('off');
  expect(await heard.jsonValue()).toEqual([]);
  next();
  next();
  await expect.poll(() => heard.jsonValue()).toHaveLength(1);
  expect((await heard.jsonValue())[0]).toMatch(/^Bea.*\sIt is open\.$/s);
});

test('motion stops for those who prefer less of it', async () => {
  const { gateway, widget, page } = await aWidgetPage(browser(), { browser: { reducedMotion: 'reduce' } });
  gateway.answerWith(gatedAnswer(['Well']).answer);
  await widget.open();
  await widget.ask('Go');
  await widget.button('Stop this answer').waitFor();
  const running = () =>
    page.evaluate(() => document.querySelector('swarmgate-chat')?.shadowRoot?.getAnimations().length);
  expect(await running()).toBe(0);
  await page.emulateMedia({ reducedMotion: 'no-preference' });
  await expect.poll(running).toBeGreaterThan(0);
});

/** The accessible name of what has the focus, also inside the widget. */
async function focusedName(page: Page): Promise<string> {
  return page.evaluate(() => {
    let element = document.activeElement;
    while (element?.shadowRoot?.activeElement) element = element.shadowRoot.activeElement;
    return element?.getAttribute('aria-label') ?? element?.textContent?.trim() ?? '';
  });
}

async function overflowsSideways(page: Page): Promise<boolean> {
  return page.evaluate(() => {
    const panel = document.querySelector('swarmgate-chat')?.shadowRoot?.getElementById('log');
    return (
      (panel?.scrollWidth ?? 0) > (panel?.clientWidth ?? 0) ||
      document.documentElement.scrollWidth > innerWidth
    );
  });
}
