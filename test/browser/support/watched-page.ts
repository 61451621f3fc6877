import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { expect } from 'vitest';

export const desktop = { width: 1280, height: 800 };
export const phone = { width: 390, height: 844 };

export type WatchedPage = {
  page: Page;
  /** Fails if the page has complained, broken its policy, or asked anybody but these origins for anything. */
  expectClean: (origins: readonly string[]) => void;
};

/** Opens a page that keeps what it says to the console and whom it talks to. Close its context with the test. */
export async function openPage(browser: Browser, options: BrowserContextOptions = {}): Promise<WatchedPage> {
  const context = await browser.newContext({ viewport: desktop, reducedMotion: 'reduce', ...options });
  return watchPage(await context.newPage());
}

/** Another tab of the same browser. */
export async function openTab(page: Page): Promise<WatchedPage> {
  return watchPage(await page.context().newPage());
}

function watchPage(page: Page): WatchedPage {
  const complaints: string[] = [];
  const origins = new Set<string>();
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(String(error)));
  page.on('request', (request) => origins.add(new URL(request.url()).origin));
  return {
    page,
    expectClean(allowed) {
      expect(complaints).toEqual([]);
      expect([...origins].filter((origin) => !allowed.includes(origin))).toEqual([]);
    },
  };
}
