import { randomUUID } from 'node:crypto';
import type { HttpClient } from './http-client.ts';
import type { Delivery, Journal } from './journal.ts';
import { signForm } from './sign.ts';

/** The X-Twilio-Signature: the right one, one that is made with another token or for another address, or none. */
export type SignatureChoice = 'right' | 'wrong_token' | 'wrong_url' | 'missing';

export type Webhook = {
  kind: Delivery['kind'];
  /** As it is configured, with connection overrides behind a `#`. */
  url: string;
  authToken: string;
  messageSid: string;
  params: URLSearchParams;
  signature?: SignatureChoice;
};

export type WebhookCaller = (webhook: Webhook) => Promise<Delivery[]>;

/**
 * Calls webhooks as Twilio does: 5 s to connect, 15 s for an answer and for all attempts together, one more attempt
 * after a failed connection or a 5xx, unless the address says otherwise.
 * https://www.twilio.com/docs/usage/webhooks/webhooks-connection-overrides
 */
export function createWebhookCaller(parts: {
  http: HttpClient;
  journal: Journal;
  deadlineMs: number;
}): WebhookCaller {
  return async (webhook) => {
    const { address, retries, policy, connectMs, readMs, totalMs } = readOverrides(
      webhook.url,
      parts.deadlineMs,
    );
    const signature = chooseSignature(webhook, address);
    const headers = {
      'content-type': 'application/x-www-form-urlencoded; charset=UTF-8',
      'user-agent': 'TwilioProxy/1.1',
      accept: '*/*',
      'i-twilio-idempotency-token': randomUUID(),
      ...(signature === undefined ? {} : { 'x-twilio-signature': signature }),
    };

    const deliveries: Delivery[] = [];
    const startedAt = performance.now();
    for (let attempt = 1; ; attempt++) {
      const leftMs = totalMs - (performance.now() - startedAt);
      const beganAt = performance.now();
      const answer = await parts.http.call({
        method: 'POST',
        url: address,
        headers,
        body: webhook.params.toString(),
        connectTimeoutMs: Math.min(connectMs, leftMs),
        answerTimeoutMs: Math.min(readMs, leftMs),
      });
      const answered = 'status' in answer;
      const delivery: Delivery = {
        url: address,
        kind: webhook.kind,
        messageSid: webhook.messageSid,
        params: webhook.params,
        attempt,
        status: answered ? answer.status : undefined,
        failure: answered ? undefined : answer.failure,
        contentType: answered ? answer.headers['content-type'] : undefined,
        body: answered ? answer.body.toString('utf8') : '',
        tookMs: performance.now() - beganAt,
      };
      deliveries.push(delivery);
      parts.journal.deliveries.push(delivery);
      if (delivery.failure === 'timeout')
        parts.journal.violate(
          'late_answer',
          `${webhook.kind} webhook, after ${Math.round(delivery.tookMs)} ms`,
        );
      const timeIsUp = performance.now() - startedAt >= totalMs;
      if (attempt > retries || timeIsUp || !isRetried(delivery, policy)) return deliveries;
    }
  };
}

function readOverrides(url: string, deadlineMs: number) {
  const hash = url.indexOf('#');
  const overrides = new URLSearchParams(hash === -1 ? '' : url.slice(hash + 1));
  const number = (name: string, fallback: number) => Number(overrides.get(name) ?? fallback);
  return {
    address: hash === -1 ? url : url.slice(0, hash),
    retries: Math.min(Math.max(number('rc', 1), 0), 5),
    policy: new Set((overrides.get('rp') ?? 'ct,5xx').split(',')),
    connectMs: number('ct', 5_000),
    readMs: Math.min(number('rt', deadlineMs), deadlineMs),
    totalMs: Math.min(number('tt', deadlineMs), deadlineMs),
  };
}

function isRetried({ status, failure }: Delivery, policy: ReadonlySet<string>): boolean {
  const met =
    failure === 'connection' ? 'ct' : failure === 'timeout' ? 'rt' : `${Math.floor((status ?? 0) / 100)}xx`;
  if (met === '2xx' || met === '3xx') return false;
  return policy.has(met) || policy.has('all');
}

function chooseSignature(
  { signature = 'right', authToken, params }: Webhook,
  address: string,
): string | undefined {
  switch (signature) {
    case 'right':
      return signForm(authToken, address, params);
    case 'wrong_token':
      return signForm(`not ${authToken}`, address, params);
    case 'wrong_url':
      return signForm(authToken, `${address}/elsewhere`, params);
    case 'missing':
      return undefined;
  }
}
