import type { AccountKey } from '@swarmgate/contract/channels/described-channel.ts';
import type { Uuid } from '#domain/ids.ts';
import type {
  ConsentChange,
  ConversationReference,
  InboundChange,
  InboundMessage,
  InboundRequest,
  InboundStatus,
  OpenChannel,
  Platform,
} from './gateway.ts';

/** What a gateway may ask of the rest of the service. It is handed these; it imports none of it. */

export type { OpenChannel } from './gateway.ts';

export type Received = {
  outcome: 'received' | 'duplicate';
  conversationId: Uuid;
  messageId: Uuid;
  sequence: number;
  createdAt: Date;
};

/** The channel that something belongs to. */
export type ChannelPlace = { tenantId: Uuid; channelId: Uuid; platform: Platform };

/**
 * Keeps a verified message and wakes its conversation. Resolves after the commit: what it has resolved is not lost.
 * `undefined`: it was for a conversation that is not there, and nothing is kept.
 */
export type ReceiveMessage = (at: ChannelPlace, message: InboundMessage) => Promise<Received | undefined>;

/** Keeps an edit, a deletion or a reaction. `unknown`: its message is none of ours, and nothing is kept. */
export type ReceiveChange = (
  at: ChannelPlace,
  change: InboundChange,
) => Promise<'received' | 'duplicate' | 'unknown'>;

/** Keeps what a person has asked a gateway for, and wakes its delivery. Resolves after the commit. */
export type ReceiveRequest = (at: ChannelPlace, request: InboundRequest) => Promise<'received' | 'duplicate'>;

/** Keeps what became of a message that went out. Later states are not undone by earlier ones that come late. */
export type RecordStatus = (
  at: ChannelPlace,
  status: InboundStatus,
) => Promise<'recorded' | 'unchanged' | 'unknown'>;

export interface ChannelDirectory {
  /** The channel that claims a key; `undefined` when none does. */
  findByKey(platform: Platform, key: string): Promise<OpenChannel | undefined>;
  /** The channel that claims an account of its platform. */
  findByAccount(platform: Platform, account: AccountKey): Promise<OpenChannel | undefined>;
  find(tenantId: Uuid, channelId: Uuid): Promise<OpenChannel | undefined>;
  /** A channel that was changed here is read anew at once; other processes see the change a moment later. */
  forget(tenantId: Uuid, channelId: Uuid): void;
  /**
   * The channel as it is now, also where another process has changed it a moment ago. It is read twenty times a second at
   * most, whoever makes us ask for it.
   */
  findLatest(tenantId: Uuid, channelId: Uuid): Promise<OpenChannel | undefined>;
  /** Every account of a kind that is claimed, whoever's it is. */
  listClaims(
    platform: Platform,
    kind: string,
  ): Promise<{ tenantId: Uuid; channelId: Uuid; app: string; key: string }[]>;
}

/** Hosts that are for one tenant alone. */
export interface TenantHosts {
  /** Whose a host is, as the request names it; `undefined`: the installation's, or nobody's. A second old at most. */
  tenantOf(host: string | undefined): Promise<Uuid | undefined>;
  /** The web chat that a tenant's host leads to, where no key is given. */
  webChatOf(tenantId: Uuid): Promise<OpenChannel | undefined>;
  /** Whether the page that asks is one of the host that is asked (with its port). */
  isOwnPage(origin: string | undefined, host: string | undefined): boolean;
}

/** What gateways and the platforms themselves change about a channel. */
export interface ChannelKeeper {
  /**
   * Nothing goes in or out any more until somebody has mended it. `reason` is for the operator: what happened, what to do.
   * A channel that was changed since it was seen as `channel` stays as it is: it may be mended already.
   */
  pause(channel: OpenChannel, reason: string): Promise<void>;
  /** What had it paused is over. A channel that was changed since it was seen as `channel` stays as it is. */
  resume(channel: OpenChannel): Promise<void>;
  /**
   * Keeps what an installation has brought: facts, secrets and accounts, in the place of an earlier installation's. The
   * channel is active afterwards. Rejects with an `AppError` of the code `channel_claimed` when another channel has one of
   * the accounts.
   */
  install(at: ChannelPlace, installation: ChannelInstallation): Promise<void>;
}

export type ChannelInstallation = {
  /** Becomes `settings.installation`. */
  facts: Readonly<Record<string, unknown>>;
  /** Names begin with `installed`. */
  secrets: Readonly<Record<string, string>>;
  claims: readonly AccountKey[];
  /** The same installation with other secrets: a channel that is paused stays so, and another installation stays as it is. */
  renews?: boolean;
};

/** Notes an account that nobody has claimed, for the operator to see. No content. */
export type Quarantine = (platform: Platform, account: AccountKey, reason: string) => Promise<void>;

