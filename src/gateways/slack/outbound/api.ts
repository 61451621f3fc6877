import { AsyncLocalStorage } from 'node:async_hooks';
import { WebClient } from '@slack/web-api';
import { createApiFetch } from '#kernel/api-fetch.ts';
import type { OpenChannel } from '../../gateway.ts';
import { GatewayError } from '../../gateway-error.ts';
import { settingsOf } from '../channel.ts';
import { silentSdkLogger } from '../install/install-client.ts';
import type { SlackAnswers } from './api-answers.ts';
import { describeFailure, type Exchange } from './api-failures.ts';

export type SlackApiParts = {
  /** Where the Web API is, when it is not Slack's own. */
  apiUrl?: string | undefined;
  /** The bot token of a channel as it is now. */
  tokens: (channel: OpenChannel) => Promise<string>;
  /** How long one call may take. */
  timeoutMs?: number;
};

export interface SlackApi {
  /**
   * Calls a method of the Web API with the channel's own token, once. Does not begin when `signal` has aborted, and is
   * broken off when it aborts meanwhile. @throws {GatewayError}
   */
  call<Method extends keyof SlackAnswers>(
    channel: OpenChannel,
    method: Method,
    args: Readonly<Record<string, unknown>>,
    signal: AbortSignal,
  ): Promise<SlackAnswers[Method]>;
}

const timeoutMsDefault = 10_000;

/** The Web API for all channels of the process: one client that holds no token; each call brings its own. */
export function createSlackApi(parts: SlackApiParts): SlackApi {
  const clientOf = createClients(parts);

  return {
    async call<Method extends keyof SlackAnswers>(
      channel: OpenChannel,
      method: Method,
      args: Readonly<Record<string, unknown>>,
      signal: AbortSignal,
    ) {
      const token = await parts.tokens(channel);
      if (signal.aborted)
        throw new GatewayError('not_now', 'There was no time left to call Slack.', { retryAfterMs: 0 });
      const exchange: Exchange = { signal, status: undefined };
      try {
        const client = clientOf(settingsOf(channel).apiUrl ?? parts.apiUrl);
        const answer = await exchanges.run(exchange, () => client.apiCall(method, { ...args, token }));
        return answer as SlackAnswers[Method];
      } catch (error) {
        throw describeFailure(error, method, exchange);
      }
    },
  };
}

/** What one call is about, for the client's `fetch`, which the SDK tells nothing of it. */
const exchanges = new AsyncLocalStorage<Exchange>();

/** A stand-in for Slack is somebody trying the service; there are never many. */
const otherClientsMax = 20;

function createClients({ apiUrl, timeoutMs }: SlackApiParts): (url: string | undefined) => WebClient {
  const ours = createClient(apiUrl, timeoutMs);
  const others = new Map<string, WebClient>();
  return (url) => {
    if (url === undefined || url === apiUrl) return ours;
    const client = others.get(url) ?? createClient(url, timeoutMs);
    others.delete(url);
    others.set(url, client);
    const [oldest] = others.keys();
    if (others.size > otherClientsMax && oldest !== undefined) others.delete(oldest);
    return client;
  };
}

const apiFetch = createApiFetch();

function createClient(slackApiUrl: string | undefined, timeout = timeoutMsDefault): WebClient {
  return new WebClient(undefined, {
    ...(slackApiUrl !== undefined && { slackApiUrl }),
    // A post that is sent again stands there twice. Who delivers decides what is tried again, and when.
    retryConfig: { retries: 0 },
    rejectRateLimitedCalls: true,
    // A call that waited in the SDK's own queue would run in the context of another one, with that one's signal.
    maxRequestConcurrency: Number.POSITIVE_INFINITY,
    allowAbsoluteUrls: false,
    timeout,
    logger: silentSdkLogger,
    fetch: async (url, { signal, ...init } = {}) => {
      const exchange = exchanges.getStore();
      const signals = [signal, exchange?.signal].filter((one) => one !== undefined);
      const response = await apiFetch(url, { ...init, signal: AbortSignal.any(signals) });
      if (exchange) exchange.status = response.status;
      return response;
    },
  });
}
