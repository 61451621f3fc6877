import type { SlackChannelSettings } from '@swarmgate/contract/channels/slack.ts';
import { AppError } from '#domain/errors.ts';
import type { Uuid } from '#domain/ids.ts';
import { createInstallLinks, writeInstallLink } from '#gateways/slack/install/install-links.ts';
import { createChannelDirectory } from '#tenancy/channel-directory.ts';
import { enterTenant } from '#tenancy/enter-tenant.ts';
import type { Storage } from '../storage.ts';

export type InstallLink = { url: string; expiresAt: string };

class NoSuchChannelError extends AppError<'no_such_channel'> {
  override readonly name = 'NoSuchChannelError';

  constructor(path: string, why: string) {
    super('no_such_channel', `${path} ${why}.`);
  }
}

/** Makes the link by which somebody connects a workspace to a channel of a tenant. */
export async function makeInstallLink(
  { scopes, keyRing }: Storage,
  { tenant, channel }: { tenant: string; channel: string },
  { publicUrl, hasSharedApp }: { publicUrl: string; hasSharedApp: boolean },
): Promise<InstallLink> {
  const path = `${tenant}/${channel}`;
  const target = await scopes.inPlatform(async (unit) => {
    const tenantId = await enterTenant(unit, tenant);
    const [row] = await unit.sql<{ id: Uuid; platform: string }>(
      'SELECT id, platform FROM swarmgate.channels WHERE slug = $1',
      [channel],
    );
    if (!row) throw new NoSuchChannelError(path, 'is no channel of this tenant');
    if (row.platform !== 'slack') throw new NoSuchChannelError(path, `is on ${row.platform}, not on Slack`);
    return { tenantId, channelId: row.id };
  });
  const open = await createChannelDirectory({ scopes, keyRing }).find(target.tenantId, target.channelId);
  if (!open) throw new NoSuchChannelError(path, 'is not there any more');
  const { appId, clientId } = open.settings as SlackChannelSettings;
  if (open.secrets['botToken'] !== undefined)
    throw new NoSuchChannelError(
      path,
      'has a botToken in its apply file; leave that out to install by a link',
    );
  if (appId !== undefined && (clientId === undefined || open.secrets['clientSecret'] === undefined))
    throw new NoSuchChannelError(
      path,
      'has an app of its own without clientId and clientSecret, which a link needs',
    );
  if (appId === undefined && !hasSharedApp)
    throw new NoSuchChannelError(
      path,
      'is on the shared app, and SLACK_CLIENT_ID and SLACK_CLIENT_SECRET are not set',
    );
  const { token, expiresAt } = await createInstallLinks(keyRing).make(target);
  return { url: writeInstallLink(publicUrl, open, token), expiresAt: expiresAt.toISOString() };
}
