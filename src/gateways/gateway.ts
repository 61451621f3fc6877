import type { AccountKey } from '@swarmgate/contract/channels/described-channel.ts';
import type { Uuid } from '#domain/ids.ts';

/**
 * The front door of the platforms. A gateway turns what its platform says into {@link InboundEvent}s and sends out what
 * the agents answer; it decides nothing about conversations.
 */

export type Platform = 'slack' | 'discord' | 'teams' | 'twilio' | 'webchat';

declare const verified: unique symbol;
/** Proof that the platform's own signature or token was checked. Only a gateway's `verify` makes one. */
export type Verified<T> = T & { readonly [verified]: true };

/** A request as it came in, before anybody believed it. */
export type RawRequest = {
  method: string;
  /**
   * The address that the platform called, as it may know it, likeliest first: below PUBLIC_URL, then as the request (and
   * trusted proxies) say. What signs the address is checked against each.
   */
  urls: readonly string[];
  /** What is behind `/webhooks/<platform>/` and the channel key, without slashes around it: `events`, `status`. */
  endpoint: string;
  headers: Readonly<Record<string, string | string[] | undefined>>;
  body: Buffer;
};

/** A platform account of a tenant: what its gateway needs, secrets opened. */
export type Channel = {
  tenantId: Uuid;
  id: Uuid;
  platform: Platform;
  key: string;
  settings: Readonly<Record<string, unknown>>;
  secrets: Readonly<Record<string, string>>;
};

/** A channel with what surrounds it. */
export type OpenChannel = Channel & {
  /** Counts the changes of the channel. */
  version: number;
  status: 'active' | 'paused';
  statusReason: string | undefined;
  tenantStatus: 'active' | 'suspended' | 'closing' | 'deleting';
  tenantSettings: Readonly<Record<string, unknown>>;
  organizationSettings: Readonly<Record<string, unknown>>;
  agent: { name: string; model: string; settings: Readonly<Record<string, unknown>> } | undefined;
};

/** Who speaks, by the platform's own id of theirs. */
export type InboundParticipant = {
  externalId: string;
  verified: boolean;
  profile: Readonly<Record<string, unknown>>;
};

/** A file that came along; it stays at the platform until somebody needs it. `source` is what the gateway fetches it by. */
export type InboundAttachment = {
  name: string;
  contentType: string;
  sizeBytes?: number;
  source: Readonly<Record<string, unknown>>;
};

/** That a person wants no messages any more, or wants them again, from one sender of ours. */
export type ConsentChange = {
  sender: string;
  recipient: string;
  state: 'opted_out' | 'opted_in';
  /** What it was said with: the word, or a platform's error code. */
  source: string;
};

/**
 * Something that a person said. `key` identifies it among everything its channel ever receives, whichever way and
 * however often the platform tells of it.
 */
export type InboundMessage = {
  /** `action`: a button or a choice; `text` says it in words. */
  kind: 'message' | 'action';
  key: string;
  /** The platform's own id of the thread, channel or chat. */
  conversationExternalId: string;
  participant: InboundParticipant;
  text: string;
  content: Readonly<Record<string, unknown>>;
  /** False: kept for the agent to know, and not answered. True when absent. */
  needsAnswer?: boolean;
  /** Kept only if the conversation is there already: a thread that the agent takes part in. */
  onlyIfKnown?: boolean;
  attachments?: readonly InboundAttachment[];
  /** Kept in the same commit. */
  consent?: ConsentChange;
  /** What the service itself says to it, without an agent. Markdown. */
  systemReply?: { text: string; content: Readonly<Record<string, unknown>> };
  /** An id for a conversation that is not there yet; one is made when absent. */
  conversationId?: Uuid;
  /** The id that the sender gave the message, given back to it in the transcript. */
  clientId?: string;
};

/** A message as the platform names it: by the key that it was received under, or by the id of a part that we sent. */
export type MessageReference = { key: string; externalId: string };

/** What happens to a message that was said before. `key` as in {@link InboundMessage}. */
export type InboundChange = { key: string; target: MessageReference; participantExternalId: string } & (
  | { kind: 'edit'; text: string }
  | { kind: 'delete' }
  /** `name` without colons; `added` false: taken back. */
  | { kind: 'reaction'; name: string; added: boolean }
);

/** What became of a part of a message that we sent. */
export type InboundStatus = {
  kind: 'status';
  externalId: string;
  /** Which delivery and part it was, where the platform tells: it may know before our own record. */
  delivery?: { id: Uuid; part: number };
  state: 'sent' | 'delivered' | 'read' | 'failed';
  errorCode?: string;
  segments?: number;
  /** What a refusal tells about whether the person wants messages. */
  consent?: ConsentChange;
};

