import { GatewayIntentBits } from 'discord-api-types/v10';
import type { OpenChannel } from '../../gateway.ts';
import { settingsOf } from '../channel.ts';

const always =
  GatewayIntentBits.Guilds |
  GatewayIntentBits.GuildMessages |
  GatewayIntentBits.GuildMessageReactions |
  GatewayIntentBits.DirectMessages |
  GatewayIntentBits.DirectMessageReactions;

/** What a bot wants to hear. What is said in servers without mentioning it is privileged, and the channel may do without. */
export function intentsOf(own: OpenChannel | undefined): number {
  return own && !settingsOf(own).messageContent ? always : always | GatewayIntentBits.MessageContent;
}
