import type { IdentityProvider, ProviderClient } from '../fakes/identity-provider.ts';
import type { Browser } from './a-browser.ts';
import type { Service } from './a-service.ts';
import { type ApiAnswer, type CallOptions, callerOf } from './an-api-caller.ts';

/** A browser that goes to a provider and comes back, and keeps every cookie of ours meanwhile. */
export type SignOnBrowser = ReturnType<typeof aSignOnBrowser>;

export type CameBack = { status: number; location: string | null; setCookies: string[]; text: string };

export function aSignOnBrowser(service: Pick<Service, 'url'>, address?: string) {
  const call = callerOf(service);
  const jar = new Map<string, string>();
  const cookie = () => [...jar].map(([name, value]) => `${name}=${value}`).join('; ');
  const from = address === undefined ? {} : { 'x-forwarded-for': address };
  const keep = (setCookies: readonly string[]) => {
    for (const set of setCookies) {
      const [name = '', value = ''] = set.split(';')[0]?.split('=', 2) ?? [];
      if (value === '') jar.delete(name);
      else jar.set(name, value);
    }
  };

  const browser = {
    jar,
    async call(method: string, path: string, { headers, ...options }: CallOptions = {}): Promise<ApiAnswer> {
      const answer = await call(method, path, {
        ...options,
        headers: { 'x-csrf': '1', cookie: cookie(), ...from, ...headers },
      });
      keep(answer.headers.getSetCookie());
      return answer;
    },
    /** Asks us where to go. */
    async begin(body: object): Promise<string> {
      const answer = await browser.call('POST', '/sign-in/sso', { body });
      if (answer.status !== 200)
        throw new Error(`It answered ${answer.status}: ${JSON.stringify(answer.body)}`);
      return answer.body.url;
    },
    /** Goes there, and answers where the provider sends it back to. */
    async atProvider(url: string): Promise<string> {
      const response = await fetch(url, { redirect: 'manual' });
      const location = response.headers.get('location');
      if (location === null)
        throw new Error(`The provider answered ${response.status}: ${await response.text()}`);
      return location;
    },
    /** Comes back to us, whatever our public address is. */
    async comeBack(location: string): Promise<CameBack> {
      const { pathname, search } = new URL(location);
      const response = await fetch(`${service.url}${pathname}${search}`, {
        redirect: 'manual',
        headers: { cookie: cookie(), ...from },
      });
      const setCookies = response.headers.getSetCookie();
      keep(setCookies);
      return {
        ...{ status: response.status, location: response.headers.get('location'), setCookies },
        text: await response.text(),
      };
    },
    async signOn(body: object): Promise<CameBack> {
      return browser.comeBack(await browser.atProvider(await browser.begin(body)));
    },
  };
  return browser;
}

/** A connection of an organization to a provider, made by whoever runs it, with domains that an operator has confirmed. */
export async function aConnection(
  {
    provider,
    owner,
    operator,
    organizationId,
    domains = [],
    authentication,
  }: {
    provider: IdentityProvider;
    owner: Browser;
    operator: Browser;
    organizationId: string;
    domains?: readonly string[];
    authentication?: NonNullable<ProviderClient['authentication']>;
  },
  more: object = {},
): Promise<{ id: string; redirectUri: string; clientId: string; path: string }> {
  const path = `/organizations/${organizationId}`;
  const clientId = `client-${organizationId.slice(-8)}-${Math.random().toString(36).slice(2)}`;
  const secret = 'a secret: of the client+';
  const made = await owner.call('POST', `${path}/sign-on-connections`, {
    body: { name: 'Our IdP', issuer: provider.issuer, clientId, clientSecret: secret, ...more },
  });
  if (made.status !== 201) throw new Error(`It answered ${made.status}: ${JSON.stringify(made.body)}`);
  const { id, redirectUri } = made.body;
  provider.register({
    id: clientId,
    secret,
    redirectUris: [redirectUri],
    ...(authentication && { authentication }),
  });
  for (const domain of domains) {
    const claimed = await owner.call('POST', `${path}/sign-on-domains`, {
      body: { domain, connectionId: id },
    });
    const confirmed = await operator.call('POST', `${path}/sign-on-domains/${claimed.body.id}/confirm`);
    if (confirmed.status !== 200) throw new Error(`The domain was not confirmed: ${confirmed.status}.`);
  }
  return { id, redirectUri, clientId, path: `${path}/sign-on-connections/${id}` };
}
