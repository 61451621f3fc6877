import type { Platform } from './gateway.ts';

/** For how long an installation may take between our link and the platform's answer. */
export const installTtlMs = 10 * 60_000;

/**
 * The cookie that ties an installation to the browser that began it. `__Host-`: set by this host alone, over TLS (RFC
 * 6265bis §4.1.3.2); on plain http, as on one's own machine, no browser would take it. `Lax`, because the way back
 * begins at the platform.
 */
export function writeInstallCookie(platform: Platform, url: URL, browserSecret: string): string {
  return write(platform, url, browserSecret, installTtlMs / 1_000);
}

export function clearInstallCookie(platform: Platform, url: URL): string {
  return write(platform, url, '', 0);
}

export function readInstallCookie(
  platform: Platform,
  url: URL,
  cookieHeader: string | string[] | undefined,
): string | undefined {
  const wanted = `${nameFor(platform, url)}=`;
  const cookies = [cookieHeader ?? []].flat().join(';').split(';');
  const found = cookies.map((cookie) => cookie.trim()).find((cookie) => cookie.startsWith(wanted));
  return found?.slice(wanted.length);
}

function write(platform: Platform, url: URL, value: string, maxAgeSeconds: number): string {
  const secure = isSecure(url) ? '; Secure' : '';
  return `${nameFor(platform, url)}=${value}; Max-Age=${maxAgeSeconds}; Path=/; HttpOnly${secure}; SameSite=Lax`;
}

function nameFor(platform: Platform, url: URL): string {
  const name = `swarmgate-${platform}`;
  return isSecure(url) ? `__Host-${name}` : name;
}

function isSecure(url: URL): boolean {
  return url.protocol === 'https:';
}
