import { mkdirSync } from 'node:fs';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { aBrowser } from './support/a-browser.ts';
import { expectAccessible } from './support/accessibility.ts';
import { type RunningService, startService } from './support/running-service.ts';
import { openPage } from './support/watched-page.ts';

const browser = aBrowser();
const shots = 'tmp/screenshots';
let running: RunningService | undefined;

beforeAll(async () => {
  mkdirSync(shots, { recursive: true });
  running = await startService();
});
afterAll(() => running?.stop());

test('the link that the first start prints signs a browser in by one press, once', async () => {
  const service = running;
  if (!service) throw new Error('The service has not been started yet.');
  const link = await eventually(() => {
    const printed = /http:\S+\/welcome#\S+/.exec(service.output())?.[0];
    if (printed === undefined) throw new Error(`It has printed no link: ${service.output()}`);
    return printed;
  });
  const { page, expectClean } = await openPage(browser());
  onTestFinished(() => page.context().close());
  const signedIn = async () => (await page.context().request.get(`${service.url}/api/v1/me`)).status();

  await page.goto(link);
  const button = page.getByRole('button', { name: 'Sign in' });
  await button.waitFor();
  expect(page.url()).toBe(`${service.url}/welcome`);
  expect(await signedIn()).toBe(401);
  await expectAccessible(page);
  await page.screenshot({ path: `${shots}/welcome.png` });
  await button.click();
  await page.waitForURL(`${service.url}/docs`);
  expect(await signedIn()).toBe(200);
  expectClean([service.url]);

  await page.goto(link);
  await button.click();
  await page.getByText(/good no more/).waitFor();
  await page.goto(`${service.url}/welcome`);
  await page.getByText(/Open the whole link/).waitFor();
  expect(await button.count()).toBe(0);
});
