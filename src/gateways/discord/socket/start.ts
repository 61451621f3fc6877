import type { ReceiveWebhook } from '../../receive-webhook.ts';
import type { DiscordApp } from '../channel.ts';
import { registerCommands } from '../commands/register-commands.ts';
import { createChannelFacts } from '../inbound/channel-facts.ts';
import type { DiscordGateway } from '../index.ts';
import type { DiscordTexts } from '../texts.ts';
import { createReceiveEvent } from './receive-event.ts';
import { type DiscordSocketsParts, startDiscordSockets } from './sockets.ts';

export type StartDiscordParts = Omit<DiscordSocketsParts, 'api' | 'apps' | 'receive' | 'onReady'> & {
  receiveWebhook: ReceiveWebhook;
  texts: DiscordTexts;
};

const registerMs = 30_000;

/** Opens the sockets of all bots, and gives each its commands once it is there. */
export function startDiscord(
  { gateway, api, apps, desk, sightings }: DiscordGateway,
  { receiveWebhook, texts, ...parts }: StartDiscordParts,
): { stop(): Promise<void> } {
  const { logger } = parts;
  const facts = createChannelFacts(api);
  const registered = new Set<string>();

  async function register(app: DiscordApp): Promise<void> {
    const key = `${app.applicationId}/${app.botToken}`;
    if (registered.has(key)) return;
    registered.add(key);
    try {
      const count = await registerCommands(api, app, texts.commands, AbortSignal.timeout(registerMs));
      logger.info({ reason: app.applicationId, count }, 'the commands of a Discord app are registered');
    } catch (error) {
      registered.delete(key);
      logger.warn(
        { err: error, reason: app.applicationId },
        'the commands of a Discord app could not be registered',
      );
    }
  }

  return startDiscordSockets({
    ...parts,
    ...{ api, apps },
    receive: createReceiveEvent({ receiveWebhook, gateway, api, desk, sightings, facts, logger }),
    onReady: (app) => void register(app),
  });
}
