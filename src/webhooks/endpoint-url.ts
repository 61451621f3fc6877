import { isIP } from 'node:net';
import { checkTenantUrl, ForbiddenUrlError, isAllowedHost } from '#kernel/url-guard.ts';

/**
 * Refuses what can be told from an endpoint's address alone. It is https; http only to this very machine, and only where
 * the operator has opened that. Names are judged again each time that one is called.
 *
 * @throws {ForbiddenUrlError}
 */
export function checkEndpointUrl(address: string, allowedHosts: readonly string[] = []): void {
  const url = checkTenantUrl(address, allowedHosts);
  const isOpened = isAllowedHost(url, allowedHosts);
  if (url.protocol === 'http:' && !(isOpened && isLoopback(url.hostname)))
    throw new ForbiddenUrlError('The address of a webhook begins with https://.');
  if (isLoopback(url.hostname) && !isOpened)
    throw new ForbiddenUrlError(`${url.hostname} is not an address of the public internet.`);
}

function isLoopback(hostname: string): boolean {
  const host = hostname.replace(/^\[|\]$/g, '');
  if (isIP(host) === 4) return host.startsWith('127.');
  return host === '::1' || host === 'localhost' || host.endsWith('.localhost');
}
