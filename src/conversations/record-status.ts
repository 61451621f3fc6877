import type { RecordStatus } from '#gateways/journey.ts';
import type { Scopes } from '#tenancy/scopes.ts';
import { storableText } from './storable.ts';

/** Keeps what platforms say became of messages: sent → delivered → read, or failed with the platform's code. */
export function createRecordStatus(scopes: Scopes): RecordStatus {
  return async (at, { externalId, delivery, state, errorCode, segments }) => {
    const [row] = await scopes.call<{ record_status_v1: 'recorded' | 'unchanged' | 'unknown' }>(
      'swarmgate.record_status_v1',
      [
        at.tenantId,
        at.channelId,
        delivery?.id ?? null,
        delivery?.part ?? null,
        storableText(externalId),
        state,
        errorCode === undefined ? null : storableText(errorCode),
        segments ?? null,
      ],
    );
    return row?.record_status_v1 ?? 'unknown';
  };
}
