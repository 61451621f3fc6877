import type { Uuid } from '#domain/ids.ts';
import type { Unit } from '#tenancy/scopes.ts';

/** Ends every session of everybody. Answers whose they were. */
export async function endAllSessions(unit: Unit): Promise<{ id: Uuid; email: string }[]> {
  return unit.sql(
    `WITH ended AS (UPDATE identity.web_sessions SET revoked_at = now() WHERE revoked_at IS NULL RETURNING user_id)
       SELECT u.id, u.email FROM identity.users u WHERE u.id IN (SELECT user_id FROM ended) ORDER BY u.email`,
  );
}
