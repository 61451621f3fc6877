import { randomUUID } from 'node:crypto';
import type { OrganizationRole } from '@swarmgate/contract/rest/organization-permissions.ts';
import { TOTP } from 'otpauth';
import { toWire } from '#domain/ids.ts';
import { operateMembers } from '../../src/cli/members.ts';
import { operateOrganizationMembers } from '../../src/cli/organizations.ts';
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
  await addApp(browser);
  return browser;
}

/** Somebody who runs a tenant, and has shown their second factor. */
export async function anOwner(
  service: Service,
  tenant: string,
  role: 'owner' | 'admin' = 'owner',
): Promise<Browser> {
  const email = `${role}-${randomUUID()}@example.com`;
  const browser = await aPersonSignedIn(service, { email, tenant, role });
  await addApp(browser);
  return browser;
}

/** Adds an authenticator app, which the session has shown then. Answers a code of its next step, which is good once. */
export async function addApp(browser: Pick<Browser, 'call'>): Promise<string> {
  const { body } = await browser.call('POST', '/me/second-factor');
  const totp = new TOTP({ secret: body.secret });
  const code = totp.generate();
  const confirmed = await browser.call('POST', '/me/second-factor/confirm', { body: { code } });
  if (confirmed.status !== 200) throw new Error(`Adding a second factor answered ${confirmed.status}.`);
  return totp.generate({ timestamp: Date.now() + 30_000 });
}

/** Somebody who helps run an organization, and has shown their second factor. */
export async function anOrganizer(
  service: Service,
  {
    organization,
    role,
    email = `${role}-${randomUUID()}@example.com`,
  }: {
    organization: string;
    role: OrganizationRole;
    email?: string;
  },
  address?: string,
): Promise<Browser> {
  const browser = await aPersonSignedIn(service, { email }, address);
  await operateOrganizationMembers(service.app.storage, { organization, act: 'add', email, role });
  await addApp(browser);
  return browser;
}

/** An organization's id on the wire. */
export async function organizationIdOf({ app }: Pick<Service, 'app'>, slug: string): Promise<string> {
  const [row] = await app.storage.scopes.inPlatform((unit) =>
    unit.sql<{ id: string }>('SELECT id FROM directory.organizations WHERE slug = $1', [slug]),
  );
  if (!row) throw new Error(`There is no organization "${slug}".`);
  return toWire('organization', row.id);
}