/** A person has opened something that the gateway fills: an app's home, an assistant, a form. Nothing of it is kept. */
export type InboundOpening = { kind: 'opening'; view: string; details: Readonly<Record<string, unknown>> };

/**
 * Something that a person has asked the gateway itself for, such as a file that it had offered. Kept as a message of the
 * system's and delivered as one: in its turn, again after a failure or a kill, and among the dead letters in the end.
 * `key` as in {@link InboundMessage}.
 */
export type InboundRequest = {
  kind: 'request';
  key: string;
  conversationExternalId: string;
  participantExternalId: string;
  /** What the transcript says of it. Markdown. */
  text: string;
  /** For the gateway's own {@link Gateway.send}. */
  content: Readonly<Record<string, unknown>>;
};

/** What a platform can tell. `unsupported` is an honest answer, not an error: it is acknowledged and counted. */
export type InboundEvent =
  | InboundMessage
  | InboundChange
  | InboundStatus
  | InboundRequest
  | InboundOpening
  /** The platform will take no more messages from us: the app was removed, its token revoked. */
  | { kind: 'disconnected'; reason: string }
  /** It takes them again, after `disconnected` with that reason. */
  | { kind: 'connected'; after: string }
  | { kind: 'unsupported'; reason: string };

/** An answer on its way out. */
export type OutboundMessage = {
  deliveryId: string;
  messageId: string;
  /** The turn that it ends, when it answers a message. */
  turnId: string | undefined;
  attempt: number;
  /** An earlier attempt may have reached the platform: it ended without a record. */
  interrupted: boolean;
  role: 'agent' | 'operator' | 'system';
  /** Markdown. */
  text: string;
  content: Readonly<Record<string, unknown>>;
  /** Files to go along. */
  attachments: readonly OutboundAttachment[];
  /** When it was decided to be sent. */
  createdAt: Date;
  /** When anybody last wrote in the conversation; `undefined`: nobody has. */
  lastInboundAt: Date | undefined;
  conversationId: string;
  conversationExternalId: string;
  participantExternalId: string;
  /** The platform's ids of parts that are out already, from a stream or an interrupted attempt: edit those. */
  externalIds: readonly string[];
};

export type OutboundAttachment = { fileId: Uuid; name: string; contentType: string; sizeBytes: number };

export type SendResult = {
  /** The platform's id of each part, in order. */
  externalIds: readonly string[];
  /** An earlier attempt was interrupted and the platform could not tell whether it had arrived: it may be there twice. */
  uncertain?: boolean;
};

/** How a send goes on. */
export type SendProgress = {
  /** Aborts when the claim is about to run out. */
  signal: AbortSignal;
  /** Commits the platform's id of a part (counted from 1) before the platform is asked for more. */
  keepPart(number: number, externalId: string, details?: { segments?: number }): Promise<void>;
};

/** Where a streamed answer goes while it is being written. */
export type StreamTarget = {
  turnId: string;
  attempt: number;
  conversationId: string;
  conversationExternalId: string;
  /** Who is answered. */
  participantExternalId: string;
  externalIds: readonly string[];
};

export interface ReplyStream {
  /** The whole text so far. Answers at once; the gateway keeps its own pace and may skip all but the latest. */
  show(text: string): void;
  /** Waits for what is on its way. The final text is sent by {@link Gateway.send}, not here. */
  close(): Promise<void>;
  /**
   * Asked once it is closed: whether the platform certainly has no post of it. Absent where nobody can tell; the delivery
   * then takes it that there may be one.
   */
  leftNothing?(): boolean;
  /**
   * Called once it is closed, when the answer has got another post meanwhile: takes away the one that it has made. Absent
   * where an answer keeps the post of its stream.
   */
  takeAway?(): Promise<void>;
}

export type GatewayCapabilities = {
  /**
   * `none`; `preview`: shown while it is written and leaves nothing behind; `post`: the stream makes a post on the
   * platform, which the final text then edits.
   */
  streaming: 'none' | 'preview' | 'post';
  /** An answer that is ready within this time is sent at once instead of being streamed; 0 when absent. */
  streamAfterMs?: number;
};

export type ReachedPlace = { conversationExternalId: string; participantExternalId: string };

