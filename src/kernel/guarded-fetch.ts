import { Agent, type Dispatcher, fetch as undiciFetch } from 'undici';
import {
  checkTenantUrl,
  ForbiddenUrlError,
  isAllowedHost,
  type LookupAll,
  publicOnlyLookup,
} from './url-guard.ts';

export type GuardedFetchOptions = {
  /** Hosts that the operator opens to every tenant although they are not public: `name` or `name:port`. */
  allowedHosts?: readonly string[];
  lookup?: LookupAll;
};

const redirectsMax = 5;

/**
 * Makes a `fetch` for addresses that tenants give: it reaches the public internet and nothing behind it (no loopback,
 * private network or cloud metadata), over http and https only. Redirects are followed by hand, each through the same
 * guard, and lose the caller's headers when they leave the origin.
 *
 * Rejects with {@link ForbiddenUrlError}. The input is a URL; the body must be text or bytes.
 */
export function createGuardedFetch(options: GuardedFetchOptions = {}): typeof globalThis.fetch {
  const allowedHosts = options.allowedHosts ?? [];
  const open = new Agent();
  const guarded = new Agent({ connect: { lookup: publicOnlyLookup(options.lookup) } });

  const fetchOnce = async (address: string, init: RequestInit) => {
    const url = checkTenantUrl(address, allowedHosts);
    try {
      return await send(address, init, isAllowedHost(url, allowedHosts) ? open : guarded);
    } catch (error) {
      const refusal = error instanceof TypeError ? error.cause : undefined;
      throw refusal instanceof ForbiddenUrlError ? refusal : error;
    }
  };

  return async (input, init = {}) => {
    if (input instanceof Request) throw new TypeError('The guarded fetch takes a URL, not a Request.');
    let address = String(input);
    let request = init;
    for (let redirects = 0; ; redirects++) {
      const response = await fetchOnce(address, request);
      const target = redirectTarget(response, address);
      if (!target || init.redirect === 'manual') return response;

      await response.body?.cancel();
      if (init.redirect === 'error' || redirects === redirectsMax) {
        const { host } = new URL(address);
        throw new ForbiddenUrlError(
          `${host} redirects, ${redirects === 0 ? 'which is not followed here' : 'too often'}.`,
        );
      }
      request = redirected(request, response.status, target.origin === new URL(address).origin);
      address = target.href;
    }
  };
}

// The classes of undici's fetch are those of Node's own, declared a second time.
async function send(address: string, init: RequestInit, dispatcher: Dispatcher): Promise<Response> {
  const request = { ...init, dispatcher, redirect: 'manual' } as unknown as Parameters<typeof undiciFetch>[1];
  return (await undiciFetch(address, request)) as unknown as Response;
}

function redirectTarget(response: Response, from: string): URL | undefined {
  const location = response.headers.get('location');
  if (location === null || ![301, 302, 303, 307, 308].includes(response.status)) return undefined;
  if (!URL.canParse(location, from)) {
    throw new ForbiddenUrlError(`${new URL(from).host} redirects to something that is not a URL.`);
  }
  return new URL(location, from);
}

// As browsers do it (Fetch standard, "HTTP-redirect fetch"), except that another origin gets none of the caller's
// headers: keys travel under many names.
function redirected(request: RequestInit, status: number, isSameOrigin: boolean): RequestInit {
  const { method = 'GET', body, headers, ...rest } = request;
  const kept = new Headers(isSameOrigin ? headers : undefined);
  if (status !== 307 && status !== 308 && method !== 'GET' && method !== 'HEAD') {
    kept.delete('content-type');
    return { ...rest, method: 'GET', headers: kept };
  }
  const contentType = new Headers(headers).get('content-type');
  if (contentType !== null) kept.set('content-type', contentType);
  return { ...rest, method, headers: kept, ...(body !== undefined && { body }) };
}
