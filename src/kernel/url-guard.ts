import { type LookupAddress, type LookupOptions, lookup as systemLookup } from 'node:dns';
import { isIP, type LookupFunction } from 'node:net';
import { AppError } from '#domain/errors.ts';
import { isPublicAddress } from './public-address.ts';

/** An address that a tenant gave may not be called from here. The message names the host, nothing else of the URL. */
export class ForbiddenUrlError extends AppError<'forbidden_url'> {
  override readonly name = 'ForbiddenUrlError';

  constructor(message: string) {
    super('forbidden_url', message);
  }
}

/**
 * Refuses what can be told from the URL alone, so that a bad setting is found when it is saved. Host names are judged
 * only when they are called. `allowedHosts` are those that the operator opens to every tenant although they are not
 * public (`ollama.internal`, `127.0.0.1:8080`).
 *
 * @throws {ForbiddenUrlError}
 */
export function checkTenantUrl(address: string, allowedHosts: readonly string[] = []): URL {
  if (!URL.canParse(address)) throw new ForbiddenUrlError('The address is not a URL.');
  const url = new URL(address);
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    throw new ForbiddenUrlError(`An address begins with http:// or https://, not with ${url.protocol}`);
  }
  if (url.username !== '' || url.password !== '') {
    throw new ForbiddenUrlError(`The address of ${url.host} holds a user name or a password.`);
  }
  // Node does not look up literal addresses, so no later check would see this one.
  const host = url.hostname.replace(/^\[|\]$/g, '');
  if (isIP(host) !== 0 && !isPublicAddress(host) && !isAllowedHost(url, allowedHosts)) throw notPublic(host);
  return url;
}

/** Tells whether the operator opened this host, on any port or on the URL's. */
export function isAllowedHost(url: URL, allowedHosts: readonly string[]): boolean {
  const port = url.port || (url.protocol === 'https:' ? '443' : '80');
  return allowedHosts.some((host) => host === url.hostname || host === `${url.hostname}:${port}`);
}

/** Resolves a host name to every one of its addresses, as `dns.lookup` does. */
export type LookupAll = (
  host: string,
  options: LookupOptions & { all: true },
  done: (error: Error | null, addresses: LookupAddress[]) => void,
) => void;

/**
 * A `lookup` for sockets that fails with {@link ForbiddenUrlError} when a name leads anywhere but to the public
 * internet. It stands between the name and the connection, so that a name which answers differently the next time
 * (DNS rebinding) gains nothing.
 */
export function publicOnlyLookup(lookup: LookupAll = systemLookup): LookupFunction {
  return (host, options, done) => {
    lookup(host, { ...options, all: true }, (error, addresses) => {
      if (error) return done(error, []);
      const [first] = addresses;
      // One private address among public ones is as bad: the connection may pick any of them.
      if (!first || !addresses.every(({ address }) => isPublicAddress(address)))
        return done(notPublic(host), []);
      if (options.all) return done(null, addresses);
      done(null, first.address, first.family);
    });
  };
}

function notPublic(host: string): ForbiddenUrlError {
  return new ForbiddenUrlError(`${host} is not an address of the public internet.`);
}
