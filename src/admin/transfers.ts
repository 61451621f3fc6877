import type { Transfer, transferOperations } from '@swarmgate/contract/rest/transfers.ts';
import type { AuditTrail } from '#audit/audit-trail.ts';
import { fromWire, toWire } from '#domain/ids.ts';
import { holdChannel } from '#tenancy/channel-life.ts';
import {
  acceptTransfer,
  listTransfers,
  offerTransfer,
  TransferRefusedError,
  type TransferRow,
  withdrawTransfer,
} from '#tenancy/claim-transfer.ts';
import { explainKeeping } from './channel-refusals.ts';
import { type ChannelHandlerParts, readChannel } from './channels.ts';
import type { HandlersOf } from './handler.ts';
import { conflict, notFound } from './refusals.ts';

export function transferHandlers({
  keyRing,
  sharedApps,
  trail,
  countClaim,
  forgetChannel,
}: ChannelHandlerParts & { trail: AuditTrail }): HandlersOf<typeof transferOperations> {
  return {
    offerTransfer: {
      async inTenant({ tenantId, ids, body: { toTenantId, expiresInSeconds } }, unit) {
        const held = await holdChannel(unit, tenantId, ids.channelId);
        if (!held) throw notFound();
        const forTenant = toTenantId === undefined ? undefined : fromWire('tenant', toTenantId);
        const lifetimeMs = expiresInSeconds * 1_000;
        const offered = await offerTransfer(unit, tenantId, held, { forTenant, lifetimeMs });
        if (!offered) throw conflict('nothing_claimed', 'The channel has claimed no account to hand over.');
        const { offer, token } = offered;
        return {
          body: { ...show(offer), token },
          detail: { transferId: toWire('transfer', offer.id), accounts: offer.claims, toTenantId },
        };
      },
    },
    listTransfers: {
      async inTenant(_asked, unit) {
        return { body: { items: (await listTransfers(unit)).map(show) } };
      },
    },
    withdrawTransfer: {
      async inTenant({ ids }, unit) {
        const outcome = await withdrawTransfer(unit, ids.transferId);
        if (outcome === 'gone') throw notFound();
        if (outcome === 'ended')
          throw conflict('transfer_ended', 'The offer was accepted, or taken back, before.');
        return { body: undefined };
      },
    },
    acceptTransfer: {
      before: ({ tenantId }) => countClaim(tenantId),
      async inTenant({ tenantId, body }, unit) {
        const taken = await acceptTransfer({ keyRing, sharedApps }, unit, tenantId, body);
        const { body: shown } = await readChannel(unit, taken.channelId);
        return {
          body: shown,
          resourceId: toWire('channel', taken.channelId),
          detail: { accounts: taken.claims, from: toWire('tenant', taken.from) },
          afterwards: () => forgetChannel(tenantId, taken.channelId),
        };
      },
      async explain(_asked, error) {
        if (!(error instanceof TransferRefusedError)) return explainKeeping(error);
        // Whoever has the token and may not use it is worth knowing of.
        if (error.from)
          await trail.note(error.from.tenantId, {
            actor: { kind: 'nobody' },
            action: 'transfer.refused',
            resource: { kind: 'channels', id: toWire('channel', error.from.channelId) },
            outcome: 'refused',
            reason: `Somebody came with the token of an offer: ${spoken[error.refusal]}.`,
          });
        return conflict(error.code, error.message);
      },
    },
  };
}

const spoken = {
  unknown: 'there is none',
  ended: 'it was good no more',
  not_for_you: 'it was for another tenant',
  other_account: 'they named another account',
};

function show(row: TransferRow): Transfer {
  const { id, channel_id, claims, for_tenant, accepted_by, created_at, expires_at } = row;
  const isExpired = expires_at.getTime() <= Date.now();
  return {
    ...{ id: toWire('transfer', id), channelId: toWire('channel', channel_id), accounts: claims },
    toTenantId: for_tenant && toWire('tenant', for_tenant),
    status: row.accepted_at ? 'accepted' : row.withdrawn_at ? 'withdrawn' : isExpired ? 'expired' : 'offered',
    acceptedBy: accepted_by && toWire('tenant', accepted_by),
    createdAt: created_at.toISOString(),
    expiresAt: expires_at.toISOString(),
  };
}
