import { mkdirSync } from 'node:fs';
import type { BrowserContextOptions } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { aBrowser } from './support/a-browser.ts';
import { expectAccessible } from './support/accessibility.ts';
import { type RunningService, startService } from './support/running-service.ts';
import { desktop, openPage, openTab, phone } from './support/watched-page.ts';
import { widgetOn } from './support/widget-page.ts';

const browser = aBrowser();
const shots = 'tmp/screenshots';
let running: RunningService | undefined;

beforeAll(async () => {
  mkdirSync(shots, { recursive: true });
  running = await startService();
});
afterAll(() => running?.stop());

const sizes: { name: string; options: BrowserContextOptions; opensByItself: boolean }[] = [
  { name: 'desktop', options: { viewport: desktop }, opensByItself: true },
  { name: 'desktop-dark', options: { viewport: desktop, colorScheme: 'dark' }, opensByItself: true },
  { name: 'phone', options: { viewport: phone, hasTouch: true, isMobile: true }, opensByItself: false },
];

describe.each(sizes)('a newcomer at the demo page, $name', ({ name, options, opensByItself }) => {
  test('asks, sees the answer with its source, reloads and still sees it', async () => {
    const { page, widget, expectClean } = await theDemoPage(options);
    await page.getByRole('heading', { level: 1 }).waitFor();
    if (opensByItself) await widget.panel.waitFor();
    else expect(await widget.panel.count()).toBe(0);
    await expectAccessible(page);
    await page.screenshot({ path: `${shots}/demo-${name}.png` });

    if (!opensByItself) await widget.button(/Open chat/).click();
    await widget.button('How do I add a tenant?').click();
    await widget.answers.locator('.sources').waitFor();
    const answer = await widget.answers.first().textContent();
    expect(answer).toContain('swarmgate apply');
    await expectAccessible(page);
    await page.screenshot({ path: `${shots}/demo-${name}-answer.png` });

    await widget.answers.locator('summary').first().click();
    const source = await widget.answers
      .getByRole('link', { name: 'Open the source' })
      .first()
      .getAttribute('href');
    expect(new URL(source ?? '').origin).toBe(service().url);

    await page.reload();
    if (!opensByItself) await widget.button(/Open chat/).click();
    await widget.answers.locator('.sources').waitFor();
    expect(await widget.answers.first().textContent()).toBe(answer);
    expect(await widget.questions.count()).toBe(1);
    expectClean([service().url]);
  });
});

test('the source of an answer leads to the place in the documentation', async () => {
  const { page, widget } = await theDemoPage();
  await widget.button('How do I add a tenant?').click();
  await widget.answers.locator('summary').first().click();
  const source = await widget.answers
    .getByRole('link', { name: 'Open the source' })
    .first()
    .getAttribute('href');
  const documentation = await openTab(page);
  await documentation.page.goto(source ?? '');
  await documentation.page.getByRole('heading', { name: 'How do I add a tenant?' }).waitFor();
  await expectAccessible(documentation.page);
  documentation.expectClean([service().url]);
});

test('a conversation survives a killed process: the page goes on by itself', async () => {
  const { widget } = await theDemoPage();
  await widget.ask('What is Swarmgate?');
  await widget.answers.locator('.sources').waitFor();
  await service().killAndRestart();
  await widget.ask('How do I add a tenant?');
  await expect.poll(() => widget.answers.locator('.sources').count(), { timeout: 60_000 }).toBe(2);
  expect(await widget.questions.count()).toBe(2);
});

test('the snippet to embed names this gateway, and can be copied', async () => {
  const { page } = await theDemoPage();
  await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
  await page.getByRole('button', { name: 'Copy' }).first().click();
  await page.getByText('Copied to the clipboard.').waitFor({ state: 'attached' });
  expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(
    `<script src="${service().url}/widget.js" data-key="wk_demo" async></script>`,
  );
});

test('nothing covers the page: it fits every width, and the chat has a column of its own', async () => {
  for (const width of [320, 390, 768, 1024, 1280, 1920]) {
    const { page, widget } = await theDemoPage({ viewport: { width, height: 800 } });
    await widget.launcher.waitFor();
    expect(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), `at ${width}`).toBe(
      true,
    );
    if (width < 1100) continue;
    await widget.panel.waitFor();
    const panel = await widget.panel.boundingBox();
    const main = await page.getByRole('main').boundingBox();
    expect((main?.x ?? 0) + (main?.width ?? 0), `at ${width}`).toBeLessThanOrEqual(panel?.x ?? 0);
  }
});

function service(): RunningService {
  if (!running) throw new Error('The service has not been started yet.');
  return running;
}

async function theDemoPage(options: BrowserContextOptions = {}) {
  const watched = await openPage(browser(), options);
  onTestFinished(() => watched.page.context().close());
  await watched.page.goto(service().url);
  return { ...watched, widget: widgetOn(watched.page) };
}
