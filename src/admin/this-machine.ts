import type { IncomingHttpHeaders } from 'node:http';
import { isLoopbackHost } from '#domain/loopback.ts';

/** What a request is known by before anything in it is believed. */
type Received = {
  socket: { remoteAddress?: string | undefined };
  headers: IncomingHttpHeaders;
};

/** What proxies and tunnels say of themselves, besides all that begins with `x-forwarded-`. */
const namesOfProxies = ['forwarded', 'via', 'x-real-ip', 'x-client-ip', 'true-client-ip', 'cf-connecting-ip'];

/**
 * Whether a request comes from this very machine with nobody in between: by its connection, by the name that it calls us
 * by (a page elsewhere whose name leads here calls us by its own: DNS rebinding), and by the absence of whatever a proxy adds.
 */
export function isFromThisMachine({ socket, headers }: Received): boolean {
  return (
    isLoopbackHost(socket.remoteAddress ?? '') &&
    isOurOwnName(headers.host ?? '') &&
    !Object.keys(headers).some((name) => name.startsWith('x-forwarded-') || namesOfProxies.includes(name))
  );
}

function isOurOwnName(host: string): boolean {
  const url = `http://${host}`;
  if (!URL.canParse(url)) return false;
  const read = new URL(url);
  // Nothing else stands in it: no user, no path.
  return read.host === host.toLowerCase() && isLoopbackHost(read.hostname);
}
