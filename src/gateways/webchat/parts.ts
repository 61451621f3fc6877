import type { WebChatChannelSettings } from '@swarmgate/contract/channels/webchat.ts';
import type { Settings } from '@swarmgate/contract/settings.ts';
import { type WebChatLimits, webChatLimits } from '@swarmgate/contract/settings.ts';
import type { LiveUpdates } from '#events/live.ts';
import type { Logger } from '#kernel/logger.ts';
import { ProblemError } from '#kernel/problem.ts';
import type {
  CancelTurn,
  ChannelDirectory,
  OpenChannel,
  RateLimit,
  ReceiveMessage,
  TenantHosts,
  Transcripts,
} from '../journey.ts';
import type { IdentityChecker } from './identity.ts';
import type { VisitorTokens } from './tokens.ts';

/** What the web chat's routes work with. */
export type WebChatParts = {
  channels: ChannelDirectory;
  hosts: TenantHosts;
  tokens: VisitorTokens;
  checkIdentity: IdentityChecker;
  receive: ReceiveMessage;
  transcripts: Transcripts;
  cancelTurn: CancelTurn;
  live: LiveUpdates;
  rateLimit: RateLimit;
  logger: Logger;
  /** Aborts when the process stops: open event streams end, so that their pages connect elsewhere. */
  stop: AbortSignal;
};

export function settingsOf(channel: OpenChannel): WebChatChannelSettings {
  return channel.settings as WebChatChannelSettings;
}

export function limitsOf(channel: OpenChannel): WebChatLimits {
  return webChatLimits(channel.organizationSettings as Settings, channel.tenantSettings as Settings);
}

/** @throws {ProblemError} 403 when the operator has paused the channel or suspended its tenant. */
export function refuseClosed(channel: OpenChannel): void {
  if (channel.status === 'active' && channel.tenantStatus === 'active') return;
  throw new ProblemError(403, 'channel_closed', 'Channel closed', 'This chat is not open at the moment.');
}
