import ipaddr from 'ipaddr.js';

/**
 * Tells whether an IP address is one of the public internet: not loopback, private, link-local (cloud metadata),
 * carrier-grade NAT, multicast, documentation or reserved, in none of their spellings.
 */
export function isPublicAddress(address: string): boolean {
  if (!ipaddr.isValid(address)) return false;
  const ip = ipaddr.process(address); // `::ffff:a.b.c.d` is judged as a.b.c.d
  if (ip.range() !== 'unicast') return false;
  return !(ip instanceof ipaddr.IPv6 && ip.match(ipv4Compatible));
}

// `::127.0.0.1` and its like (RFC 4291 §2.5.5.1, deprecated), which ipaddr.js counts as unicast.
const ipv4Compatible: [ipaddr.IPv6, number] = [ipaddr.IPv6.parse('::'), 96];
