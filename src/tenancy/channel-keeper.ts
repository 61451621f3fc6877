import type { AccountKey } from '@swarmgate/contract/channels/described-channel.ts';
import type { UnitPrisma } from '#connections/prisma/unit-client.ts';
import { AppError } from '#domain/errors.ts';
import { newId, type Uuid } from '#domain/ids.ts';
import type {
  ChannelDirectory,
  ChannelInstallation,
  ChannelKeeper,
  ChannelPlace,
} from '#gateways/journey.ts';
import type { KeyRing } from '#kernel/key-ring.ts';
import { ConflictError } from './scope-errors.ts';
import type { Scopes, Unit } from './scopes.ts';
import { channelSecretPlace } from './seal-places.ts';

/** Another channel has claimed the account. Whose it is is nobody's business. */
export class ChannelClaimedError extends AppError<'channel_claimed'> {
  override readonly name = 'ChannelClaimedError';

  constructor(cause: unknown) {
    super('channel_claimed', 'This account is connected already, by another channel.', { cause });
  }
}

/** Changes channels in the name of their gateways: pauses them, and keeps what an installation has brought. */
export function createChannelKeeper({
  scopes,
  keyRing,
  channels,
}: {
  scopes: Scopes;
  keyRing: KeyRing;
  /** Reads anew what was changed. */
  channels: Pick<ChannelDirectory, 'forget'>;
}): ChannelKeeper {
  return {
    async pause({ tenantId, id, version }, reason) {
      await scopes.call('swarmgate.pause_channel_v1', [tenantId, id, version, reason, newId()]);
      channels.forget(tenantId, id);
    },

    async resume({ tenantId, id, version }) {
      await scopes.inTenant(tenantId, async (unit) => {
        const resumed = await unit.sql(
          `UPDATE swarmgate.channels SET status = 'active', status_reason = NULL, version = version + 1, updated_at = now()
             WHERE id = $1 AND version = $2 AND status = 'paused' RETURNING id`,
          [id, version],
        );
        if (resumed.length > 0) await noteStatus(unit, id, 'channel.resumed');
      });
      channels.forget(tenantId, id);
    },

    async install(at, installation) {
      try {
        await scopes.inTenant(at.tenantId, (unit) => install(unit, keyRing, at, installation));
      } catch (error) {
        throw error instanceof ConflictError ? new ChannelClaimedError(error) : error;
      }
      channels.forget(at.tenantId, at.channelId);
    },
  };
}

/** Keeps that the channel of the unit's tenant goes on which was paused, or the other way round. */
export async function noteStatus(
  unit: Unit,
  channelId: Uuid,
  kind: 'channel.paused' | 'channel.resumed',
): Promise<void> {
  await unit.sql(
    `INSERT INTO swarmgate.events (tenant_id, id, kind, subject)
       VALUES (swarmgate.current_tenant(), $1, $2, jsonb_build_object('channelId', $3::text))`,
    [newId(), kind, channelId],
  );
}

async function install(
  unit: Unit,
  keyRing: KeyRing,
  { tenantId, channelId, platform }: ChannelPlace,
  { facts, secrets, claims, renews = false }: ChannelInstallation,
): Promise<void> {
  const isResumed = await unit.prisma(async (prisma) => {
    const where = { tenantId_id: { tenantId, id: channelId } };
    const channel = await prisma.channel.findUniqueOrThrow({ where });
    const settings = channel.settings as StoredSettings;
    const before = settings.installation?.claims ?? [];
    if (renews && !claims.every((claim) => isAmong(before, claim))) return false;
    const sealed = { ...(channel.sealed as Record<string, string>) };
    for (const [name, secret] of Object.entries(secrets))
      sealed[name] = keyRing.seal(secret, channelSecretPlace(tenantId, channelId, name));
    await prisma.channel.update({
      where,
      data: {
        sealed,
        settings: { ...settings, installation: { ...facts, claims } } as object,
        ...(!renews && { status: 'active', statusReason: null }),
        version: { increment: 1 },
        updatedAt: new Date(),
      },
    });
    const place = { tenantId, channelId, platform };
    const known = await claimsOf(prisma, place);
    const ofTheFile = known.filter((claim) => !isAmong(before, claim));
    await claimAccounts(prisma, place, [
      ...ofTheFile,
      ...claims.filter((claim) => !isAmong(ofTheFile, claim)),
    ]);
    return !renews && channel.status === 'paused';
  });
  if (isResumed) await noteStatus(unit, channelId, 'channel.resumed');
}

/** What channels of every platform may have among their settings: what an installation has brought. */
export type StoredSettings = { installation?: { claims?: readonly AccountKey[] } };

/** Claims accounts for a channel, and lets go of those that it claimed before and that are not among them. */
export async function claimAccounts(
  prisma: UnitPrisma,
  place: { tenantId: Uuid; channelId: Uuid; platform: string },
  claims: readonly AccountKey[],
): Promise<void> {
  const known = await claimsOf(prisma, place);
  const { cell } = await prisma.thisCell.findFirstOrThrow();
  for (const claim of known.filter((claim) => !isAmong(claims, claim)))
    await prisma.externalKey.deleteMany({ where: { ...place, ...claim } });
  for (const claim of claims.filter((claim) => !isAmong(known, claim)))
    await prisma.externalKey.create({ data: { ...place, ...claim, cell } });
}

/** What a channel has claimed, its key aside. */
export async function claimsOf(
  prisma: UnitPrisma,
  place: { tenantId: Uuid; channelId: Uuid; platform: string },
): Promise<AccountKey[]> {
  const rows = await prisma.externalKey.findMany({ where: { ...place, kind: { not: 'channel_key' } } });
  return rows.map(({ kind, app, key }) => ({ kind, app, key }));
}

export function isAmong(claims: readonly AccountKey[], { kind, app, key }: AccountKey): boolean {
  return claims.some((claim) => claim.kind === kind && claim.app === app && claim.key === key);
}
