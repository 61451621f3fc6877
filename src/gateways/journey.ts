import type { Uuid } from '#domain/ids.ts';
import type { Channel, InboundMessage } from './gateway.ts';

/** What a gateway may ask of the rest of the service. It is handed these; it imports none of it. */

export type Received = {
  outcome: 'received' | 'duplicate';
  conversationId: Uuid;
  messageId: Uuid;
  sequence: number;
  createdAt: Date;
};

/** Keeps a verified message and wakes its conversation. Resolves after the commit: what it has resolved is not lost. */
export type ReceiveMessage = (message: InboundMessage) => Promise<Received>;

/** A channel with what surrounds it. */
export type OpenChannel = Channel & {
  status: 'active' | 'paused';
  statusReason: string | undefined;
  tenantStatus: 'active' | 'suspended' | 'closing';
  tenantSettings: Readonly<Record<string, unknown>>;
  organizationSettings: Readonly<Record<string, unknown>>;
  agent: { name: string; model: string; settings: Readonly<Record<string, unknown>> } | undefined;
};

export interface ChannelDirectory {
  /** The channel that claims a key; `undefined` when none does. */
  findByKey(platform: Channel['platform'], key: string): Promise<OpenChannel | undefined>;
  find(tenantId: Uuid, channelId: Uuid): Promise<OpenChannel | undefined>;
}

export type TranscriptMessage = {
  id: string;
  sequence: number;
  revision: number;
  role: 'visitor' | 'agent' | 'operator' | 'system';
  text: string;
  content: Readonly<Record<string, unknown>>;
  clientId: string | undefined;
  inReplyToId: string | undefined;
  createdAt: Date;
};

/** The transcript of one conversation; an unknown conversation reads like an empty one. */
export interface Transcripts {
  /** Oldest first: what comes after `after`, or the newest ones (before `before`, when given). */
  page(
    at: ConversationPlace,
    range: { after?: number; before?: number; limit: number },
  ): Promise<TranscriptMessage[]>;
  /** What changed since a revision, in that order; without one only where the transcript stands now. */
  changes(
    at: ConversationPlace,
    afterRevision: number | undefined,
    limit: number,
  ): Promise<{ head: number; changes: TranscriptMessage[] }>;
  /** The conversation in which a participant spoke last. */
  latestConversation(
    tenantId: Uuid,
    channelId: Uuid,
    participantExternalId: string,
  ): Promise<Uuid | undefined>;
}

export type ConversationPlace = { tenantId: Uuid; conversationId: Uuid };

/** Asks a turn to stop; false when the conversation has no such turn at work. */
export type CancelTurn = (at: ConversationPlace, turnId: Uuid) => Promise<boolean>;

export type RateLimitResult = { allowed: true } | { allowed: false; retryAfterMs: number };

/** Counts one use of `key`, of which `limit` are allowed in each window of a minute. */
export type RateLimit = (key: string, limit: number) => Promise<RateLimitResult>;
