import { afterAll, afterEach, beforeAll, beforeEach } from 'vitest';
import { newId, type Uuid } from '#domain/ids.ts';
import type { ConsentChange, OpenChannel, OutboundAttachment, OutboundMessage } from '#gateways/gateway.ts';
import type { GatewayError } from '#gateways/gateway-error.ts';
import { createTwilioGateway, type TwilioGatewayParts } from '#gateways/twilio/index.ts';
import { startTwilioSimulator, type TwilioSimulator } from '../../src/simulators/twilio/simulator.ts';
import { aServer } from './a-server.ts';

export const ours = '+15550001';
export const theirs = '+15550100';
export const accountSid = 'AC1';
export const authToken = 'token-1';
/** Nobody answers there, which for a status is how it is meant. */
export const nowhere = 'http://127.0.0.1:9';
/** Takes three parts. */
export const fourThousand = Array.from({ length: 40 }, (_, n) =>
  `Sentence number ${n} of a long answer. `.repeat(3),
).join('\n\n');

export const words = (text: string) => text.split(/\s+/).filter(Boolean);

type Kept = { number: number; externalId: string; segments: number | undefined };

/** A number with Twilio's simulator behind it, new for each test of a file, and the gateway that sends from it. */
export function aTwilioLine() {
  let twilio: TwilioSimulator;
  let media: Awaited<ReturnType<typeof aServer>>;
  let consents: ReturnType<typeof aLedger>;

  beforeAll(async () => {
    media = await aServer((_, response) => response.setHeader('content-type', 'image/png').end('png'));
  });
  afterAll(() => media.close());

  beforeEach(async () => {
    twilio = await startTwilioSimulator();
    consents = aLedger();
    twilio.addAccount({ accountSid, authToken });
    twilio.addNumber({ accountSid, number: ours, kind: 'long_code' });
    twilio.addNumber({ accountSid, number: `whatsapp:${ours}`, kind: 'whatsapp' });
    twilio.addContent({ accountSid, sid: 'HX1', body: 'News for you: {{1}} Write to us.' });
    twilio.planStatuses({ steps: [] });
  });
  afterEach(() => twilio.close());

  const aGateway = (over: Partial<TwilioGatewayParts> = {}) =>
    createTwilioGateway({
      apiUrl: twilio.url,
      publicUrl: () => `${nowhere}/`,
      consents,
      files: { sign: (tenantId, id, ttlMs) => `${media.url}/${tenantId}/${id}?ttl=${ttlMs}` },
      texts: { stop: 'Stopped.', start: 'Started.', help: 'Help.' },
      fetch: () => Promise.reject(new Error('must not be called')),
      // Without a pace, which is not what is shown here.
      pacer: { take: async () => {} },
      ...over,
    });

  /** What was posted to make messages, oldest first. */
  const made = () => twilio.calls.filter(({ method }) => method === 'POST').map(({ params }) => params);

  return {
    twilio: () => twilio,
    consents: () => consents,
    aGateway,
    made,
    bodiesMade: () => made().map((params) => params.get('Body')),
    /** Sends, and tells what became of it and what was kept on the way. */
    async send(
      message: OutboundMessage,
      {
        channel = aChannel(),
        signal = new AbortController().signal,
        ...parts
      }: Partial<TwilioGatewayParts> & {
        channel?: OpenChannel;
        signal?: AbortSignal;
        onPart?: (number: number) => void;
      } = {},
    ) {
      const kept: Kept[] = [];
      const outcome = await aGateway(parts)
        .send(channel, message, {
          signal,
          async keepPart(number, externalId, details) {
            kept.push({ number, externalId, segments: details?.segments });
            parts.onPart?.(number);
          },
        })
        .then(
          ({ externalIds }) => ({ externalIds, error: undefined }),
          (error: unknown) => ({ externalIds: undefined, error: error as GatewayError }),
        );
      return { ...outcome, kept };
    },
  };
}

function aLedger() {
  const changes: ConsentChange[] = [];
  return {
    changes,
    async isOptedOut(_: Uuid, [sender = '']: readonly string[], recipient: string) {
      const last = changes.findLast((change) => change.sender === sender && change.recipient === recipient);
      return last?.state === 'opted_out';
    },
    async record(_: unknown, change: ConsentChange) {
      changes.push(change);
    },
  };
}

export function aChannel(settings: object = {}, over: Partial<OpenChannel> = {}): OpenChannel {
  return {
    tenantId: newId(),
    id: newId(),
    platform: 'twilio',
    key: 'ck_sms',
    settings: { accountSid, number: ours, ...settings },
    secrets: { authToken },
    status: 'active',
    version: 1,
    statusReason: undefined,
    tenantStatus: 'active',
    tenantSettings: {},
    organizationSettings: {},
    agent: undefined,
    ...over,
  };
}

export function aMessage(over: Partial<OutboundMessage> = {}): OutboundMessage {
  return {
    deliveryId: newId(),
    messageId: newId(),
    turnId: newId(),
    attempt: 1,
    interrupted: false,
    role: 'agent',
    text: 'It is on its way.',
    content: {},
    attachments: [],
    createdAt: new Date(),
    lastInboundAt: new Date(),
    conversationId: newId(),
    conversationExternalId: `${ours}/${theirs}`,
    participantExternalId: theirs,
    externalIds: [],
    ...over,
  };
}

export const onWhatsApp = (over: Partial<OutboundMessage> = {}) =>
  aMessage({ conversationExternalId: `whatsapp:${ours}/whatsapp:${theirs}`, ...over });

export const anImage = (over: Partial<OutboundAttachment> = {}): OutboundAttachment => ({
  fileId: newId(),
  name: 'chart.png',
  contentType: 'image/png',
  sizeBytes: 1_000,
  ...over,
});
