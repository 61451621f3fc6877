import type { IncomingMessage, ServerResponse } from 'node:http';
import { webhookEvents, webhookPayload, webhookPing } from '@swarmgate/contract/webhook-events.ts';
import { Webhook } from 'standardwebhooks';
import { onTestFinished } from 'vitest';
import type { z } from 'zod';
import { aServer } from './a-server.ts';
import type { ApiCaller } from './an-api-caller.ts';

/** A webhook as its receiver has verified it. */
export type ReceivedWebhook = {
  id: string;
  signature: string;
  body: string;
  headers: Record<string, string>;
  payload: { type: string; timestamp: string; tenantId: string; data: Record<string, unknown> };
};

/** What a receiver does with a webhook that is good. Answers 204 unless told otherwise. */
type Answer = (response: ServerResponse, webhook: ReceivedWebhook, request: IncomingMessage) => void;

export type WebhookReceiver = Awaited<ReturnType<typeof aWebhookReceiver>>;

type AtEnd = (end: () => Promise<void>) => void;

/**
 * Somebody's receiver: it believes nothing that the library of Standard Webhooks does not verify, nor what is not of the
 * form that the contract promises. What it would complain of stands in `violations`.
 */
export async function aWebhookReceiver(atEnd: AtEnd = onTestFinished) {
  const received: ReceivedWebhook[] = [];
  const violations: string[] = [];
  const secrets: string[] = [];
  let answer: Answer = (response) => void response.writeHead(204).end();
  const server = await aServer(async (request, response) => {
    try {
      const webhook = await read(request, secrets);
      received.push(webhook);
      answer(response, webhook, request);
    } catch (error) {
      violations.push(String(error));
      response.writeHead(401).end();
    }
  });
  atEnd(server.close);
  return {
    url: `${server.url}/hook`,
    /** As it stands on a list of hosts that an operator opens. */
    host: `127.0.0.1:${server.port}`,
    received,
    violations,
    secrets,
    ofType: (type: string) => received.filter(({ payload }) => payload.type === type),
    answers: (how: Answer | number) => {
      answer = typeof how === 'number' ? (response) => void response.writeHead(how).end() : how;
    },
    close: server.close,
  };
}

async function read(request: IncomingMessage, secrets: readonly string[]): Promise<ReceivedWebhook> {
  const body = Buffer.concat(await Array.fromAsync(request)).toString();
  const headers = request.headers as Record<string, string>;
  if (request.method !== 'POST' || headers['content-type'] !== 'application/json')
    throw new Error(`It came as ${request.method} ${headers['content-type']}.`);
  const id = headers['webhook-id'] ?? '';
  if (!/^evt_[0-9a-f]{32}$/.test(id)) throw new Error(`"${id}" is no webhook-id.`);
  const payload = verifiedBy(secrets, body, headers);
  const { type } = payload as { type: keyof typeof webhookEvents };
  const { data } = webhookEvents[type] ?? webhookPing;
  const read = webhookPayload(type, data as z.ZodType).parse(payload);
  const known = read as ReceivedWebhook['payload'];
  return { id, body, headers, payload: known, signature: headers['webhook-signature'] ?? '' };
}

function verifiedBy(secrets: readonly string[], body: string, headers: Record<string, string>): unknown {
  let failure: unknown = new Error('It has no secret yet.');
  for (const secret of secrets) {
    try {
      return new Webhook(secret).verify(body, headers);
    } catch (error) {
      failure = error;
    }
  }
  throw failure;
}

/** Has a tenant's events sent to a receiver. Answers the endpoint as the API shows it. */
export async function subscribe(
  caller: Pick<ApiCaller, 'own'>,
  receiver: Pick<WebhookReceiver, 'url' | 'secrets'>,
  wish: { eventTypes?: readonly string[]; includeText?: boolean; url?: string } = {},
) {
  const body = { url: receiver.url, eventTypes: ['*'], ...wish };
  const made = await caller.own('POST', '/webhooks', { body });
  if (made.status !== 201) throw new Error(`It was not made: ${JSON.stringify(made.body)}`);
  receiver.secrets.push(made.body.secret);
  return made.body;
}
