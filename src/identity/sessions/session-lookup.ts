import type { Uuid } from '#domain/ids.ts';
import { createExpiringCache } from '#kernel/expiring-cache.ts';
import type { Scopes } from '#tenancy/scopes.ts';
import { hashOfSecret } from '../secret-token.ts';
import { sessionIdleMs } from './session-limits.ts';
import type { FoundSession } from './web-session.ts';

export interface SessionLookup {
  /** The session of a cookie's token. */
  byToken(token: string): Promise<FoundSession | undefined>;
  /** The session that an access token goes back to, as long as its family lives. */
  byId(sessionId: Uuid, familyId: Uuid | undefined): Promise<FoundSession | undefined>;
  /** A session as it is now. */
  latest(sessionId: Uuid): Promise<FoundSession | undefined>;
}

/** How late a session's end may be noticed. */
const validMsDefault = 1_000;
const knownMax = 10_000;

/** Finds sessions that are good; what was found is believed for a second, so that a page's twenty requests ask once. */
export function createSessionLookup(scopes: Pick<Scopes, 'call'>, validMs = validMsDefault): SessionLookup {
  const known = createExpiringCache<FoundSession | undefined>(validMs, knownMax);

  const read = async (sessionId: Uuid, familyId: Uuid | undefined) => {
    const [row] = await scopes.call<{ find_token_session_v1: FoundSession | null }>(
      'identity.find_token_session_v1',
      [sessionId, familyId ?? null],
    );
    return row?.find_token_session_v1 ?? undefined;
  };

  return {
    latest: (sessionId) => read(sessionId, undefined),
    async byToken(token) {
      const hash = hashOfSecret('session', token);
      if (!hash) return undefined;
      return known(`t:${hash.toString('base64url')}`, async () => {
        const [row] = await scopes.call<{ find_session_v1: FoundSession | null }>(
          'identity.find_session_v1',
          [hash, sessionIdleMs],
        );
        return row?.find_session_v1 ?? undefined;
      });
    },
    byId: (sessionId, familyId) => known(`i:${sessionId}:${familyId ?? ''}`, () => read(sessionId, familyId)),
  };
}
