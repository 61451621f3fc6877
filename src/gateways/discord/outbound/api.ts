import { AsyncLocalStorage } from 'node:async_hooks';
import { REST, type RequestData } from '@discordjs/rest';
import { GatewayError } from '../../gateway-error.ts';
import type { Pacer } from '../../pacer.ts';
import type { DiscordApp } from '../channel.ts';
import type { DiscordCall } from './api-call.ts';
import { describeFailure, type Exchange } from './api-failures.ts';
import type { InvalidGuard, Refusal } from './invalid-guard.ts';
import { createKnownRefusals } from './known-refusals.ts';
import { createTokenCheck } from './token-owner.ts';

export type DiscordApiParts = {
  guard: InvalidGuard;
  pacer: Pacer;
  /** How long one call may take. */
  timeoutMs?: number;
  nowMs?: () => number;
};

export interface DiscordApi {
  /**
   * Calls the REST API in the name of an app, once: nothing is waited out and nothing is tried again here. Before the first
   * call with a token, Discord is asked whether it is the app's. Does not begin when `signal` has aborted, and is broken off when it aborts meanwhile. @throws {GatewayError}
   */
  call<Answer>(app: DiscordApp, call: DiscordCall, signal: AbortSignal): Promise<Answer>;
}

const timeoutMsDefault = 10_000;
/** Bots that a process keeps the buckets of; the others begin anew. */
const clientsMax = 2_000;
const apiUrlDefault = 'https://discord.com/api';
/** Fifty a second of a bot, over all processes; a little is left to those that do not count here. */
const globalPace = { intervalMs: 22, burst: 40 };

/** The REST API for all bots of the process. Each has a client of its own, because its limits are its own. */
export function createDiscordApi({
  guard,
  pacer,
  timeoutMs = timeoutMsDefault,
  nowMs = Date.now,
}: DiscordApiParts): DiscordApi {
  const clients = new Map<string, REST>();
  const knownRefusals = createKnownRefusals(nowMs);
  /** The SDK hands nothing of a call on to where its answer is seen. */
  const underWay = new AsyncLocalStorage<{ refusal?: Refusal }>();
  const noteRefusal = (refusal: Refusal) => Object.assign(underWay.getStore() ?? {}, { refusal });

  function clientOf({ apiUrl = apiUrlDefault, applicationId, botToken = '' }: DiscordApp): REST {
    const key = JSON.stringify([apiUrl, applicationId, botToken]);
    const known = clients.get(key);
    clients.delete(key);
    const client = known ?? createClient(apiUrl, timeoutMs, noteRefusal);
    // A refusal makes the SDK forget it.
    if (botToken !== '') client.setToken(botToken);
    clients.set(key, client);
    const [oldest] = clients.keys();
    if (clients.size > clientsMax && oldest !== undefined) {
      clients.get(oldest)?.clearHashSweeper();
      clients.get(oldest)?.clearHandlerSweeper();
      clients.delete(oldest);
    }
    return client;
  }

  async function callOnce<Answer>(app: DiscordApp, call: DiscordCall, signal: AbortSignal): Promise<Answer> {
    const refused = knownRefusals.find(app, call);
    if (refused) throw refused;
    const admission = await guard.admit(app);
    const seen: { refusal?: Refusal } = {};
    try {
      if (!call.byInteraction)
        await pacer.take(`discord/${app.applicationId}`, globalPace.intervalMs, signal, 1, globalPace.burst);
      refuseLate(signal);
      const request = () => clientOf(app).request(requestOf(call, signal));
      return (await underWay.run(seen, request)) as Answer;
    } catch (error) {
      const exchange: Exchange = { app, call, signal };
      const described = describeFailure(error, exchange);
      knownRefusals.note(app, call, described);
      throw described;
    } finally {
      admission.end(seen.refusal);
    }
  }

  const checkToken = createTokenCheck(async (app) => {
    const call = { method: 'GET', route: '/applications/@me' } as const;
    const { id } = await callOnce<{ id?: string }>(app, call, AbortSignal.timeout(timeoutMs));
    return id;
  }, nowMs);

  return {
    async call(app, call, signal) {
      if (!call.byInteraction && app.botToken === undefined)
        throw new GatewayError(
          'message_refused',
          'The Discord app has no bot: it answers interactions only.',
        );
      if (!call.byInteraction) await checkToken(app);
      refuseLate(signal);
      return callOnce(app, call, signal);
    },
  };
}

function refuseLate(signal: AbortSignal): void {
  if (!signal.aborted) return;
  throw new GatewayError('not_now', 'There was no time left to call Discord.', { retryAfterMs: 0 });
}

function createClient(api: string, timeout: number, noteRefusal: (refusal: Refusal) => void): REST {
  return new REST({
    api: api.replace(/\/+$/, ''),
    timeout,
    // Who delivers decides what is tried again, and when.
    retries: 0,
    rejectOnRateLimit: () => true,
    // Looked at here, because of some refusals the SDK only says that they would come.
    makeRequest: async (url, init) => {
      const response = await fetch(url, { ...(init as unknown as RequestInit), redirect: 'error' });
      const isShared = response.headers.get('x-ratelimit-scope') === 'shared';
      if (refusals.has(response.status) && !isShared)
        noteRefusal({ status: response.status, byInteraction: /\/(?:webhooks|interactions)\//.test(url) });
      return response as unknown as Awaited<ReturnType<REST['options']['makeRequest']>>;
    },
  });
}

const refusals: ReadonlySet<number> = new Set([401, 403, 429]);

function requestOf({ method, route, body, query, files, byInteraction }: DiscordCall, signal: AbortSignal) {
  return {
    ...{ method, fullRoute: route, signal, auth: byInteraction !== true },
    ...(body && { body }),
    ...(query && { query: new URLSearchParams(query) }),
    ...(files && { files: [...files] }),
  } as RequestData & { method: never; fullRoute: `/${string}` };
}
