import { sessionLifetimeMs } from './session-limits.ts';

/** How a browser keeps a session's token. */
export type SessionCookie = {
  name: string;
  attributes: {
    httpOnly: true;
    secure: boolean;
    /** A link from elsewhere opens the dashboard signed in; a form from elsewhere posts without the cookie. */
    sameSite: 'lax';
    path: '/';
    maxAgeMs: number;
  };
};

/**
 * Over https the name begins with `__Host-`, by which a browser takes it only from this very host, secure, for every path
 * (RFC 6265bis §4.1.3.2): no subdomain can plant one. Without https, as on this machine, browsers refuse such a name.
 */
export function sessionCookie(isHttps: boolean): SessionCookie {
  return {
    name: isHttps ? '__Host-swarmgate-session' : 'swarmgate-session',
    attributes: { httpOnly: true, secure: isHttps, sameSite: 'lax', path: '/', maxAgeMs: sessionLifetimeMs },
  };
}
