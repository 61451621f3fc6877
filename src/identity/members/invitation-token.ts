import { timingSafeEqual } from 'node:crypto';
import { isUuid, type Uuid } from '#domain/ids.ts';
import { hashOfSecret, newSecret } from '../secret-token.ts';

/** What somebody is invited to. */
export type InvitedTo = { tenantId: Uuid } | { organizationId: Uuid };

/** What a token names. It is looked for there and nowhere else, so none can be found by its secret alone. */
export type InvitationToken = { to: InvitedTo; id: Uuid; hash: Buffer };

/** Before the names of an organization's; those of a tenant's have nothing there. */
const ofOrganization = 'o';

export function newInvitationToken(to: InvitedTo, id: Uuid): { token: string; hash: Buffer } {
  const { token, hash } = newSecret('invitation');
  const place = 'tenantId' in to ? plain(to.tenantId) : `${ofOrganization}${plain(to.organizationId)}`;
  return { token: `${token}.${place}${plain(id)}`, hash };
}

export function readInvitationToken(text: string): InvitationToken | undefined {
  const [secret = '', names = '', ...more] = text.split('.', 3);
  const isOrganizations = names.startsWith(ofOrganization);
  const ids = isOrganizations ? names.slice(ofOrganization.length) : names;
  const hash = hashOfSecret('invitation', secret);
  const [placeId, id] = [dashed(ids.slice(0, 32)), dashed(ids.slice(32))];
  if (!hash || !isUuid(placeId) || !isUuid(id) || more.length > 0) return undefined;
  return { to: isOrganizations ? { organizationId: placeId } : { tenantId: placeId }, id, hash };
}

export function isSameHash(a: Buffer, b: Buffer): boolean {
  return a.length === b.length && timingSafeEqual(a, b);
}

const plain = (id: Uuid) => id.replaceAll('-', '');
const dashed = (hex: string) => hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
