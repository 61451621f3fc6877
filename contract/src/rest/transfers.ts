import { z } from 'zod';
import { applyChannel } from '../apply-file.ts';
import { channel } from './channels.ts';
import { timestamp } from './common.ts';
import { wireId } from './ids.ts';
import { operations } from './operation.ts';

/** What a channel has claimed goes to another tenant: by whoever has it, to whoever is told so. */

const transfer = z.strictObject({
  id: wireId('transferId'),
  channelId: wireId('channelId'),
  accounts: z.array(z.strictObject({ kind: z.string(), app: z.string(), key: z.string() })),
  toTenantId: wireId('tenantId').nullable().meta({ description: 'Null: whoever has the token.' }),
  status: z.enum(['offered', 'accepted', 'withdrawn', 'expired']),
  acceptedBy: wireId('tenantId').nullable(),
  createdAt: timestamp,
  expiresAt: timestamp,
});
export type Transfer = z.infer<typeof transfer>;

const hour = 3_600;
const tag = 'Channels';

export const transferOperations = operations({
  offerTransfer: {
    method: 'post',
    path: '/tenants/{tenantId}/channels/{channelId}/transfers',
    tag,
    summary: 'Offer what a channel has claimed to another tenant',
    description:
      'Answers a token, good once: bring it to whoever is to accept. An earlier offer of the channel is good no more.',
    needs: 'channels:admin',
    body: z.strictObject({
      toTenantId: wireId('tenantId').optional(),
      expiresInSeconds: z
        .int()
        .min(60)
        .max(30 * 24 * hour)
        .default(7 * 24 * hour),
    }),
    answer: {
      status: 201,
      body: z.strictObject({
        ...transfer.shape,
        token: z.string().meta({ description: 'It is shown this once.' }),
      }),
    },
  },
  listTransfers: {
    method: 'get',
    path: '/tenants/{tenantId}/transfers',
    tag,
    summary: 'List what was offered, the latest first',
    needs: 'channels:read',
    answer: { status: 200, body: z.strictObject({ items: z.array(transfer) }) },
  },
  withdrawTransfer: {
    method: 'delete',
    path: '/tenants/{tenantId}/transfers/{transferId}',
    tag,
    summary: 'Take an offer back, as long as nobody has accepted it',
    needs: 'channels:admin',
    answer: { status: 204 },
  },
  acceptTransfer: {
    method: 'post',
    path: '/tenants/{tenantId}/transfers/accept',
    tag,
    summary: 'Take what another tenant has offered, for a new channel',
    description:
      'In one commit the accounts leave one channel and are the other’s, which names them and brings credentials of its own. Conversations stay where they are. Both trails tell.',
    needs: 'channels:admin',
    body: z.strictObject({ token: z.string().min(1).max(300), channel: applyChannel }),
    answer: { status: 201, body: channel },
  },
});
