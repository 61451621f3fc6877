import type { Uuid } from '#domain/ids.ts';
import type { AnsweredMessage } from '#gateways/journey.ts';
import type { Scopes } from '#tenancy/scopes.ts';

/** The message that a turn answers: what was said, and what its gateway has noted about how to answer it. */
export function createFindAnswered(scopes: Scopes) {
  return (tenantId: Uuid, turnId: string): Promise<AnsweredMessage | undefined> =>
    scopes.inTenant(tenantId, async (unit) => {
      const [row] = await unit.sql<AnsweredMessage>(
        `SELECT m.text, m.content FROM swarmgate.turns t
           JOIN swarmgate.messages m ON m.tenant_id = t.tenant_id AND m.id = t.message_id WHERE t.id = $1`,
        [turnId],
      );
      return row;
    });
}
