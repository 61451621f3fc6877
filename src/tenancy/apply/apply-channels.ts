import { randomBytes } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { identitySecretName, type WebChatChannelSettings } from '@swarmgate/contract/channels/webchat.ts';
import { newId, type Uuid } from '#domain/ids.ts';
import type { KeyRing } from '#kernel/key-ring.ts';
import { ConflictError } from '../scope-errors.ts';
import type { Unit } from '../scopes.ts';
import { channelSecretPlace } from '../seal-places.ts';
import type { PlannedChannel, Report } from './apply-plan.ts';
import { ApplyRefusedError } from './apply-refused-error.ts';
import { resealChanged } from './sealed-secrets.ts';

/** Makes a tenant's channels what the plan says, and claims their keys in the directory. */
export async function applyChannels(
  { keyRing }: { keyRing: KeyRing },
  unit: Unit,
  tenantId: Uuid,
  path: string,
  planned: readonly PlannedChannel[],
  report: Report,
): Promise<void> {
  const rows = await unit.prisma((prisma) => prisma.channel.findMany());
  const known = new Map(rows.map((channel) => [channel.slug, channel]));
  const agents = await unit.prisma((prisma) => prisma.agent.findMany({ select: { id: true, slug: true } }));

  for (const channel of planned) {
    const { slug, platform } = channel;
    const channelPath = `${path}/${slug}`;
    const old = known.get(slug);
    known.delete(slug);
    if (old && old.platform !== platform) {
      throw new ApplyRefusedError(
        `The channel "${channelPath}" is on ${old.platform}; give the one on ${platform} another slug.`,
      );
    }
    const id = (old?.id ?? newId()) as Uuid;
    const key = channel.key ?? old?.key ?? `wk_${randomBytes(15).toString('base64url')}`;
    const agentId =
      channel.agent === undefined ? null : (agents.find((agent) => agent.slug === channel.agent)?.id ?? null);
    if (channel.agent !== undefined && agentId === null) {
      throw new ApplyRefusedError(
        `The channel "${channelPath}" names the agent "${channel.agent}", which the tenant does not have.`,
      );
    }
    const { sealed, same: sameSecrets } = resealChanged(
      keyRing,
      { [identitySecretName]: channel.identity?.secret },
      (old?.sealed ?? {}) as Record<string, string>,
      (name) => channelSecretPlace(tenantId, id, name),
    );
    const wanted = { key, agentId, settings: settingsOf(channel) };
    const same =
      old !== undefined &&
      sameSecrets &&
      isDeepStrictEqual(wanted, { key: old.key, agentId: old.agentId, settings: old.settings });
    if (!same) {
      const data = { ...wanted, sealed };
      await unit.prisma((prisma) =>
        old
          ? prisma.channel.update({
              where: { tenantId_id: { tenantId, id } },
              data: { ...data, version: { increment: 1 }, updatedAt: new Date() },
            })
          : prisma.channel.create({ data: { tenantId, id, slug, platform, ...data } }),
      );
    }
    if (old?.key !== key) await claimKey(unit, { tenantId, channelId: id, platform, key });
    report({
      action: old ? (same ? 'unchanged' : 'updated') : 'created',
      kind: 'channel',
      path: channelPath,
      key,
    });
  }
  for (const { slug, key } of known.values())
    report({ action: 'kept', kind: 'channel', path: `${path}/${slug}`, key });
}

function settingsOf({ origins, identity, greeting, suggestions }: PlannedChannel): WebChatChannelSettings {
  return {
    origins,
    ...(identity && { identity: identitySettings(identity) }),
    ...(greeting && { greeting }),
    ...(suggestions && { suggestions }),
  };
}

function identitySettings({
  jwksUrl,
  issuer,
  audience,
  required,
}: NonNullable<PlannedChannel['identity']>): NonNullable<WebChatChannelSettings['identity']> {
  return {
    ...(jwksUrl ? { kind: 'jwks', jwksUrl } : { kind: 'secret' }),
    ...(issuer && { issuer }),
    ...(audience && { audience }),
    required,
  };
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
      `The channel key "${key}" is claimed already; leave "key" out to get one that is free.`,
    );
  }
}
