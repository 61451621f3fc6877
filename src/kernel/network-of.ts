import ipaddr from 'ipaddr.js';

/**
 * The network that an address counts for when its requests are counted: the address itself or, because one household or
 * server has a whole IPv6 /64 at its disposal, those 64 bits. In one spelling, whichever the address came in.
 */
export function networkOf(address: string): string {
  if (!ipaddr.isValid(address)) return address;
  const ip = ipaddr.process(address); // `::ffff:a.b.c.d` is a.b.c.d
  if (!(ip instanceof ipaddr.IPv6)) return ip.toString();
  return `${ip.parts
    .slice(0, 4)
    .map((part) => part.toString(16))
    .join(':')}::/64`;
}
