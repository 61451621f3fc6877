import { randomUUID } from 'node:crypto';
import { beforeAll, expect } from 'vitest';
import { anIdentityProvider, type IdentityProvider } from '../fakes/identity-provider.ts';
import { anOperator, anOrganizer, type Browser, organizationIdOf } from './a-browser.ts';
import { sharedService } from './a-service.ts';
import { aConnection, aSignOnBrowser, type SignOnBrowser } from './a-sign-on.ts';
import { tenantIdOf } from './an-api-caller.ts';

/**
 * A service for the tests of a file, with organizations whose owners connect providers: acme (`shop`, `warehouse`), globex
 * (`elsewhere`) and strict (`strict`).
 */
export function aSignOnStage() {
  // The provider is there before the service, whose operator opens its host.
  const hosts: string[] = [];
  /** The TXT records of names. */
  const records = new Map<string, string[]>();
  const service = sharedService({
    tenants: [
      { slug: 'shop' },
      { slug: 'warehouse' },
      { slug: 'elsewhere', organization: 'globex' },
      { slug: 'strict', organization: 'strict' },
    ],
    env: { TRUSTED_PROXIES: '127.0.0.1' },
    overrides: {
      allowedHosts: hosts,
      resolveTxt: async (name) => records.get(name) ?? [],
    },
  });
  let operator: Browser;
  const owners = new Map<string, Browser>();
  const organizationIds = new Map<string, string>();
  const tenantIds = new Map<string, string>();
  beforeAll(async () => {
    operator = await anOperator(service());
    for (const organization of ['acme', 'globex', 'strict']) {
      owners.set(organization, await anOrganizer(service(), { organization, role: 'owner' }));
      organizationIds.set(organization, await organizationIdOf(service(), organization));
    }
    for (const tenant of ['shop', 'elsewhere', 'strict'])
      tenantIds.set(tenant, await tenantIdOf(service(), tenant));
  });
  const known = <T>(map: ReadonlyMap<string, T>, name: string): T => {
    const found = map.get(name);
    if (found === undefined) throw new Error(`There is no "${name}" on the stage.`);
    return found;
  };
  const ownerOf = (organization: string) => known(owners, organization);
  const tenantOf = (slug: string) => known(tenantIds, slug);

  let strangers = 0;
  /** From a network of its own each time: strangers may ask so often a minute. */
  const aStranger = (): SignOnBrowser => {
    strangers += 1;
    return aSignOnBrowser(service(), `10.3.${strangers >> 8}.${strangers & 255}`);
  };

  async function aProvider(): Promise<IdentityProvider> {
    const provider = await anIdentityProvider();
    hosts.push(provider.host);
    return provider;
  }

  /** An organization's connection with a domain of its own; who comes for the first time joins its tenant, unless told otherwise. */
  async function signOnOf(organization: string, more: object = {}, provider?: IdentityProvider) {
    const idp = provider ?? (await aProvider());
    const domain = `d${randomUUID().slice(0, 8)}.example`;
    const tenant = { acme: 'shop', globex: 'elsewhere', strict: 'strict' }[organization] ?? '';
    const connection = await aConnection(
      {
        ...{ provider: idp, owner: ownerOf(organization), operator, domains: [domain] },
        organizationId: known(organizationIds, organization),
      },
      { joins: { role: 'member', tenantIds: [tenantOf(tenant)] }, ...more },
    );
    return { provider: idp, domain, ...connection, email: (name: string) => `${name}@${domain}` };
  }

  async function lastReason(): Promise<string> {
    const [event] = await service().app.storage.scopes.inIdentity((unit) =>
      unit.sql<{ reason: string }>(
        `SELECT reason FROM swarmgate.audit_events WHERE action = 'sign_in.refused' ORDER BY id DESC LIMIT 1`,
      ),
    );
    return event?.reason ?? '';
  }

  /** A browser comes back to a refusal, for a reason that the trail is told, and is signed in as nobody. */
  async function refusedFor(browser: SignOnBrowser, location: string, reason: RegExp): Promise<void> {
    const back = await browser.comeBack(location);
    expect(back).toMatchObject({ status: 403, location: null });
    expect(await lastReason()).toMatch(reason);
    expect([...browser.jar.keys()]).not.toContain('swarmgate-session');
  }

  return {
    ...{ service, records, ownerOf, tenantOf, aStranger, aProvider, signOnOf, lastReason, refusedFor },
    operator: () => operator,
    organizationOf: (slug: string) => known(organizationIds, slug),
  };
}
