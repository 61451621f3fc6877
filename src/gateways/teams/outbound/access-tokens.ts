import { createHash } from 'node:crypto';
import { z } from 'zod';
import { GatewayError } from '../../gateway-error.ts';
import type { TeamsApp, TeamsEndpoints } from '../channel.ts';

export interface AccessTokens {
  /** A token of a bot for the Bot Framework. @throws {GatewayError} */
  get(app: TeamsApp, endpoints: TeamsEndpoints, signal: AbortSignal): Promise<string>;
  /** It was refused: the next call gets another one. */
  forget(app: TeamsApp, endpoints: TeamsEndpoints, token: string): void;
}

/** A token is not used up to its last second: what it is sent with has to arrive. */
const renewBeforeMs = 5 * 60_000;
const appsMax = 10_000;
const fetchMsMax = 10_000;

type Kept = { token: string; untilMs: number };
type Entry = { kept: Kept | undefined; fetching: Promise<Kept> | undefined };

/**
 * Gets tokens by client credentials and keeps each for as long as it lives; many sends at once cause one request. (MSAL,
 * which the SDK would use, takes no stand-in on this machine and keeps one cache for all apps.)
 *
 * @see https://learn.microsoft.com/azure/bot-service/rest-api/bot-framework-rest-connector-authentication
 */
export function createAccessTokens({
  fetch = globalThis.fetch,
  nowMs = Date.now,
}: {
  fetch?: typeof globalThis.fetch;
  nowMs?: () => number;
} = {}): AccessTokens {
  const entries = new Map<string, Entry>();

  const entryOf = (key: string): Entry => {
    const entry = entries.get(key) ?? { kept: undefined, fetching: undefined };
    entries.delete(key);
    entries.set(key, entry);
    const [oldest] = entries.keys();
    if (entries.size > appsMax && oldest !== undefined) entries.delete(oldest);
    return entry;
  };

  return {
    async get(app, endpoints, signal) {
      const entry = entryOf(keyOf(app, endpoints));
      if (entry.kept && entry.kept.untilMs - renewBeforeMs > nowMs()) return entry.kept.token;
      // Shared by all who wait, so it is nobody's signal that ends it.
      entry.fetching ??= fetchToken(fetch, app, endpoints, nowMs)
        .then((kept) => {
          entry.kept = kept;
          return kept;
        })
        .finally(() => {
          entry.fetching = undefined;
        });
      const { token } = await untilAborted(entry.fetching, signal);
      return token;
    },
    forget(app, endpoints, token) {
      const entry = entries.get(keyOf(app, endpoints));
      if (entry?.kept?.token === token) entry.kept = undefined;
    },
  };
}

// A password that was changed is another app's, as it were; itself it stands in no key.
function keyOf(app: TeamsApp, { loginUrl, cloud }: TeamsEndpoints): string {
  const secret = createHash('sha256').update(app.appPassword).digest('base64url');
  return JSON.stringify([loginUrl, cloud.scope, app.appTenant ?? '', app.appId, secret]);
}

async function untilAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const late = Promise.withResolvers<never>();
  const end = () =>
    late.reject(
      new GatewayError('not_now', 'There was no time left to get a token for Teams.', { retryAfterMs: 0 }),
    );
  if (signal.aborted) end();
  signal.addEventListener('abort', end, { once: true });
  try {
    return await Promise.race([work, late.promise]);
  } finally {
    signal.removeEventListener('abort', end);
  }
}

const granted = z.object({ access_token: z.string().min(1), expires_in: z.coerce.number().positive() });
const refused = z.object({
  error: z
    .string()
    .regex(/^\w{1,60}$/)
    .optional()
    .catch(undefined),
  error_codes: z.array(z.int()).optional().catch(undefined),
});

/** Entra's words for an app, a tenant or a password that are not what they should be. */
const credentialFaults: ReadonlySet<string | undefined> = new Set([
  ...['invalid_client', 'unauthorized_client', 'invalid_request', 'invalid_grant', 'invalid_scope'],
  'access_denied',
]);

async function fetchToken(
  fetch: typeof globalThis.fetch,
  { appId, appPassword, appTenant }: TeamsApp,
  { loginUrl, cloud }: TeamsEndpoints,
  nowMs: () => number,
): Promise<Kept> {
  const askedAtMs = nowMs();
  const url = `${loginUrl}/${appTenant ?? cloud.multiTenantAuthority}/oauth2/v2.0/token`;
  const form = { grant_type: 'client_credentials', client_id: appId, client_secret: appPassword };
  const response = await fetch(url, {
    method: 'POST',
    body: new URLSearchParams({ ...form, scope: cloud.scope }),
    signal: AbortSignal.timeout(fetchMsMax),
    redirect: 'error',
  }).catch(() => {
    throw new GatewayError('unavailable', 'Entra gave no answer to the request for a token.');
  });
  const answer: unknown = await response.json().catch(() => undefined);
  const read = granted.safeParse(answer);
  if (response.ok && read.success)
    return { token: read.data.access_token, untilMs: askedAtMs + read.data.expires_in * 1_000 };
  throw explainRefusal(response.status, answer);
}

// What Entra says besides names the tenant and the app; only its codes are told.
function explainRefusal(status: number, answer: unknown): GatewayError {
  const { error, error_codes: [code] = [] } = refused.safeParse(answer).data ?? {};
  const said = `HTTP ${status}${error ? `, ${error}` : ''}${code ? `, AADSTS${code}` : ''}`;
  const platformCode = code ? `AADSTS${code}` : error;
  const options = platformCode === undefined ? {} : { platformCode };
  if (status === 429) return new GatewayError('rate_limited', `Entra gives no token now (${said}).`, options);
  if (status >= 400 && status < 500 && credentialFaults.has(error))
    return new GatewayError('credentials_refused', `Entra refuses the bot (${said}).`, options);
  return new GatewayError('unavailable', `Entra gave no token (${said}).`, options);
}
