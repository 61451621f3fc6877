import { Resolver } from 'node:dns/promises';
import type { LookupAll } from './url-guard.ts';

const timeoutMs = 2_000;
const tries = 2;

/**
 * Looks names up over the network, beside each other. The system's own way does so in four threads, which it shares with
 * all that reads files: a few names whose servers do not answer would hold up everything. It knows no names of this machine.
 */
export function createNetworkLookup(
  resolver: Pick<Resolver, 'resolve4' | 'resolve6'> = new Resolver({ timeout: timeoutMs, tries }),
): LookupAll {
  return (host, { family }, done) => {
    const wants = (version: 4 | 6) => !family || family === version || family === `IPv${version}`;
    void Promise.allSettled([
      wants(4) ? resolver.resolve4(host) : [],
      wants(6) ? resolver.resolve6(host) : [],
    ]).then(([four, six]) => {
      const addresses = [
        ...(four.status === 'fulfilled' ? four.value.map((address) => ({ address, family: 4 })) : []),
        ...(six.status === 'fulfilled' ? six.value.map((address) => ({ address, family: 6 })) : []),
      ];
      if (addresses.length > 0) return done(null, addresses);
      const failed = [four, six].find(({ status }) => status === 'rejected') as PromiseRejectedResult;
      done(failed?.reason ?? new Error(`There is no address of ${host}.`), []);
    });
  };
}
