import { createHash, randomBytes } from 'node:crypto';
import type { ApplyChannel } from '@swarmgate/contract/apply-file.ts';
import { describeChannel } from '@swarmgate/contract/channels/catalog.ts';
import type { AccountKey } from '@swarmgate/contract/channels/described-channel.ts';
import { AppError } from '#domain/errors.ts';
import { isUuid, newId, toWire, type Uuid } from '#domain/ids.ts';
import type { ChannelParts } from './apply/apply-channels.ts';
import { claimsOf } from './channel-keeper.ts';
import { createChannel, type HeldChannel } from './channel-life.ts';
import type { Unit } from './scopes.ts';

/** What a channel has claimed goes to another tenant: one offers it, the other accepts. History stays where it is. */

export type TransferRow = {
  id: Uuid;
  channel_id: Uuid;
  claims: AccountKey[];
  for_tenant: Uuid | null;
  created_at: Date;
  expires_at: Date;
  accepted_at: Date | null;
  accepted_by: Uuid | null;
  withdrawn_at: Date | null;
};

/** Why an offer was not accepted: all but the last are the same to whoever asks. */
export type TransferRefusal = 'unknown' | 'ended' | 'not_for_you' | 'other_account';

/** Nothing was handed over. `from`: who had offered it, where the token was one of theirs. */
export class TransferRefusedError extends AppError<'transfer_refused'> {
  override readonly name = 'TransferRefusedError';
  readonly refusal: TransferRefusal;
  readonly from: { tenantId: Uuid; channelId: Uuid } | undefined;

  constructor(refusal: TransferRefusal, from: TransferRefusedError['from']) {
    super(
      'transfer_refused',
      refusal === 'other_account'
        ? 'The channel names another account than was offered; name the workspace, server, number or Entra tenant, and the app, that the offer is for.'
        : 'There is no such offer, it is good no more, or it is for somebody else. Ask for another one.',
    );
    this.refusal = refusal;
    this.from = from;
  }
}

const columns =
  'id, channel_id, claims, for_tenant, created_at, expires_at, accepted_at, accepted_by, withdrawn_at';
const isOpen = 'accepted_at IS NULL AND withdrawn_at IS NULL';
const listedMax = 200;

/** Offers what a channel has claimed. `undefined`: it has claimed nothing. An earlier offer of it is good no more. */
export async function offerTransfer(
  unit: Unit,
  tenantId: Uuid,
  { row }: HeldChannel,
  { forTenant, lifetimeMs }: { forTenant: Uuid | undefined; lifetimeMs: number },
): Promise<{ offer: TransferRow; token: string } | undefined> {
  const channelId = row.id as Uuid;
  const place = { tenantId, channelId, platform: row.platform };
  const claims = await unit.prisma((prisma) => claimsOf(prisma, place));
  if (claims.length === 0) return undefined;
  await unit.sql(
    `UPDATE swarmgate.claim_offers SET withdrawn_at = now() WHERE channel_id = $1 AND ${isOpen}`,
    [channelId],
  );
  const id = newId();
  const { token, hash } = newTransferToken(tenantId, id);
  const [offer] = await unit.sql<TransferRow>(
    `INSERT INTO swarmgate.claim_offers (tenant_id, id, channel_id, claims, for_tenant, secret_hash, expires_at)
       VALUES ($1, $2, $3, $4, $5, $6, clock_timestamp() + $7 * interval '1 millisecond') RETURNING ${columns}`,
    [tenantId, id, channelId, JSON.stringify(claims), forTenant ?? null, hash, lifetimeMs],
  );
  if (!offer) throw new TypeError('The database answered nothing.');
  return { offer, token };
}

export function listTransfers(unit: Unit): Promise<TransferRow[]> {
  return unit.sql<TransferRow>(
    `SELECT ${columns} FROM swarmgate.claim_offers ORDER BY tenant_id DESC, id DESC LIMIT ${listedMax}`,
  );
}

/** `gone`: there is no such offer; `ended`: it was accepted, or taken back, before. */
export async function withdrawTransfer(unit: Unit, id: Uuid): Promise<'withdrawn' | 'ended' | 'gone'> {
  const withdrawn = await unit.sql(
    `UPDATE swarmgate.claim_offers SET withdrawn_at = now() WHERE id = $1 AND ${isOpen} RETURNING id`,
    [id],
  );
  if (withdrawn.length > 0) return 'withdrawn';
  const known = await unit.sql('SELECT 1 FROM swarmgate.claim_offers WHERE id = $1', [id]);
  return known.length > 0 ? 'ended' : 'gone';
}

/**
 * Takes what was offered, in a unit of the tenant that accepts, for a channel that names it. The trail of whoever offered is
 * told in the same commit. Whoever gets an error undoes the unit.
 * @throws {TransferRefusedError} {@link ApplyRefusedError}
 */
export async function acceptTransfer(
  parts: ChannelParts,
  unit: Unit,
  tenantId: Uuid,
  { token, channel }: { token: string; channel: ApplyChannel },
): Promise<{ channelId: Uuid; from: Uuid; claims: readonly AccountKey[] }> {
  const read = readTransferToken(token);
  if (!read) throw new TransferRefusedError('unknown', undefined);
  const event = {
    ...{ id: newId(), action: 'claim.handed_over', resourceKind: 'channels', resourceId: null },
    reason: 'Another tenant has accepted what this one had offered.',
    detail: { transferId: toWire('transfer', read.id), to: toWire('tenant', tenantId) },
  };
  const [row] = await unit.sql<{ taken: Taken }>(
    'SELECT swarmgate.take_claims($1, $2, $3, $4, $5, $6) AS taken',
    [
      ...[read.tenantId, read.id, read.hash, channel.platform],
      ...[JSON.stringify(describeChannel(channel).claims), JSON.stringify(event)],
    ],
  );
  const { outcome, channelId: fromChannel, claims } = row?.taken ?? { outcome: 'unknown' as const };
  if (outcome !== 'done' || !claims)
    throw new TransferRefusedError(
      outcome === 'done' ? 'unknown' : outcome,
      fromChannel ? { tenantId: read.tenantId, channelId: fromChannel } : undefined,
    );
  const channelId = await createChannel(parts, unit, tenantId, channel, { provedClaims: claims });
  return { channelId, from: read.tenantId, claims };
}

type Taken = { outcome: 'done' | TransferRefusal; channelId?: Uuid | null; claims?: AccountKey[] | null };

const secretForm = /^sgt_[A-Za-z0-9_-]{43}$/;

/** `sgt_<256 random bits>.<tenant><offer>`: it is looked for in that tenant and nowhere else. */
function newTransferToken(tenantId: Uuid, id: Uuid): { token: string; hash: Buffer } {
  const secret = `sgt_${randomBytes(32).toString('base64url')}`;
  return { token: `${secret}.${plain(tenantId)}${plain(id)}`, hash: hashOf(secret) };
}

function readTransferToken(text: string): { tenantId: Uuid; id: Uuid; hash: Buffer } | undefined {
  const [secret = '', names = '', ...more] = text.split('.', 3);
  const [tenantId, id] = [dashed(names.slice(0, 32)), dashed(names.slice(32))];
  if (!secretForm.test(secret) || !isUuid(tenantId) || !isUuid(id) || more.length > 0) return undefined;
  return { tenantId, id, hash: hashOf(secret) };
}

const hashOf = (secret: string) => createHash('sha256').update(secret).digest();
const plain = (id: Uuid) => id.replaceAll('-', '');
const dashed = (hex: string) => hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
