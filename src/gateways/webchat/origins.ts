/**
 * Whether a browser's Origin header is among a channel's origins: exact, `*.` for the hosts under a domain (not the
 * domain itself), `:*` for any port.
 */
export function isAllowedOrigin(origin: string | undefined, patterns: readonly string[]): boolean {
  if (origin === undefined || !URL.canParse(origin)) return false;
  const url = new URL(origin);
  // Only what a browser sends: scheme, host, port, and nothing behind them.
  if (url.origin !== origin) return false;
  return patterns.some((pattern) => matches(url, pattern));
}

function matches(url: URL, pattern: string): boolean {
  const [, scheme, host = '', port] =
    /^(https?):\/\/(\*\.[^:]+|[^:]+)(?::(\d+|\*))?$/.exec(pattern.toLowerCase()) ?? [];
  if (url.protocol !== `${scheme}:`) return false;
  if (port !== '*' && url.port !== withoutDefault(scheme, port)) return false;
  return host.startsWith('*.') ? url.hostname.endsWith(host.slice(1)) : url.hostname === host;
}

function withoutDefault(scheme: string | undefined, port: string | undefined): string {
  if (port === undefined || (scheme === 'https' && port === '443') || (scheme === 'http' && port === '80'))
    return '';
  return port;
}