/** Who wants no messages from whom. One sender of a tenant's and one recipient; nobody else is concerned. */
export interface ConsentLedger {
  /** By any of the names that the sender has or had: a number may join a messaging service. */
  isOptedOut(tenantId: Uuid, senders: readonly string[], recipient: string): Promise<boolean>;
  record(at: ChannelPlace, change: ConsentChange): Promise<void>;
}

export type KeptReference = Pick<ConversationReference, 'reference' | 'blockedReason'>;

/** How conversations are reached again: what the gateway's verified requests have told. */
export interface ConversationReferences {
  /** In the place of what was known before, a block included. */
  keep(at: ChannelPlace, reference: ConversationReference): Promise<void>;
  find(at: ChannelPlace, conversationExternalId: string): Promise<KeptReference | undefined>;
  /** The one that was told last, whichever conversation's it is. */
  findLatest(at: ChannelPlace): Promise<KeptReference | undefined>;
  /** Nothing can be sent there until it is kept again. `reference` is for one that is not known yet. */
  block(at: ChannelPlace, blocked: ConversationReference & { blockedReason: string }): Promise<void>;
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

export type RateLimitResult =
  /** How many more there are, and when all of them are back. */
  { allowed: true; remaining: number; resetMs: number } | { allowed: false; retryAfterMs: number };

/** Counts one use of `key`, of which `limit` are allowed in each window of a minute. */
export type RateLimit = (key: string, limit: number) => Promise<RateLimitResult>;

/** Installations at a platform that have begun and may end once. Only a hash of what comes back is kept. */
export interface InstallStates {
  begin(state: { tenantId: Uuid; channelId: Uuid; stateHash: string; ttlMs: number }): Promise<void>;
  /** The channel that it was begun for; `undefined` when it is unknown, used or too old. */
  use(state: { tenantId: Uuid; stateHash: string }): Promise<Uuid | undefined>;
}

/** What somebody said, of what is kept of it, for who answers it. */
export type AnsweredMessage = { text: string; content: Readonly<Record<string, unknown>> };

/** Which account a person's direct messages to an app are for, once they have said so: such a message does not tell. */
export interface DirectChoices {
  /**
   * `sinceMs`: since the platform was last seen to have the person there. `chosenAtMs`: by the platform's clock; what was
   * said before is not for this account.
   */
  find(
    app: string,
    by: { person?: string; direct?: string },
  ): Promise<{ account: string; direct: string; sinceMs: number; chosenAtMs: number } | undefined>;
  /** The same account again was chosen when it was first. False: something else was chosen later, and holds. */
  choose(app: string, person: string, account: string, direct: string, atMs: number): Promise<boolean>;
  /** The platform still has the person there. Does nothing when that is not what they have chosen any more. */
  recheck(app: string, person: string, choice: { account: string; chosenAtMs: number }): Promise<void>;
  /** The platform does not have the person there any more; likewise. */
  forget(app: string, person: string, choice: { account: string; chosenAtMs: number }): Promise<void>;
  /** Every account that such messages were ever for (the latest twenty): the one that they were for at `atMs` first. */
  accountsOf(app: string, by: { person?: string; direct?: string }, atMs: number): Promise<string[]>;
  /** The latest, of those that have chosen, each with the time since when. */
  list(app: string, limit: number): Promise<{ person: string; direct: string; chosenAtMs: number }[]>;
}

/** Which of an app's accounts a person may be in, as far as it is known without asking the platform. */
export interface DirectCandidates {
  /**
   * At most `limit`, those in which the person has spoken to the app first. `tenantId`: of that tenant only; `namePart`:
   * only those whose name is known and has it.
   */
  list(
    app: string,
    search: { person: string; tenantId?: Uuid | undefined; namePart?: string | undefined; limit: number },
  ): Promise<{ account: string; name: string | undefined }[]>;
  /** A person has spoken to the app in an account; one that nobody claims is not noted. */
  noteSeen(app: string, person: string, account: string): Promise<void>;
  noteName(app: string, account: string, name: string): Promise<void>;
}

/** Where the session of a socket stands, for whoever opens it next. */
export interface SocketSessions {
  read(app: string): Promise<object | undefined>;
  /** In the name of who holds the socket's lease; false: that is not us any more, and nothing was written. */
  keep(app: string, session: object | undefined, fault?: string): Promise<boolean>;
}

/** What a platform asks of a credential: `cost` calls each `intervalMs`, and up to `burst` at once after a silence. */
export type Pace = { intervalMs: number; cost: number; burst: number };

/**
 * Counts what is called in the name of a key, in all processes together.
 */
export interface PaceBudget {
  /**
   * Takes a place that is at most `waitMsMax` ahead; the caller waits `waitMs` for it. Not granted: all places up to then
   * are taken, and `waitMs` is when to come back, a time that nobody else is told.
   */
  reserve(key: string, pace: Pace, waitMsMax: number): Promise<{ granted: boolean; waitMs: number }>;
  /** Gives a place back that was not used. */
  giveBack(key: string, pace: Pace): Promise<void>;
}
