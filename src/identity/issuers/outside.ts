import { boundBody } from '#kernel/bound-body.ts';
import { checkTenantUrl, ForbiddenUrlError, isAllowedHost } from '#kernel/url-guard.ts';

/** The way to identity providers. Their addresses are tenants' and organizations', so nothing inside is reached by it. */
export interface Outside {
  /** Refuses what cannot be the address of one. @throws {ForbiddenUrlError} */
  checkAddress(address: string): URL;
  /** Over https, without redirects, within five seconds and 256 KB. */
  fetch: typeof globalThis.fetch;
}

/** More than any key set or answer with tokens has. */
const bytesMax = 256 * 1024;
const timeoutMs = 5_000;

/** `allowedHosts`: those that the operator opens although they are not public, also without TLS. */
export function createOutside({
  guardedFetch,
  allowedHosts,
}: {
  guardedFetch: typeof globalThis.fetch;
  allowedHosts: readonly string[];
}): Outside {
  const fetchBounded = boundBody(guardedFetch, bytesMax);

  const checkAddress = (address: string) => {
    const url = checkTenantUrl(address, allowedHosts);
    if (url.protocol !== 'https:' && !isAllowedHost(url, allowedHosts))
      throw new ForbiddenUrlError('The address of an identity provider begins with https://.');
    return url;
  };

  return {
    checkAddress,
    fetch: async (input, init = {}) => {
      checkAddress(String(input));
      const signal = AbortSignal.timeout(timeoutMs);
      return fetchBounded(String(input), { ...init, redirect: 'manual', signal });
    },
  };
}
