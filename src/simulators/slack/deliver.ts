import { setTimeout as delay } from 'node:timers/promises';
import type { App } from './installations.ts';
import { type Json, textOf } from './json.ts';
import { sign } from './sign.ts';
import type { EnvelopeType, Sockets } from './socket-mode.ts';

/** One attempt to tell an app something, and what the app said. */
export type Delivery = {
  appId: string;
  via: 'http' | 'socket';
  /** `undefined` for what is no event. */
  eventId: string | undefined;
  /** 0: no answer came in time. An acknowledgement over a socket counts as 200. */
  status: number;
  /** Of an acknowledgement its payload, in JSON. */
  body: string;
  tookMs: number;
  /** 0 the first time. */
  retryNum: number;
  /** Why it counts as failed; `undefined` when it did not. */
  failure: RetryReason | undefined;
};

/** https://docs.slack.dev/apis/events-api#retries */
export type RetryReason = 'http_timeout' | 'connection_failed' | 'http_error';

export type DeliveryParts = {
  sockets: Sockets;
  now: () => number;
  /** Before each repetition; their number is how many there are. Slack's own: 0, one minute, five minutes. */
  retryDelaysMs: readonly number[];
  /** Slack's own: three seconds. */
  deadlineMs: number;
  /** Aborts when the simulator closes. */
  signal: AbortSignal;
};

export type Deliverer = ReturnType<typeof createDeliverer>;

export function createDeliverer(parts: DeliveryParts) {
  const { sockets, retryDelaysMs, signal } = parts;

  async function attempt(app: App, type: EnvelopeType, payload: Json, retry: Retry): Promise<Attempt> {
    if (app.appToken !== undefined && sockets.count(app.appId) > 0)
      return overSocket(parts, app, type, payload, retry);
    return overHttp(parts, app, type, payload, retry);
  }

  return {
    /** Tells of an event until it is acknowledged, or there are no repetitions left. */
    async event(app: App, payload: Json): Promise<Delivery[]> {
      const deliveries: Delivery[] = [];
      let reason: RetryReason | undefined;
      for (let retryNum = 0; retryNum <= retryDelaysMs.length; retryNum += 1) {
        if (retryNum > 0) await delay(retryDelaysMs[retryNum - 1], undefined, { signal }).catch(() => {});
        if (signal.aborted) break;
        const { delivery, isLast } = await attempt(app, 'events_api', payload, { retryNum, reason });
        deliveries.push(delivery);
        reason = delivery.failure;
        if (reason === undefined || isLast) break;
      }
      return deliveries;
    },

    /** Sends a click or a command, which are sent once. */
    async once(app: App, type: 'interactive' | 'slash_commands', payload: Json): Promise<Delivery[]> {
      return [(await attempt(app, type, payload, { retryNum: 0, reason: undefined })).delivery];
    },

    /** Sends a body as it is, to whichever address. */
    async post(app: App, url: string, body: string, headers: Record<string, string>): Promise<Delivery> {
      return (await sendOut(parts, app, url, body, headers, { retryNum: 0, reason: undefined }, undefined))
        .delivery;
    },
  };
}

type Retry = { retryNum: number; reason: RetryReason | undefined };
/** `isLast`: the app wants no repetition. */
type Attempt = { delivery: Delivery; isLast: boolean };

async function overSocket(
  { sockets }: DeliveryParts,
  app: App,
  type: EnvelopeType,
  payload: Json,
  { retryNum, reason }: Retry,
): Promise<Attempt> {
  const startedMs = performance.now();
  const acknowledged = await sockets.send(app.appId, { type, payload, retryNum, retryReason: reason ?? '' });
  const delivery: Delivery = {
    appId: app.appId,
    via: 'socket',
    eventId: textOf(payload['event_id']) || undefined,
    status: acknowledged ? 200 : 0,
    body: acknowledged ? JSON.stringify(acknowledged.payload) : '',
    tookMs: performance.now() - startedMs,
    retryNum,
    failure: acknowledged ? undefined : 'http_timeout',
  };
  return { delivery, isLast: false };
}

async function overHttp(
  parts: DeliveryParts,
  app: App,
  type: EnvelopeType,
  payload: Json,
  retry: Retry,
): Promise<Attempt> {
  const { url, body, contentType } = asRequest(app, type, payload);
  const timestamp = String(Math.floor(parts.now() / 1_000));
  const headers = {
    'content-type': contentType,
    'x-slack-request-timestamp': timestamp,
    'x-slack-signature': sign(app.signingSecret, timestamp, body),
    ...(retry.retryNum > 0 && {
      'x-slack-retry-num': String(retry.retryNum),
      'x-slack-retry-reason': retry.reason ?? 'unknown_error',
    }),
  };
  return sendOut(parts, app, url, body, headers, retry, textOf(payload['event_id']) || undefined);
}

/** Events are JSON, a click is a form with one field, and a command is a form with a field for each thing. */
function asRequest(app: App, type: EnvelopeType, payload: Json) {
  const { eventsUrl = '', interactionsUrl = eventsUrl, commandsUrl = interactionsUrl } = app;
  if (type === 'events_api')
    return { url: eventsUrl, body: JSON.stringify(payload), contentType: 'application/json' };
  const fields =
    type === 'interactive'
      ? { payload: JSON.stringify(payload) }
      : Object.fromEntries(Object.entries(payload).map(([name, value]) => [name, String(value)]));
  return {
    url: type === 'interactive' ? interactionsUrl : commandsUrl,
    body: new URLSearchParams(fields).toString(),
    contentType: 'application/x-www-form-urlencoded',
  };
}

async function sendOut(
  { deadlineMs, signal }: DeliveryParts,
  app: App,
  url: string,
  body: string,
  headers: Record<string, string>,
  { retryNum }: Retry,
  eventId: string | undefined,
): Promise<Attempt> {
  const startedMs = performance.now();
  const of = (status: number, answer: string, failure: RetryReason | undefined): Delivery => {
    const tookMs = performance.now() - startedMs;
    return { appId: app.appId, via: 'http', eventId, status, body: answer, tookMs, retryNum, failure };
  };
  const deadline = AbortSignal.timeout(deadlineMs);
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'user-agent': 'Slackbot 1.0 (+https://api.slack.com/robots)', accept: '*/*', ...headers },
      body,
      redirect: 'manual',
      signal: AbortSignal.any([deadline, signal]),
    });
    const answer = await response.text();
    const isLast = response.headers.get('x-slack-no-retry') === '1';
    return { delivery: of(response.status, answer, response.ok ? undefined : 'http_error'), isLast };
  } catch {
    return { delivery: of(0, '', deadline.aborted ? 'http_timeout' : 'connection_failed'), isLast: false };
  }
}
