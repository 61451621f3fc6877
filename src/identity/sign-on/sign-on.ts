import type { Uuid } from '#domain/ids.ts';
import type { ResolveTxt } from '#kernel/resolve-txt.ts';
import type { Client } from '../client.ts';
import type { IdentityParts } from '../identity-parts.ts';
import type { Outside } from '../issuers/outside.ts';
import type { RemoteKeys } from '../issuers/remote-keys.ts';
import type { SessionCookie } from '../sessions/session-cookie.ts';
import { beginSignOn } from './begin-sign-on.ts';
import {
  createConnection,
  deleteConnection,
  findConnection,
  listConnections,
  type SignOnChanger,
  unlinkIdentity,
  updateConnection,
} from './connections.ts';
import { assignDomain, claimDomain, confirmDomain, listDomains, releaseDomain } from './domains.ts';
import { finishSignOn } from './finish-sign-on.ts';
import { proveDomain } from './prove-domain.ts';
import { createProviders } from './provider.ts';
import { attemptLifetimeMs, redirectUriOf } from './sign-on-parts.ts';

export type { SignOnChange, SignOnChoice, SignOnConnection } from './connections.ts';
export { type DomainChange, normaliseDomain, type SignOnDomain } from './domains.ts';
export { recordNameOf } from './prove-domain.ts';

/** Single sign-on of organizations, as the front door of people has it. */
export function createSignOn({
  parts: given,
  outside,
  keys,
  publicUrl,
  resolveTxt,
}: {
  parts: IdentityParts;
  outside: Outside;
  keys: RemoteKeys;
  publicUrl: string;
  resolveTxt: ResolveTxt;
}) {
  const providers = createProviders({ outside, keys, nowMs: given.nowMs });
  const parts = { ...given, providers, publicUrl };

  return {
    /** What a browser keeps while its person is at a provider. */
    cookie: signOnCookie(publicUrl.startsWith('https:')),
    redirectUriOf: (connectionId: Uuid) => redirectUriOf(publicUrl, connectionId),
    begin: (wish: Parameters<typeof beginSignOn>[1]) => beginSignOn(parts, wish),
    finish: (given: Parameters<typeof finishSignOn>[1], client: Client) => finishSignOn(parts, given, client),

    listConnections,
    findConnection,
    createConnection: (wish: Parameters<typeof createConnection>[1], by: SignOnChanger) =>
      createConnection(parts, wish, by),
    updateConnection: (wish: Parameters<typeof updateConnection>[1], by: SignOnChanger) =>
      updateConnection(parts, wish, by),
    deleteConnection: (wish: Parameters<typeof deleteConnection>[1], by: SignOnChanger) =>
      deleteConnection(parts, wish, by),
    unlinkIdentity: (wish: Parameters<typeof unlinkIdentity>[1], by: SignOnChanger) =>
      unlinkIdentity(parts, wish, by),

    listDomains,
    claimDomain: (wish: Parameters<typeof claimDomain>[1], by: SignOnChanger) => claimDomain(parts, wish, by),
    assignDomain: (wish: Parameters<typeof assignDomain>[1], by: SignOnChanger) =>
      assignDomain(parts, wish, by),
    releaseDomain: (wish: Parameters<typeof releaseDomain>[1], by: SignOnChanger) =>
      releaseDomain(parts, wish, by),
    confirmDomain: (wish: Parameters<typeof confirmDomain>[1], by: SignOnChanger) =>
      confirmDomain(parts, wish, by),
    proveDomain: (wish: Parameters<typeof proveDomain>[2], by: SignOnChanger) =>
      proveDomain(parts, resolveTxt, wish, by),
  };
}

/** As a session's cookie; it comes along when the provider sends the browser back, and no subdomain can plant it. */
function signOnCookie(isHttps: boolean): SessionCookie {
  return {
    name: isHttps ? '__Host-swarmgate-sign-on' : 'swarmgate-sign-on',
    attributes: { httpOnly: true, secure: isHttps, sameSite: 'lax', path: '/', maxAgeMs: attemptLifetimeMs },
  };
}
