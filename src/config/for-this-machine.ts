import { isLoopbackHost } from '#domain/loopback.ts';
import type { Config } from './config.ts';

/**
 * Whether an installation is for whoever sits at its machine, as the first `npm start` is: its data is here, and by all that
 * it was told nobody else reaches it. (A proxy that it was not told of shows by what it sends.)
 */
export function isForThisMachine({
  database,
  host,
  publicUrl,
  trustedProxies,
}: Pick<Config, 'database' | 'host' | 'publicUrl' | 'trustedProxies'>): boolean {
  return (
    database.kind === 'embedded' &&
    isLoopbackHost(host) &&
    (publicUrl === undefined || isLoopbackHost(new URL(publicUrl).hostname)) &&
    trustedProxies.length === 0
  );
}
