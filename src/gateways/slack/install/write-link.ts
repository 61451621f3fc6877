import type { Channel } from '../../gateway.ts';
import { settingsOf } from '../channel.ts';

/** The address that a person opens. An app of the tenant's own has its channel's key in it, as its other addresses have. */
export function writeInstallLink(publicUrl: string, channel: Channel, token: string): string {
  const ownApp = settingsOf(channel).appId !== undefined;
  const path = ownApp ? `slack/${channel.key}` : 'slack';
  return `${publicUrl}/webhooks/${path}/install?link=${token}`;
}
