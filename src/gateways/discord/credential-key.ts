import { createHash } from 'node:crypto';
import type { DiscordApp } from './channel.ts';

/**
 * Names a credential, without holding it. What a bot may see hangs on its token: whoever writes another application's id
 * into a file learns nothing of what that one's token was told.
 */
export function credentialKey({
  applicationId,
  botToken = '',
  apiUrl = '',
}: Pick<DiscordApp, 'applicationId' | 'botToken' | 'apiUrl'>): string {
  const hash = createHash('sha256')
    .update(JSON.stringify([apiUrl, botToken]))
    .digest('base64url');
  return `${applicationId}/${hash.slice(0, 22)}`;
}