export interface Gateway {
  readonly platform: Platform;
  readonly capabilities: GatewayCapabilities;
  /**
   * Sends one message, whole: what the platform's limit splits goes out in several parts. Parts in
   * `message.externalIds` are out already and are made to say what they should. @throws {GatewayError}
   */
  send(channel: OpenChannel, message: OutboundMessage, progress: SendProgress): Promise<SendResult>;
  /**
   * What an address of the platform's stands for, where a message of ours is to begin a conversation. `undefined`: it is no
   * address there. Absent where only the other side begins.
   */
  readAddress?(channel: OpenChannel, address: string): ReachedPlace | undefined;
  /** Tells that somebody is at work on an answer, for as long as the platform shows such a thing. Best-effort. */
  showWorking?(channel: OpenChannel, target: StreamTarget): Promise<void>;
  /** Whether an answer to this target may be streamed; asked before anything is made for it. Yes when absent. */
  mayStream?(target: Pick<StreamTarget, 'conversationExternalId'>): boolean;
  /**
   * Begins to show an answer that is being written. `keepExternalId` commits the platform's id of a post; the gateway
   * calls the platform again only after it has resolved. When it fails the post is nobody's and is to be removed, unless
   * the error is a {@link PostTakenOverError}.
   */
  openStream?(
    channel: OpenChannel,
    target: StreamTarget,
    keepExternalId: (number: number, externalId: string) => Promise<void>,
  ): Promise<ReplyStream>;
  /** Fetches a file that came along with a message, with the channel's own credentials. @throws {GatewayError} */
  openAttachment?(
    channel: OpenChannel,
    source: Readonly<Record<string, unknown>>,
    signal: AbortSignal,
  ): Promise<ReadableStream<Uint8Array>>;
}

export type WebhookReply = { status: number; contentType: string; body: string };

/** The app that was called: the environment's shared one, or one of a tenant's own. */
export type CalledApp = {
  secrets: Readonly<Record<string, string>>;
  /** `undefined` for the shared app. */
  own: OpenChannel | undefined;
};

/** What a verified request is about: an account, whose channel then reads it, or nothing but an answer of ours. */
export type Identified =
  /** Most specific first; `app` is filled in by who knows which app was called. */
  | { kind: 'accounts'; accounts: readonly Omit<AccountKey, 'app'>[] }
  /** `afterwards` goes on after the platform has its answer, and never rejects. */
  | { kind: 'reply'; reply: WebhookReply; afterwards?: () => Promise<void> };

/**
 * How a conversation is reached again, on a platform whose messages say where answers go. Kept for the gateway, which
 * finds it when it sends; only a verified request brings one.
 */
export type ConversationReference = {
  /** Names it among those of its channel. */
  conversationExternalId: string;
  reference: Readonly<Record<string, unknown>>;
  /** Why nothing can be sent there until it is kept again without: the app was removed. */
  blockedReason?: string;
};

export type ParsedWebhook = {
  events: readonly InboundEvent[];
  /** Kept before the events. */
  references?: readonly ConversationReference[];
  /** An empty 200 when absent. */
  reply?: WebhookReply;
};

/** A gateway that the platform calls by webhook: locate (the router's), verify, identify, parse. */
export interface WebhookGateway extends Gateway {
  /** What it takes behind its address: `events`, `messages`, … */
  readonly endpoints: readonly string[];
  /** No request of the platform is larger; what is larger is refused before anything looks at it. */
  readonly bodyBytesMax: number;
  /** How long the platform waits for an answer; 2.5 s when absent. */
  readonly answerWithinMs?: number;
  /** Secrets of the environment's shared app; `undefined`: there is none. */
  readonly sharedApp: Readonly<Record<string, string>> | undefined;
  /** What {@link AccountKey} calls a channel's own app, from its settings. */
  ownApp(channel: OpenChannel): string;
  /**
   * Checks the platform's signature with the app's secrets; `own` is the channel whose address was called, when it is not
   * the shared app's. @throws {WebhookRejectedError}
   */
  verify(
    request: RawRequest,
    secrets: Readonly<Record<string, string>>,
    nowMs: number,
    own?: OpenChannel,
  ): Verified<RawRequest> | Promise<Verified<RawRequest>>;
  /** May look something up where the request does not say whose it is. */
  identify(request: Verified<RawRequest>, app: CalledApp): Identified | Promise<Identified>;
  /** What is answered when no channel claims what it is about; an empty 200 when absent. */
  readonly unclaimed?: (request: Verified<RawRequest>) => WebhookReply | undefined;
  parse(request: Verified<RawRequest>, channel: OpenChannel): ParsedWebhook;
  /** Fills what a person has opened, after the platform has its answer. @throws {GatewayError} */
  open?(channel: OpenChannel, opening: InboundOpening, signal: AbortSignal): Promise<void>;
}
