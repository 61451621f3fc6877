import { installationTrail } from '#audit/audit-trail.ts';
import { createAuditTrail } from '#audit/create-audit-trail.ts';
import { toWire, type Uuid } from '#domain/ids.ts';
import { findUser } from '#identity/people/users.ts';
import { endAllSessions } from '#identity/sessions/end-all-sessions.ts';
import { endSessions } from '#identity/sessions/own-sessions.ts';
import type { Unit } from '#tenancy/scopes.ts';
import type { Storage } from '../storage.ts';

/** Ends the sessions of somebody, or of everybody, and tells the installation's trail. Answers whose they were. */
export async function signOutUsers(
  { scopes, keyRing }: Pick<Storage, 'scopes' | 'keyRing'>,
  email: string | undefined,
): Promise<{ id: string; email: string }[]> {
  const trail = createAuditTrail({ scopes, keyRing });
  const event = await trail.prepare(installationTrail, {
    actor: { kind: 'operator' },
    action: 'session.revoked',
    resource: { kind: 'users' },
    outcome: 'allowed',
    reason: 'By an operator, at the command line.',
  });
  return scopes.inIdentity(async (unit) => {
    const ended = email === undefined ? await endAllSessions(unit) : await endTheirs(unit, email);
    const users = ended.map((user) => ({ id: toWire('user', user.id), email: user.email }));
    const of = email === undefined ? {} : { id: users[0]?.id ?? '' };
    await trail.append(unit, installationTrail, {
      ...event,
      resource: { kind: 'users', ...of },
      detail: { people: users.length },
    });
    return users;
  });
}

async function endTheirs(unit: Unit, email: string): Promise<{ id: Uuid; email: string }[]> {
  const user = await findUser(unit, email);
  await endSessions(unit, user.id, {});
  return [user];
}
