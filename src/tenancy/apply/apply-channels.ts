import { randomBytes } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { channelKeyPrefix, describeChannel } from '@swarmgate/contract/channels/catalog.ts';
import {
  type AccountKey,
  type DescribedChannel,
  installedSecretPrefix,
} from '@swarmgate/contract/channels/described-channel.ts';
import type { UnitPrisma } from '#connections/prisma/unit-client.ts';
import { newId, type Uuid } from '#domain/ids.ts';
import type { KeyRing } from '#kernel/key-ring.ts';
import { claimAccounts, noteStatus, type StoredSettings } from '../channel-keeper.ts';
import { ConflictError } from '../scope-errors.ts';
import type { Unit } from '../scopes.ts';
import { channelSecretPlace } from '../seal-places.ts';
import type { PlannedChannel, Report } from './apply-plan.ts';
import { ApplyRefusedError } from './apply-refused-error.ts';
import { resealChanged } from './sealed-secrets.ts';

/** Ids of the environment's apps, by platform. */
export type SharedApps = { discord?: string | undefined };

/** A channel as it is stored. */
export type StoredChannel = Awaited<ReturnType<UnitPrisma['channel']['findMany']>>[number];

export type ChannelParts = { keyRing: KeyRing; sharedApps?: SharedApps };

/** Makes a tenant's channels what the plan says, and claims their keys and accounts in the directory. */
export async function applyChannels(
  parts: ChannelParts,
  unit: Unit,
  tenantId: Uuid,
  path: string,
  planned: readonly PlannedChannel[],
  report: Report,
): Promise<void> {
  const rows = await unit.prisma((prisma) => prisma.channel.findMany({ where: { removedAt: null } }));
  const known = new Map(rows.map((channel) => [channel.slug, channel]));
  for (const channel of planned) {
    const { action, key } = await keepChannel(
      parts,
      unit,
      { tenantId, path },
      channel,
      known.get(channel.slug),
    );
    known.delete(channel.slug);
    report({ action, kind: 'channel', path: `${path}/${channel.slug}`, key });
  }
  for (const { slug, key } of known.values())
    report({ action: 'kept', kind: 'channel', path: `${path}/${slug}`, key });
}

/**
 * Makes one channel what is wanted, `old` being what there is of it, and claims its key and its accounts. The one way by
 * which channels are made and changed. `path` names the tenant, for who is told why something is refused.
 * @throws {ApplyRefusedError}
 */
export async function keepChannel(
  { keyRing, sharedApps = {} }: ChannelParts,
  unit: Unit,
  { tenantId, path }: { tenantId: Uuid; path?: string },
  channel: PlannedChannel,
  old: StoredChannel | undefined,
): Promise<{ id: Uuid; key: string; action: 'created' | 'updated' | 'unchanged' }> {
  const { slug, platform } = channel;
  const names = { path, channelPath: within(path, slug) };
  refuseSharedApp(channel, sharedApps, names.channelPath);
  if (old && old.platform !== platform) {
    throw new ApplyRefusedError(
      'platform_fixed',
      `The channel "${names.channelPath}" is on ${old.platform}; give the one on ${platform} another slug.`,
    );
  }
  const id = (old?.id ?? newId()) as Uuid;
  const key =
    channel.key ?? old?.key ?? `${channelKeyPrefix[platform]}${randomBytes(15).toString('base64url')}`;
  const agentId = await findAgent(unit, channel.agent, names.channelPath);
  const oldSealed = (old?.sealed ?? {}) as Record<string, string>;
  const { settings, secrets, claims, installed } = withInstallation(
    describeChannel(channel),
    (old?.settings ?? {}) as StoredSettings,
    oldSealed,
  );
  const { sealed, same: sameSecrets } = resealChanged(
    keyRing,
    secrets,
    Object.fromEntries(Object.entries(oldSealed).filter(([name]) => !(name in installed))),
    (name) => channelSecretPlace(tenantId, id, name),
  );
  const wanted = { slug, key, agentId, settings };
  const same =
    old !== undefined &&
    old.givenUpAt === null &&
    sameSecrets &&
    isDeepStrictEqual(wanted, {
      slug: old.slug,
      key: old.key,
      agentId: old.agentId,
      settings: old.settings,
    });
  if (!same) {
    // What was changed may be what had it paused.
    const data = {
      ...wanted,
      settings: settings as object,
      sealed: { ...installed, ...sealed },
      status: 'active',
      statusReason: null,
      givenUpAt: null,
    };
    await unit.prisma((prisma) =>
      old
        ? prisma.channel.update({
            where: { tenantId_id: { tenantId, id } },
            data: { ...data, version: { increment: 1 }, updatedAt: new Date() },
          })
        : prisma.channel.create({ data: { tenantId, id, platform, ...data } }),
    );
    if (old?.status === 'paused') await noteStatus(unit, id as Uuid, 'channel.resumed');
  }
  const place = { tenantId, channelId: id, platform };
  if (old?.key !== key) await claimKey(unit, { ...place, key });
  await refuseOwnDouble(unit, place, claims, names);
  await claim(unit, place, claims, names.channelPath);
  return { id, key, action: old ? (same ? 'unchanged' : 'updated') : 'created' };
}

