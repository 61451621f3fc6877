import type { Platform } from '#gateways/gateway.ts';
import type { DirectCandidates } from '#gateways/journey.ts';
import type { Scopes } from './scopes.ts';

/** Which accounts (of a kind, such as `guild`) the people who write to the apps of a platform may be in. */
export function createDirectCandidates(
  scopes: Scopes,
  { platform, kind }: { platform: Platform; kind: string },
): DirectCandidates {
  return {
    async list(app, { person, tenantId, namePart, limit }) {
      const rows = await scopes.call<{ account: string; name: string | null }>(
        'directory.direct_candidates_v1',
        [platform, kind, app, person, tenantId ?? null, namePart ?? null, limit],
      );
      return rows.map(({ account, name }) => ({ account, name: name ?? undefined }));
    },
    async noteSeen(app, person, account) {
      await scopes.call('directory.note_sighting_v1', [platform, kind, app, person, account]);
    },
    async noteName(app, account, name) {
      await scopes.call('directory.note_account_name_v1', [platform, app, account, name]);
    },
  };
}
