/**
 * Whether an address belongs to the signed `serviceUrl` that it came with: the same origin, and a path below its path,
 * after both were normalised as they are called. Only such an address gets our token; the address itself stands in a body
 * that nobody has signed.
 */
export function isWithinService(address: URL, serviceUrl: string): boolean {
  if (!URL.canParse(serviceUrl)) return false;
  const service = new URL(serviceUrl);
  if (!/^https?:$/.test(service.protocol) || address.origin !== service.origin) return false;
  if (hasUserInfo(address) || hasUserInfo(service)) return false;
  // What decodes once more than we do may read them as the way out: %2F, %5C, and %25 of one that is encoded twice.
  if (/%(?:2f|5c|25|00)/i.test(address.pathname)) return false;
  const below = service.pathname.endsWith('/') ? service.pathname : `${service.pathname}/`;
  return address.pathname.startsWith(below);
}

function hasUserInfo({ username, password }: URL): boolean {
  return username !== '' || password !== '';
}
