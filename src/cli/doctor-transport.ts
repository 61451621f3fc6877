import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';
import type { Config } from '#config/config.ts';
import { type Finding, listed } from './findings.ts';

/** What goes over a network that others may read along on. */
export function examineTransport(
  config: Pick<Config, 'publicUrl' | 'database' | 'queue' | 'files'>,
): Finding[] {
  return [examineAddress(config.publicUrl), examineServers(config)];
}

function examineAddress(publicUrl: string | undefined): Finding {
  const check = 'public address';
  if (publicUrl === undefined) return { check, state: 'ok', says: 'this machine (PUBLIC_URL is not set)' };
  const { protocol, hostname, origin } = new URL(publicUrl);
  if (protocol === 'https:' || isThisMachine(hostname)) return { check, state: 'ok', says: origin };
  return {
    check,
    state: 'warning',
    says: `${origin}: what people write, and what they sign in with, goes over the network for all to read`,
    mend: 'let a proxy speak TLS, and set PUBLIC_URL to its https:// address (docs/operations.md)',
  };
}

function examineServers({ database, queue, files }: Pick<Config, 'database' | 'queue' | 'files'>): Finding {
  const check = 'servers';
  const inTheClear = [
    ...(database.kind === 'server' && !isPostgresSealed(database.url) ? ['Postgres'] : []),
    ...(queue.kind === 'redis' && !isSealed(queue.url, 'rediss:') ? ['Redis'] : []),
    ...(files.kind === 's3' && !isSealed(files.endpoint, 'https:') ? ['the store of files'] : []),
  ];
  if (inTheClear.length === 0)
    return { check, state: 'ok', says: 'each on this machine, or reached by TLS that is verified' };
  return {
    check,
    state: 'note',
    says: `not by TLS that is verified: ${listed(inTheClear)}`,
    mend: 'sslmode=verify-full, rediss://, no tls=off; or a network that is nobody else’s (docs/operations.md)',
  };
}

function isPostgresSealed(address: string): boolean {
  const { hostname, searchParams } = new URL(address);
  // A path to a socket, in the place of the host or beside it.
  const host = searchParams.get('host') ?? decodeURIComponent(hostname);
  return (
    host === '' ||
    host.startsWith('/') ||
    isThisMachine(host) ||
    searchParams.get('sslmode') === 'verify-full'
  );
}

function isSealed(address: string, protocol: string): boolean {
  const url = new URL(address);
  return url.protocol === protocol || isThisMachine(url.hostname);
}

function isThisMachine(hostname: string): boolean {
  const host = hostname.replace(/^\[|\]$/g, '');
  if (isIP(host) !== 0) return ipaddr.process(host).range() === 'loopback';
  return host === 'localhost' || host.endsWith('.localhost');
}
