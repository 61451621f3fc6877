import { AsyncLocalStorage } from 'node:async_hooks';
import type twilio from 'twilio';
import { type CallTrace, readFailure } from './failure.ts';
import { readSegments } from './segments.ts';
import { type TwilioAccount, twilioApiUrl } from './settings.ts';

/** A message to be made. Exactly one of `from` and `messagingServiceSid`. */
export type NewMessage = {
  to: string;
  from?: string;
  messagingServiceSid?: string;
  body?: string;
  mediaUrl?: string[];
  contentSid?: string;
  contentVariables?: string;
  statusCallback?: string;
};

export type MadeMessage = {
  sid: string;
  /** As Twilio counts them, once it has. */
  segments: number | undefined;
};

export type ListedMessage = {
  sid: string;
  body: string;
  mediaCount: number;
  messagingServiceSid: string | undefined;
  isOutbound: boolean;
  createdAt: Date;
};

/** The part of Twilio's REST API that messages need. Nothing is tried twice here. Each throws {@link GatewayError}. */
export interface TwilioApi {
  create(account: TwilioAccount, message: NewMessage, signal: AbortSignal): Promise<MadeMessage>;
  /** The newest messages to somebody, newest first. */
  listNewest(
    account: TwilioAccount,
    filter: { to: string; from?: string },
    signal: AbortSignal,
  ): Promise<ListedMessage[]>;
}

/** More than any conversation gets within the time that is looked back. */
const listedMax = 200;
const callMsMax = 15_000;

/**
 * Makes the API of any number of accounts. All share one transport and its connections; what is made for an account is
 * small and made for each call, so that no token is kept and none is old.
 */
export function createTwilioApi(nowMs: () => number = Date.now): TwilioApi {
  const calls = new AsyncLocalStorage<Call>();
  let sdk: Promise<Sdk> | undefined;

  async function call<Answer>(
    account: TwilioAccount,
    signal: AbortSignal,
    ask: (client: twilio.Twilio) => Promise<Answer>,
  ): Promise<Answer> {
    // Loaded when first needed: it takes 30 MB and half a second, which a process without Twilio does well without.
    sdk ??= loadSdk(calls);
    const { clientOf } = await sdk;
    const trace: CallTrace = {};
    try {
      return await calls.run({ apiUrl: account.apiUrl, signal, trace }, () => ask(clientOf(account)));
    } catch (error) {
      throw readFailure(error, trace, nowMs());
    }
  }

  return {
    create: (account, message, signal) =>
      call(account, signal, async (client) => {
        const { sid, numSegments } = await client.messages.create(message);
        if (typeof sid !== 'string' || sid === '') throw new TypeError('Twilio’s answer names no message.');
        return { sid, segments: readSegments(numSegments) };
      }),

    // Not by date: Twilio filters by when a message was sent, and one that waits to be sent has no such time.
    listNewest: (account, filter, signal) =>
      call(account, signal, async (client) => {
        const page = await client.messages.page({ ...filter, pageSize: listedMax });
        return page.instances.map((message) => ({
          sid: message.sid,
          body: message.body ?? '',
          mediaCount: Number(message.numMedia ?? 0),
          messagingServiceSid: message.messagingServiceSid ?? undefined,
          isOutbound: message.direction !== 'inbound',
          createdAt: new Date(message.dateCreated ?? Number.NaN),
        }));
      }),
  };
}

/** What the transport has to know of a call, which the SDK has no way to hand it. */
type Call = { apiUrl: string; signal: AbortSignal; trace: CallTrace };

type Sdk = { clientOf(account: TwilioAccount): twilio.Twilio };

async function loadSdk(calls: AsyncLocalStorage<Call>): Promise<Sdk> {
  const { default: createClient } = await import('twilio');

  class Transport extends createClient.RequestClient {
    constructor() {
      super({
        timeout: callMsMax,
        autoRetry: false,
        maxSockets: 100,
        maxTotalSockets: 200,
        maxFreeSockets: 10,
      });
      this.axios.interceptors.request.use((config) => {
        const signal = calls.getStore()?.signal;
        return signal ? Object.assign(config, { signal }) : config;
      });
    }

    override async request<Data>(options: RequestOptions<Data>) {
      const { apiUrl = twilioApiUrl, trace } = calls.getStore() ?? {};
      const response = await super.request<Data>({ ...options, uri: atOrigin(options.uri, apiUrl) });
      const { 'retry-after': retryAfter } = (response.headers ?? {}) as Record<string, unknown>;
      if (trace) trace.status = response.statusCode;
      if (trace && typeof retryAfter === 'string') trace.retryAfter = retryAfter;
      // It would keep what was said, and the token it was said with, until the next call.
      delete this.lastRequest;
      delete this.lastResponse;
      return response;
    }
  }

  const httpClient = new Transport();
  return {
    // An edge and region of the environment would be Twilio's business behind our back; TWILIO_API_URL is how to say it.
    clientOf: ({ accountSid, authToken }) =>
      createClient(accountSid, authToken, { httpClient, autoRetry: false, edge: '', region: '' }),
  };
}

type RequestOptions<Data> = Parameters<twilio.RequestClient['request']>[0] & { data?: Data };

/** The same resource below another base address, which may have a path. */
function atOrigin(uri: string, apiUrl: string): string {
  const { pathname, search } = new URL(uri);
  return apiUrl.replace(/\/+$/, '') + pathname + search;
}
