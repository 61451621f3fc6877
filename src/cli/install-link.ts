import type { DiscordChannelSettings } from '@swarmgate/contract/channels/discord.ts';
import type { SlackChannelSettings } from '@swarmgate/contract/channels/slack.ts';
import type { PlatformsConfig } from '#config/config.ts';
import { AppError } from '#domain/errors.ts';
import type { Uuid } from '#domain/ids.ts';
import { authorizeUrl } from '#gateways/discord/install/authorize.ts';
import { writeDiscordInstallLink } from '#gateways/discord/install/install.ts';
import type { OpenChannel } from '#gateways/gateway.ts';
import { createInstallLinks } from '#gateways/install-links.ts';
import { mayInstall } from '#gateways/install-pause.ts';
import { writeInstallLink } from '#gateways/slack/install/write-link.ts';
import type { KeyRing } from '#kernel/key-ring.ts';
import { createChannelDirectory } from '#tenancy/channel-directory.ts';
import { enterTenant } from '#tenancy/enter-tenant.ts';
import type { Storage } from '../storage.ts';

/** `expiresAt`: absent where the address is good for ever, because it connects nothing. */
export type InstallLink = { url: string; expiresAt?: string };

class NoSuchChannelError extends AppError<'no_such_channel'> {
  override readonly name = 'NoSuchChannelError';

  constructor(path: string, why: string) {
    super('no_such_channel', `${path} ${why}.`);
  }
}

export type LinkPlatform = 'slack' | 'discord';
export type LinkWish = { platform: LinkPlatform; tenant: string; channel: string };
const names = { slack: 'Slack', discord: 'Discord' } as const;

type LinkParts = { publicUrl: string; platforms: PlatformsConfig };

/** Makes the link by which somebody connects a workspace or a server to a channel of a tenant. */
export async function makeInstallLink(
  { scopes, keyRing }: Storage,
  { platform, tenant, channel }: LinkWish,
  parts: LinkParts,
): Promise<InstallLink> {
  const path = `${tenant}/${channel}`;
  const target = await scopes.inPlatform(async (unit) => {
    const tenantId = await enterTenant(unit, tenant);
    const [row] = await unit.sql<{ id: Uuid; platform: string }>(
      'SELECT id, platform FROM swarmgate.channels WHERE slug = $1',
      [channel],
    );
    if (!row) throw new NoSuchChannelError(path, 'is no channel of this tenant');
    if (row.platform !== platform)
      throw new NoSuchChannelError(path, `is on ${row.platform}, not on ${names[platform]}`);
    return { tenantId, channelId: row.id };
  });
  const open = await createChannelDirectory({ scopes, keyRing }).find(target.tenantId, target.channelId);
  if (!open) throw new NoSuchChannelError(path, 'is not there any more');
  return linkTo(keyRing, open, path, parts);
}

/** The same for a channel that is open already. `path` names it where something is wrong. */
export async function linkTo(
  keyRing: KeyRing,
  open: OpenChannel,
  path: string,
  { publicUrl, platforms }: LinkParts,
): Promise<InstallLink> {
  const { platform } = open;
  if (platform !== 'slack' && platform !== 'discord')
    throw new NoSuchChannelError(path, `is on ${platform}, where nothing is connected by a link`);
  if (!mayInstall(open))
    throw new NoSuchChannelError(
      path,
      `is paused, which an installation does not mend: ${open.statusReason ?? 'nobody has said why'}`,
    );
  const plain =
    platform === 'slack' ? checkSlack(path, open, platforms) : discordInvitation(path, open, platforms);
  if (plain !== undefined) return { url: plain };
  const target = { tenantId: open.tenantId, channelId: open.id };
  const { token, expiresAt } = await createInstallLinks(keyRing, platform).make(target);
  const write = platform === 'slack' ? writeInstallLink : writeDiscordInstallLink;
  return { url: write(publicUrl, open, token), expiresAt: expiresAt.toISOString() };
}

function checkSlack(path: string, open: OpenChannel, { slack }: PlatformsConfig): undefined {
  const { appId, clientId } = open.settings as SlackChannelSettings;
  if (open.secrets['botToken'] !== undefined)
    throw new NoSuchChannelError(
      path,
      'has a botToken that was given for it; take that out to install by a link',
    );
  if (appId !== undefined && (clientId === undefined || open.secrets['clientSecret'] === undefined))
    throw new NoSuchChannelError(
      path,
      'has an app of its own without clientId and clientSecret, which a link needs',
    );
  if (appId === undefined && slack.app?.clientId === undefined)
    throw new NoSuchChannelError(
      path,
      'is on the shared app, and SLACK_CLIENT_ID and SLACK_CLIENT_SECRET are not set. Start the service with them',
    );
}

/** A server that the file names is claimed already: Discord's own address invites the bot to it, and to no other. */
function discordInvitation(
  path: string,
  open: OpenChannel,
  { discord }: PlatformsConfig,
): string | undefined {
  const { applicationId, guild, apiUrl = discord.apiUrl } = open.settings as DiscordChannelSettings;
  const id = applicationId ?? discord.app?.applicationId;
  if (id === undefined)
    throw new NoSuchChannelError(
      path,
      'is on the shared app, which the service does not have: DISCORD_APPLICATION_ID, DISCORD_PUBLIC_KEY and DISCORD_BOT_TOKEN are not set. Start the service with them',
    );
  const secret = applicationId === undefined ? discord.app?.clientSecret : open.secrets['clientSecret'];
  // An own app's bot answers wherever it is, so there is nothing to connect.
  if (guild !== undefined || (applicationId !== undefined && secret === undefined))
    return authorizeUrl({ applicationId: id, apiUrl, guild });
  if (secret !== undefined) return undefined;
  throw new NoSuchChannelError(
    path,
    'names no guild, and DISCORD_CLIENT_SECRET is not set, by which Discord would tell which one was chosen. Start the service with it, or give the guild in the file',
  );
}
