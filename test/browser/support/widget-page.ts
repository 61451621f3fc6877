import type { Browser, BrowserContextOptions, Locator, Page } from 'playwright-core';
import { onTestFinished } from 'vitest';
import {
  type ChatGateway,
  type ChatGatewayOptions,
  chatGatewayKey,
  startChatGateway,
} from '../../fakes/chat-gateway.ts';
import { openPage, type WatchedPage } from './watched-page.ts';
import { serveWidget } from './widget-files.ts';

/** The policy that the widget promises to work under when the page comes from its own gateway. */
const strictPolicy =
  "default-src 'self'; script-src 'self'; style-src 'self'; require-trusted-types-for 'script'; trusted-types 'none'";

export type WidgetPageOptions = {
  gateway?: ChatGatewayOptions;
  browser?: BrowserContextOptions;
  /** Attributes of the script element beside `data-key`. */
  attributes?: string;
  /** Attributes of the page's html element. */
  htmlAttributes?: string;
};

/** A page that embeds the widget, on a gateway of its own. Both end with the test. */
export async function aWidgetPage(
  browser: Browser,
  options: WidgetPageOptions = {},
): Promise<WatchedPage & { gateway: ChatGateway; widget: WidgetOnPage }> {
  const script = `<script src="/widget.js" data-key="${chatGatewayKey}" ${options.attributes ?? ''} async></script>`;
  const html = hostPage(script, options.htmlAttributes);
  const serve = await serveWidget({ '/': { html, policy: strictPolicy } });
  const gateway = await startChatGateway({ serve, ...options.gateway });
  const watched = await openPage(browser, options.browser);
  onTestFinished(async () => {
    await watched.page.context().close();
    await gateway.close();
  });
  await watched.page.goto(gateway.url);
  return { ...watched, gateway, widget: widgetOn(watched.page) };
}

export function hostPage(script: string, htmlAttributes = ''): string {
  return `<!doctype html><html lang="en" ${htmlAttributes}><head><title>A shop</title></head>
    <body><main><h1>A shop</h1><p><a href="#honey">Honey</a></p></main>${script}</body></html>`;
}

export type WidgetOnPage = ReturnType<typeof widgetOn>;

/** The widget as a person finds it: by what is written on it. */
export function widgetOn(page: Page) {
  const panel = page.getByRole('dialog');
  const composer = page.getByRole('textbox', { name: 'Write a message' });
  return {
    panel,
    composer,
    launcher: page.getByRole('button', { name: /Open chat|Close chat/ }).first(),
    log: page.getByRole('log'),
    status: page.getByRole('status'),
    answers: page.locator('.from-agent'),
    questions: page.locator('.from-visitor'),
    button: (name: string | RegExp): Locator => page.getByRole('button', { name }),
    async open(): Promise<void> {
      await page.getByRole('button', { name: /Open chat/ }).click();
      await composer.waitFor();
    },
    async ask(question: string): Promise<void> {
      await composer.fill(question);
      await composer.press('Enter');
    },
  };
}
