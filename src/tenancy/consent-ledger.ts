import { newId } from '#domain/ids.ts';
import type { ConsentLedger } from '#gateways/journey.ts';
import type { Scopes } from './scopes.ts';

/** Who wants no messages: a ledger a tenant, whose latest entry for a sender and a recipient holds. */
export function createConsentLedger(scopes: Scopes): ConsentLedger {
  return {
    async isOptedOut(tenantId, senders, recipient) {
      const [row] = await scopes.call<{ is_opted_out_v1: boolean }>('swarmgate.is_opted_out_v1', [
        tenantId,
        senders,
        recipient,
      ]);
      if (!row) throw new TypeError('The database answered nothing.');
      return row.is_opted_out_v1;
    },
    async record({ tenantId, channelId }, { sender, recipient, state, source }) {
      const parameters = [tenantId, newId(), channelId, sender, recipient, state, source];
      await scopes.call('swarmgate.record_consent_v1', parameters);
    },
  };
}
