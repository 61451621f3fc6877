import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import type {} from '../../web/widget/src/loader.ts';
import { type ChatGateway, chatGatewayKey, startChatGateway } from '../fakes/chat-gateway.ts';
import { aBrowser } from './support/a-browser.ts';
import { openPage } from './support/watched-page.ts';
import { serveWidget } from './support/widget-files.ts';
import { aWidgetPage, hostPage, widgetOn } from './support/widget-page.ts';

const browser = aBrowser();

/** A page of another origin than the gateway's, in the policy that docs/widget.md gives. */
async function aShop(
  gateway: ChatGateway,
  script = `<script src="${gateway.url}/widget.js" data-key="${chatGatewayKey}" async></script>`,
): Promise<string> {
  const policy = [
    "default-src 'none'",
    `script-src ${gateway.url}`,
    `connect-src ${gateway.url}`,
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
  ].join('; ');
  const server = createServer((request, response) => {
    if (request.url !== '/') return void response.writeHead(204).end();
    response.writeHead(200, { 'Content-Type': 'text/html', 'Content-Security-Policy': policy });
    response.end(hostPage(script));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function aGateway(origins: string[] = []): Promise<ChatGateway> {
  const gateway = await startChatGateway({ origins, serve: await serveWidget({}) });
  onTestFinished(() => gateway.close());
  return gateway;
}

test('on another origin, under a policy without inline styles and with Trusted Types, it works without a complaint', async () => {
  const origins: string[] = [];
  const gateway = await aGateway(origins);
  const shop = await aShop(gateway);
  origins.push(shop);
  const { page, expectClean } = await openPage(browser());
  onTestFinished(() => page.context().close());
  await page.goto(shop);
  const widget = widgetOn(page);
  await widget.open();
  await widget.ask('**Hi**');
  await widget.answers.locator('strong', { hasText: 'Hi' }).waitFor();
  expect(gateway.violations).toEqual([]);
  expectClean([gateway.url, shop]);
});

test('a page that the channel does not allow sees why, and sends nothing', async () => {
  const gateway = await aGateway();
  const shop = await aShop(gateway);
  const { page } = await openPage(browser());
  onTestFinished(() => page.context().close());
  await page.goto(shop);
  const widget = widgetOn(page);
  await page.getByRole('button', { name: 'Open chat' }).click();
  await widget.panel
    .getByText(`This chat is not available here: ${shop} is not among the origins of this channel.`)
    .waitFor();
  expect(await widget.composer.count()).toBe(0);
  expect(gateway.visitorCount).toBe(0);
});

test('two copies of the script make one widget, and styles of the page do not reach it', async () => {
  const { page, widget } = await aWidgetPage(browser(), {
    attributes: '></script><script src="/widget.js" data-key="wk_other"',
  });
  await widget.launcher.waitFor();
  expect(await page.locator('swarmgate-chat').count()).toBe(1);
  await page.evaluate(() => {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync('* { all: unset } button { display: none } div { color: red }');
    document.adoptedStyleSheets = [sheet];
  });
  await widget.open();
  expect(await widget.panel.evaluate((panel) => getComputedStyle(panel).position)).toBe('fixed');
});

test('the page opens and closes it, listens, and may do so before it has loaded', async () => {
  const { page, widget, gateway } = await aWidgetPage(browser());
  await page.evaluate(() => {
    const heard: unknown[] = [];
    Object.assign(window, { heard });
    for (const name of ['open', 'close', 'unread'] as const) {
      void window.Swarmgate?.on(name, (detail) => heard.push([name, detail ?? null]));
    }
    void window.Swarmgate?.on('message', ({ role, text }) => heard.push([role, text]));
    void window.Swarmgate?.open();
  });
  await widget.composer.waitFor();
  await widget.ask('Hi');
  await widget.answers.getByText('You said: Hi').waitFor();
  await page.evaluate(() => window.Swarmgate?.close());
  gateway.conversation.say('operator', 'Bye');
  await widget.button('Open chat, 1 unread message').waitFor();
  expect(await page.evaluate(() => (window as unknown as { heard: unknown[] }).heard)).toEqual([
    ['open', null],
    ['agent', 'You said: Hi'],
    ['close', null],
    ['operator', 'Bye'],
    ['unread', 1],
  ]);
});

test('a visitor who signs in becomes another one, a forged identity changes nothing, and signing out forgets', async () => {
  const { page, widget, gateway } = await aWidgetPage(browser());
  await widget.open();
  await widget.ask('anonymous words');
  await widget.answers.getByText('You said: anonymous words').waitFor();

  const refusal = await page.evaluate(() =>
    window.Swarmgate?.identify('forged').catch((error) => String(error)),
  );
  expect(refusal).toContain('The signature does not fit.');
  await widget.answers.getByText('You said: anonymous words').waitFor();

  await page.evaluate(() => window.Swarmgate?.identify('jwt-of-ann'));
  await expect.poll(() => widget.questions.count()).toBe(0);
  await widget.ask('words of Ann');
  await widget.answers.getByText('You said: words of Ann').waitFor();
  expect(gateway.visitorCount).toBe(2);

  await page.evaluate(() => window.Swarmgate?.reset());
  await expect.poll(() => widget.questions.count()).toBe(0);
  expect(
    await page.evaluate(() => Object.keys(localStorage).filter((name) => name.includes('outbox'))),
  ).toEqual([]);
  await expect.poll(() => gateway.visitorCount).toBe(3);
});

test('a visitor token that the gateway no longer knows makes a new visitor', async () => {
  const { page, widget, gateway } = await aWidgetPage(browser());
  await widget.open();
  await expect.poll(() => gateway.visitorCount).toBe(1);
  await page.evaluate(() => {
    for (const name of Object.keys(localStorage)) {
      if (name.endsWith('visitor')) localStorage.setItem(name, 'vt_of_yesterday');
    }
  });
  await page.reload();
  await expect.poll(() => gateway.visitorCount).toBe(2);
  await widget.ask('Hi');
  await widget.answers.getByText('You said: Hi').waitFor();
});

test('without storage the chat lasts as long as the page', async () => {
  const { page, widget, gateway } = await aWidgetPage(browser());
  await page.addInitScript(() => {
    for (const name of ['localStorage', 'sessionStorage']) {
      Object.defineProperty(window, name, {
        get() {
          throw new DOMException('forbidden', 'SecurityError');
        },
      });
    }
  });
  await page.reload();
  await widget.open();
  await widget.ask('Hi');
  await widget.answers.getByText('You said: Hi').waitFor();
  gateway.expireTokens();
  await widget.ask('Still me');
  await widget.answers.getByText('You said: Still me').waitFor();
  expect(gateway.visitorCount).toBe(1);
});
