import type { App } from './world.ts';

/** One attempt to tell a bot something. */
export type Delivery = { status: number; body: string; activity: Readonly<Record<string, unknown>> };

/** How long Teams waits for a bot's answer. */
const deadlineMs = 15_000;

/** Calls the bot as Teams does. Status 0: there was no answer. */
export async function deliver(
  app: Pick<App, 'messagesUrl'>,
  activity: Readonly<Record<string, unknown>>,
  headers: Readonly<Record<string, string>>,
): Promise<Delivery> {
  const url = app.messagesUrl;
  if (url === undefined) return { status: 0, body: 'the bot has no address', activity };
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json; charset=utf-8', ...headers },
      body: JSON.stringify(activity),
      signal: AbortSignal.timeout(deadlineMs),
    });
    return { status: response.status, body: await response.text(), activity };
  } catch {
    return { status: 0, body: '', activity };
  }
}
