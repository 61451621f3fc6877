import { randomUUID } from 'node:crypto';
import { TOTP } from 'otpauth';
import { operateMembers } from '../../src/cli/members.ts';
import { operateUsers } from '../../src/cli/users.ts';
import type { Service } from './a-service.ts';
import { type ApiAnswer, type CallOptions, callerOf } from './an-api-caller.ts';

export const somePassword = 'seven lamps under the quay';

/** A browser that keeps the session's cookie, and says what our own pages say. */
export type Browser = ReturnType<typeof aBrowser>;

export function aBrowser(service: Pick<Service, 'url'>) {
  const call = callerOf(service);
  let cookie: string | undefined;
  return {
    get cookie() {
      return cookie;
    },
    async call(method: string, path: string, { headers, ...options }: CallOptions = {}): Promise<ApiAnswer> {
      const answer = await call(method, path, {
        ...options,
        headers: { 'x-csrf': '1', ...(cookie !== undefined && { cookie }), ...headers },
      });
      const set = answer.headers.getSetCookie().at(-1);
      if (set !== undefined) cookie = /=;|Expires=Thu, 01 Jan 1970/.test(set) ? undefined : set.split(';')[0];
      return answer;
    },
  };
}

/** Somebody with a password, and what they are in a tenant. */
export async function aPerson(
  { app }: Pick<Service, 'app'>,
  { email, tenant, role }: { email: string; tenant?: string; role?: 'owner' | 'admin' | 'member' | 'viewer' },
): Promise<void> {
  await operateUsers(app.storage, {
    act: 'create',
    email,
    name: '',
    isOperator: false,
    password: somePassword,
  });
  if (tenant !== undefined)
    await operateMembers(app.storage, { act: 'add', tenant, email, role: role ?? 'viewer' });
}

/** The same, signed in; from an address of their own where many do so. */
export async function aPersonSignedIn(
  service: Service,
  who: Parameters<typeof aPerson>[1],
  address?: string,
): Promise<Browser> {
  await aPerson(service, who);
  const browser = aBrowser(service);
  const answer = await browser.call('POST', '/sign-in', {
    body: { email: who.email, password: somePassword },
    ...(address !== undefined && { headers: { 'x-forwarded-for': address } }),
  });
  if (answer.status !== 200) throw new Error(`The sign-in answered ${answer.status}.`);
  return browser;
}

/** Somebody who looks after the installation, and has shown their second factor. */
export async function anOperator(service: Service): Promise<Browser> {
  const email = `operator-${randomUUID()}@example.com`;
  const { storage } = service.app;
  await operateUsers(storage, { act: 'create', email, name: '', isOperator: true, password: somePassword });
  const browser = aBrowser(service);
  await browser.call('POST', '/sign-in', { body: { email, password: somePassword } });
  return showingSecondFactor(browser);
}

/** Somebody who runs a tenant, and has shown their second factor. */
export async function anOwner(
  service: Service,
  tenant: string,
  role: 'owner' | 'admin' = 'owner',
): Promise<Browser> {
  const email = `${role}-${randomUUID()}@example.com`;
  return showingSecondFactor(await aPersonSignedIn(service, { email, tenant, role }));
}

async function showingSecondFactor(browser: Browser): Promise<Browser> {
  const { body } = await browser.call('POST', '/me/second-factor');
  const code = new TOTP({ secret: body.secret }).generate();
  const confirmed = await browser.call('POST', '/me/second-factor/confirm', { body: { code } });
  if (confirmed.status !== 200) throw new Error(`Adding a second factor answered ${confirmed.status}.`);
  return browser;
}