function within(path: string | undefined, slug: string): string {
  return path === undefined ? slug : `${path}/${slug}`;
}

async function findAgent(unit: Unit, slug: string | undefined, channelPath: string): Promise<string | null> {
  if (slug === undefined) return null;
  const agent = await unit.prisma((prisma) =>
    prisma.agent.findFirst({ where: { slug }, select: { id: true } }),
  );
  if (!agent)
    throw new ApplyRefusedError(
      'unknown_agent',
      `The channel "${channelPath}" names the agent "${slug}", which the tenant does not have.`,
    );
  return agent.id;
}

// Whoever could give the shared app as an own one would share its limits, its caches and its socket.
function refuseSharedApp(channel: PlannedChannel, { discord }: SharedApps, channelPath: string): void {
  if (channel.platform !== 'discord' || discord === undefined || channel.applicationId !== discord) return;
  throw new ApplyRefusedError(
    'shared_app',
    `The channel "${channelPath}" gives the applicationId ${discord}, which is the shared Discord app of this installation (DISCORD_APPLICATION_ID). To use the shared app, leave applicationId, publicKey, botToken and clientSecret out; for a bot of your own, make an application at https://discord.com/developers/applications and give its id.`,
  );
}

type WithInstallation = DescribedChannel & {
  /** Sealed secrets that stay as they are. */
  installed: Record<string, string>;
};

// What a person has installed is not in the file and stays, unless the file now names another account.
function withInstallation(
  described: DescribedChannel,
  { installation }: StoredSettings,
  sealed: Readonly<Record<string, string>>,
): WithInstallation {
  const none = { ...described, installed: {} };
  if (!installation) return none;
  const claims = installation.claims ?? [];
  const replaced = described.claims.some(
    (claim) => claims.some(({ kind }) => kind === claim.kind) && !claims.some(({ key }) => key === claim.key),
  );
  if (replaced) return none;
  const installed = Object.entries(sealed).filter(([name]) => name.startsWith(installedSecretPrefix));
  return {
    settings: { ...described.settings, installation },
    secrets: described.secrets,
    claims: [
      ...described.claims,
      ...claims.filter((claim) => !described.claims.some((of) => isDeepStrictEqual(of, claim))),
    ],
    installed: Object.fromEntries(installed),
  };
}

// Of the tenant's own channels the other one can be named. Looked for before: a conflict ends the transaction.
async function refuseOwnDouble(
  unit: Unit,
  { tenantId, channelId, platform }: { tenantId: Uuid; channelId: Uuid; platform: string },
  claims: readonly AccountKey[],
  { path, channelPath }: { path: string | undefined; channelPath: string },
): Promise<void> {
  if (claims.length === 0) return;
  const other = await unit.prisma(async (prisma) => {
    const OR = claims.map(({ kind, app, key }) => ({ kind, app, key }));
    const where = { tenantId, platform, channelId: { not: channelId }, OR };
    const taken = await prisma.externalKey.findFirst({ where });
    if (!taken?.channelId) return undefined;
    const id = { tenantId_id: { tenantId, id: taken.channelId } };
    const holder = await prisma.channel.findUnique({ where: id, select: { slug: true } });
    return holder && { ...taken, slug: holder.slug };
  });
  if (other)
    throw new ApplyRefusedError(
      'account_claimed',
      `The channel "${channelPath}" wants ${other.kind.replaceAll('_', ' ')} ${other.key}, which the tenant's own channel "${within(path, other.slug)}" has claimed already. Put the keys into that channel.`,
    );
}

async function claim(
  unit: Unit,
  place: { tenantId: Uuid; channelId: Uuid; platform: string },
  claims: readonly AccountKey[],
  channelPath: string,
): Promise<void> {
  try {
    await unit.prisma((prisma) => claimAccounts(prisma, place, claims));
  } catch (error) {
    if (!(error instanceof ConflictError)) throw error;
    const names = claims.map(({ kind, key }) => `${kind.replaceAll('_', ' ')} ${key}`).join(', ');
    throw new ApplyRefusedError(
      'account_claimed',
      `The channel "${channelPath}" wants ${names}, which another channel has claimed already.`,
      { platform: place.platform, claims },
    );
  }
}

async function claimKey(
  unit: Unit,
  claim: { tenantId: Uuid; channelId: Uuid; platform: string; key: string },
): Promise<void> {
  const { tenantId, channelId, platform, key } = claim;
  try {
    await unit.prisma(async (prisma) => {
      await prisma.externalKey.deleteMany({ where: { tenantId, channelId, kind: 'channel_key' } });
      const { cell } = await prisma.thisCell.findFirstOrThrow();
      await prisma.externalKey.create({
        data: { platform, kind: 'channel_key', key, tenantId, channelId, cell },
      });
    });
  } catch (error) {
    if (!(error instanceof ConflictError)) throw error;
    throw new ApplyRefusedError(
      'key_claimed',
      `The channel key "${key}" is claimed already; leave "key" out to get one that is free.`,
    );
  }
}
