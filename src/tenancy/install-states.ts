import type { Uuid } from '#domain/ids.ts';
import type { InstallStates } from '#gateways/journey.ts';
import type { Scopes } from './scopes.ts';

/** Installations that somebody has begun at a platform, kept so that each can end once. */
export function createInstallStates(scopes: Scopes): InstallStates {
  return {
    async begin({ tenantId, channelId, stateHash, ttlMs }) {
      await scopes.call('swarmgate.begin_install_v1', [tenantId, channelId, stateHash, ttlMs]);
    },
    async use({ tenantId, stateHash }) {
      const [row] = await scopes.call<{ use_install_v1: Uuid | null }>('swarmgate.use_install_v1', [
        tenantId,
        stateHash,
      ]);
      return row?.use_install_v1 ?? undefined;
    },
  };
}
