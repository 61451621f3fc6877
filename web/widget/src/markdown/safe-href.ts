const allowedProtocols = new Set(['http:', 'https:', 'mailto:']);

/**
 * The address to put into a link, or `undefined` when it must not become one. What comes back is the parsed form, so
 * that what was checked is what the browser follows. Relative addresses count only when a `base` is given.
 */
export function safeHref(address: string, base?: string): string | undefined {
  const url = URL.parse(address, base);
  return url && allowedProtocols.has(url.protocol) ? url.href : undefined;
}
