import type { Deliverer, Delivery } from './deliver.ts';
import type { App } from './installations.ts';
import type { Json } from './json.ts';
import { sign } from './sign.ts';

/** A request to an app as it is told, right or wrong. */
export type RawRequest = {
  /** An object is sent as JSON. */
  body: Json | string;
  /** Which of the app's addresses, or another one. `events` when absent. */
  to?: 'events' | 'interactions' | 'commands' | { url: string };
  contentType?: string;
  /** Unix seconds; now when absent. */
  timestamp?: string;
  /** `null`: none is sent. The right one when absent. */
  signature?: string | null;
  /** Signs with this in place of the app's own. */
  signingSecret?: string;
  /** Signs this in place of the body. */
  signedBody?: string;
  headers?: Readonly<Record<string, string>>;
};

export async function sendRaw(
  deliver: Deliverer,
  app: App,
  nowMs: number,
  request: RawRequest,
): Promise<Delivery> {
  const body = typeof request.body === 'string' ? request.body : JSON.stringify(request.body);
  const { timestamp = String(Math.floor(nowMs / 1_000)), signingSecret = app.signingSecret } = request;
  const right = sign(signingSecret, timestamp, request.signedBody ?? body);
  const signature = request.signature === undefined ? right : request.signature;
  return deliver.post(app, addressOf(app, request.to ?? 'events'), body, {
    'content-type': request.contentType ?? 'application/json',
    'x-slack-request-timestamp': timestamp,
    ...(signature !== null && { 'x-slack-signature': signature }),
    ...request.headers,
  });
}

function addressOf(app: App, to: Exclude<RawRequest['to'], undefined>): string {
  const { eventsUrl = '', interactionsUrl = eventsUrl, commandsUrl = interactionsUrl } = app;
  if (typeof to === 'object') return to.url;
  return { events: eventsUrl, interactions: interactionsUrl, commands: commandsUrl }[to];
}
