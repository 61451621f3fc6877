import { timingSafeEqual } from 'node:crypto';
import { isUuid, type Uuid } from '#domain/ids.ts';
import { hashOfSecret, newSecret } from '../secret-token.ts';

/** What a token names. It is looked for in that tenant and nowhere else, so none can be found by its secret alone. */
export type InvitationToken = { tenantId: Uuid; id: Uuid; hash: Buffer };

export function newInvitationToken(tenantId: Uuid, id: Uuid): { token: string; hash: Buffer } {
  const { token, hash } = newSecret('invitation');
  return { token: `${token}.${plain(tenantId)}${plain(id)}`, hash };
}

export function readInvitationToken(text: string): InvitationToken | undefined {
  const [secret = '', names = '', ...more] = text.split('.', 3);
  const hash = hashOfSecret('invitation', secret);
  const [tenantId, id] = [dashed(names.slice(0, 32)), dashed(names.slice(32))];
  if (!hash || !isUuid(tenantId) || !isUuid(id) || more.length > 0) return undefined;
  return { tenantId, id, hash };
}

export function isSameHash(a: Buffer, b: Buffer): boolean {
  return a.length === b.length && timingSafeEqual(a, b);
}

const plain = (id: Uuid) => id.replaceAll('-', '');
const dashed = (hex: string) => hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
