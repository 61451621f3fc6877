import { installationTrail } from '#audit/audit-trail.ts';
import { toWire, type Uuid } from '#domain/ids.ts';
import type { Unit } from '#tenancy/scopes.ts';
import { type Client, tracesOf } from '../client.ts';
import type { IdentityParts } from '../identity-parts.ts';
import { hashPassword } from '../passwords/hash-password.ts';
import { judgePassword, type PasswordFault } from '../passwords/judge-password.ts';
import { keepPassword } from '../passwords/keep-password.ts';
import { confirmAddress } from '../people/confirm-address.ts';
import { hashOfSecret, newSecret } from '../secret-token.ts';
import { type Account, readAccount } from './account.ts';
import { completeFirstFactor, type SignInOutcome } from './complete-first-factor.ts';
import { noteRefusal } from './note-refusal.ts';

/**
 * What a link is for: to be signed in by, or to choose a password with; or to be signed in by at the machine that the service
 * runs on, which is what it prints at its start.
 */
export type LinkPurpose = 'sign_in' | 'set_password' | 'this_machine';

const linkLifetimeMs: Readonly<Record<LinkPurpose, number>> = {
  sign_in: 15 * 60_000,
  set_password: 3 * 24 * 60 * 60_000,
  this_machine: 60 * 60_000,
};

/** Makes the secret of a link for somebody; those of the same kind that they had are good no more. */
export async function makeSignInLink(
  unit: Unit,
  userId: Uuid,
  purpose: LinkPurpose,
): Promise<{ token: string; expiresAt: Date }> {
  const { token, hash } = newSecret('link');
  await unit.sql(
    'UPDATE identity.sign_in_links SET used_at = now() WHERE user_id = $1 AND purpose = $2 AND used_at IS NULL',
    [userId, purpose],
  );
  const [row] = await unit.sql<{ expires_at: Date }>(
    `INSERT INTO identity.sign_in_links (token_hash, user_id, purpose, expires_at)
       VALUES ($1, $2, $3, now() + $4 * interval '1 millisecond') RETURNING expires_at`,
    [hash, userId, purpose, linkLifetimeMs[purpose]],
  );
  if (!row) throw new TypeError('The database answered nothing.');
  return { token, expiresAt: row.expires_at };
}

/** Signs in by a link, which confirms the address. The second factor is asked for as after a password. */
export function signInByLink(parts: IdentityParts, token: string, client: Client): Promise<SignInOutcome> {
  return byLink(parts, token, 'sign_in', client);
}

/**
 * Signs in whoever sits at the machine that the service runs on, by the link that it printed there; nobody else, and not where it
 * is for more than that machine.
 */
export async function signInAtThisMachine(
  parts: IdentityParts,
  token: string,
  client: Client,
): Promise<SignInOutcome> {
  if (parts.secondFactorOf === 'nobody' && client.isFromThisMachine)
    return byLink(parts, token, 'this_machine', client);
  await noteRefusal(parts, client, 'sign_in.refused', 'It does not come from this machine.');
  return { outcome: 'refused' };
}

async function byLink(
  parts: IdentityParts,
  token: string,
  purpose: LinkPurpose,
  client: Client,
): Promise<SignInOutcome> {
  const found = await findLink(parts, token, purpose);
  if (!found) {
    await noteRefusal(parts, client, 'sign_in.refused', 'The link is not good, or is good no more.');
    return { outcome: 'refused' };
  }
  const confirmed = await confirmedBy(parts, found.account.id, client);
  return completeFirstFactor(parts, found.account, { amr: 'link', client }, async (unit) => {
    if (!(await useUp(unit, found.hash))) return false;
    if (await confirmAddress(unit, found.account.id))
      await parts.audit.append(unit, installationTrail, confirmed);
    return true;
  });
}

export type SetPasswordOutcome =
  | { outcome: 'set' }
  | { outcome: 'not_good_enough'; fault: PasswordFault }
  /** The link is none, was used, or has expired. */
  | { outcome: 'refused' };

/**
 * Chooses a password by a link, which confirms the address. Every session of theirs ends; signing in is the next step, and
 * asks for what it asks.
 */
export async function setPasswordByLink(
  parts: IdentityParts,
  { token, password }: { token: string; password: string },
  client: Client,
): Promise<SetPasswordOutcome> {
  const { scopes, audit } = parts;
  const found = await findLink(parts, token, 'set_password');
  if (!found) {
    await noteRefusal(parts, client, 'password.refused', 'The link is not good, or is good no more.');
    return { outcome: 'refused' };
  }
  const fault = judgePassword(password, found.account);
  if (fault) return { outcome: 'not_good_enough', fault };
  const hash = await hashPassword(password);
  const event = await audit.prepare(installationTrail, {
    actor: { kind: 'user', id: found.account.id },
    action: 'password.set',
    resource: { kind: 'users', id: toWire('user', found.account.id) },
    outcome: 'allowed',
    detail: { by: 'link' },
    ...tracesOf(client),
  });
  const confirmed = await confirmedBy(parts, found.account.id, client);
  return scopes.inIdentity(async (unit) => {
    if (!(await useUp(unit, found.hash))) return { outcome: 'refused' };
    if (await confirmAddress(unit, found.account.id)) await audit.append(unit, installationTrail, confirmed);
    await keepPassword(unit, found.account.id, hash);
    await audit.append(unit, installationTrail, event);
    return { outcome: 'set' };
  });
}

function confirmedBy({ audit }: IdentityParts, userId: Uuid, client: Client) {
  return audit.prepare(installationTrail, {
    actor: { kind: 'user', id: userId },
    action: 'address.confirmed',
    resource: { kind: 'users', id: toWire('user', userId) },
    outcome: 'allowed',
    reason: 'They came by a link that an operator had made.',
    ...tracesOf(client),
  });
}

const goodLink = 'used_at IS NULL AND expires_at > now()';

async function findLink(
  { scopes }: IdentityParts,
  token: string,
  purpose: LinkPurpose,
): Promise<{ hash: Buffer; account: Account } | undefined> {
  const hash = hashOfSecret('link', token);
  if (!hash) return undefined;
  return scopes.inIdentity(async (unit) => {
    const [row] = await unit.sql<{ user_id: Uuid }>(
      `SELECT user_id FROM identity.sign_in_links WHERE token_hash = $1 AND purpose = $2 AND ${goodLink}`,
      [hash, purpose],
    );
    const account = row && (await readAccount(unit, { id: row.user_id }));
    return account?.isActive ? { hash, account } : undefined;
  });
}

// Of two that come with one link at once, the row's lock lets one have it.
async function useUp(unit: Unit, hash: Buffer): Promise<boolean> {
  const used = await unit.sql(
    `UPDATE identity.sign_in_links SET used_at = now() WHERE token_hash = $1 AND ${goodLink} RETURNING 1 AS used`,
    [hash],
  );
  return used.length > 0;
}
