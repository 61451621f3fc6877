import { isIP } from 'node:net';

/** Who asks authenticators: what passkeys are made for, and good for nowhere else. */
export type RelyingParty = { id: string; name: string; origin: string };

/**
 * The party that an installation is, by its public address. `undefined` where browsers have no passkeys for it: they want
 * a host with a name, and https, or this very machine (WebAuthn §5.1.2, §13.4.9).
 */
export function relyingPartyOf(publicUrl: string, name: string): RelyingParty | undefined {
  const { hostname, origin, protocol } = new URL(publicUrl);
  if (isIP(hostname.replace(/^\[|\]$/g, '')) !== 0) return undefined;
  const isThisMachine = hostname === 'localhost' || hostname.endsWith('.localhost');
  return protocol === 'https:' || isThisMachine ? { id: hostname, name, origin } : undefined;
}
