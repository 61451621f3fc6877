import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { answerApi } from './api-server.ts';
import { createConsent } from './consent.ts';
import { createFaults, type Fault } from './faults.ts';
import { createHttpClient } from './http-client.ts';
import { createReceiveText } from './inbound.ts';
import type { IncomingText } from './incoming-text.ts';
import {
  type ApiCall,
  createJournal,
  type Delivery,
  type SentMessage,
  type TwilioReply,
  type Violation,
} from './journal.ts';
import { createMediaStore } from './media.ts';
import { createMessageStore, type Message } from './messages.ts';
import { createSendMessage } from './outgoing.ts';
import { createSendQueues } from './queue.ts';
import { createRate } from './rate.ts';
import { createStatusPlans, type StatusPlan } from './status-plan.ts';
import { createWebhookCaller } from './webhooks.ts';
import { trackWork } from './work.ts';
import {
  type Account,
  type ContentTemplate,
  createWorld,
  type MessagingService,
  type SenderNumber,
} from './world.ts';
import { rememberWriting } from './writing.ts';

export type TwilioSimulatorOptions = {
  /** A free one when absent. */
  port?: number;
  /** 127.0.0.1 when absent. */
  host?: string;
  /** How fast numbers send: 1 for a US long code. At once when absent. */
  segmentsPerSecond?: number;
  /** How much may wait at a number. 36,000 when absent: what a long code sends in ten hours. */
  queueSegmentsMax?: number;
  /** Calls that an account may make in a second. 100 when absent. */
  requestsPerSecondMax?: number;
  /** How long a webhook may take. 15,000 when absent. */
  webhookDeadlineMs?: number;
  /**
   * A free-form WhatsApp message outside the 24-hour window (63016): the call is refused (the default), or the message
   * is taken and fails, which only its status tells.
   */
  outsideWindow?: 'refused' | 'failed';
  now?: () => Date;
};

export type SentFilter = Partial<Pick<SentMessage, 'from' | 'to' | 'accountSid' | 'messagingServiceSid'>>;

export type TwilioSimulator = {
  /** Stands for https://api.twilio.com. */
  readonly url: string;
  /** Where media is served from after the API's redirect: another origin, as with Twilio. */
  readonly mediaUrl: string;

  addAccount(account: Account): void;
  addNumber(number: SenderNumber): void;
  /** Its numbers are there already. */
  addMessagingService(service: MessagingService): void;
  /** As soon as an account has one, it has no others; before, every ContentSid is taken. */
  addContent(template: ContentTemplate): void;
  /** Makes webhooks and media of `https://chat.example.com` be looked for at another origin, as behind a proxy. */
  route(publicOrigin: string, servedAt: string): void;

  /** Sends as a person does, and answers every attempt to tell of it. */
  text(text: IncomingText): Promise<Delivery[]>;
  fail(fault: Fault): void;
  planStatuses(plan: StatusPlan): void;

  readonly calls: readonly ApiCall[];
  /** What has reached people, in order. */
  sent(filter?: SentFilter): SentMessage[];
  /** A message as its account's log has it now. */
  message(accountSid: string, sid: string): Readonly<Message> | undefined;
  readonly twilioReplies: readonly TwilioReply[];
  readonly violations: readonly Violation[];
  /** Every attempt to call a webhook. */
  readonly deliveries: readonly Delivery[];

  /** Waits until every queue is empty and everything has been told. */
  settled(): Promise<void>;
  /** Empties the judge's lists and drops planned faults. Messages, accounts and consent stay. */
  forget(): void;
  close(): Promise<void>;
};

/**
 * Starts a stand-in for Twilio's messaging: its REST API with the checks that Twilio makes, its queues, consent and media,
 * and its calls to webhooks. It keeps a log of everything, to judge a client by.
 */
export async function startTwilioSimulator(options: TwilioSimulatorOptions = {}): Promise<TwilioSimulator> {
  const closing = new AbortController();
  const world = createWorld();
  const journal = createJournal();
  const faults = createFaults();
  const plans = createStatusPlans();
  const work = trackWork(closing.signal);
  const now = options.now ?? (() => new Date());
  const http = createHttpClient(closing.signal);
  const callWebhook = createWebhookCaller({ http, journal, deadlineMs: options.webhookDeadlineMs ?? 15_000 });
  const store = createMessageStore();
  const media = createMediaStore(journal);
  const writing = rememberWriting(now);
  const host = options.host ?? '127.0.0.1';

  const common = { world, store, journal, http, callWebhook, plans, now };
  const sendMessage = createSendMessage({
    ...common,
    queueOf: createSendQueues(
      { segmentsPerSecond: options.segmentsPerSecond, segmentsMax: options.queueSegmentsMax },
      { closing: closing.signal, track: work.track },
    ),
    closing: closing.signal,
    track: work.track,
  });
  const parts = {
    ...common,
    consent: createConsent(),
    sendMessage,
    faults,
    isWithinRate: createRate(
      (accountSid) => world.account(accountSid)?.requestsPerSecondMax ?? options.requestsPerSecondMax ?? 100,
    ),
    outsideWindow: options.outsideWindow ?? 'refused',
    stickySender: (service: MessagingService, person: string) => writing.lastNumber(service.numbers, person),
    lastInboundAt: writing.lastAt,
    noteWriting: writing.note,
    apiUrl: () => url,
    mediaLocation: (file: Parameters<typeof media.publish>[0]) => mediaUrl + media.publish(file),
  };
  const answer: RequestListener = (request, response) =>
    void answerApi(parts, request, response).catch(() => response.destroy());
  const mediaServer = await listen(media.answer, host, 0);
  const apiServer = await listen(answer, host, options.port ?? 0);
  const mediaUrl = urlOf(mediaServer, host);
  const url = urlOf(apiServer, host);
  const receiveText = createReceiveText(parts);

  return {
    url,
    mediaUrl,
    addAccount: world.addAccount,
    addNumber: world.addNumber,
    addMessagingService: world.addMessagingService,
    addContent: world.addContent,
    route: http.route,
    text: receiveText,
    fail: faults.plan,
    planStatuses: plans.plan,
    calls: journal.calls,
    sent: (filter = {}) => journal.sent.filter((message) => fits(message, filter)),
    message: store.find,
    twilioReplies: journal.twilioReplies,
    violations: journal.violations,
    deliveries: journal.deliveries,
    settled: work.settled,
    forget() {
      journal.forget();
      faults.clear();
    },
    async close() {
      closing.abort();
      for (const server of [apiServer, mediaServer]) {
        server.closeAllConnections();
        await server[Symbol.asyncDispose]();
      }
    },
  };
}

async function listen(listener: RequestListener, host: string, port: number): Promise<Server> {
  const server = createServer(listener);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, resolve);
  });
  return server;
}

function urlOf(server: Server, host: string): string {
  const { port } = server.address() as AddressInfo;
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}`;
}

function fits(message: SentMessage, filter: SentFilter): boolean {
  return (Object.keys(filter) as (keyof SentFilter)[]).every((name) => message[name] === filter[name]);
}
