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
  url: string;
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

/** Who speaks, by the platform's own id of theirs. */
export type InboundParticipant = {
  externalId: string;
  verified: boolean;
  profile: Readonly<Record<string, unknown>>;
};

/** Where it was said, by the platform's own id of the thread, channel or chat. */
export type InboundAddress = { tenantId: Uuid; channelId: Uuid; conversationExternalId: string };

/** A message to be answered. `key` identifies it among everything its channel ever receives. */
export type InboundMessage = InboundAddress & {
  kind: 'message';
  platform: Platform;
  key: string;
  participant: InboundParticipant;
  text: string;
  content: Readonly<Record<string, unknown>>;
  /** An id for a conversation that is not there yet; one is made when absent. */
  conversationId?: Uuid;
  /** The id that the sender gave the message, given back to it in the transcript. */
  clientId?: string;
};

/** What a platform can tell. `unsupported` is an honest answer, not an error: it is acknowledged and counted. */
export type InboundEvent =
  | InboundMessage
  | (InboundAddress & { kind: 'status'; externalId: string; state: 'sent' | 'delivered' | 'read' | 'failed' })
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
  conversationId: string;
  conversationExternalId: string;
  participantExternalId: string;
  /** The platform's ids of parts that are out already, from a stream or an interrupted attempt: edit those. */
  externalIds: readonly string[];
};

export type SendResult = {
  /** The platform's id of each part, in order. */
  externalIds: readonly string[];
};

/** Where a streamed answer goes while it is being written. */
export type StreamTarget = {
  turnId: string;
  attempt: number;
  conversationId: string;
  conversationExternalId: string;
  externalIds: readonly string[];
};

export interface ReplyStream {
  /** The whole text so far. Answers at once; the gateway keeps its own pace and may skip all but the latest. */
  show(text: string): void;
  /** Waits for what is on its way. The final text is sent by {@link Gateway.send}, not here. */
  close(): Promise<void>;
}

export type GatewayCapabilities = {
  /**
   * `none`; `preview`: shown while it is written and leaves nothing behind; `post`: the stream makes a post on the
   * platform, which the final text then edits.
   */
  streaming: 'none' | 'preview' | 'post';
  /** Whether sending the same message twice shows it once. */
  sendsOnce: boolean;
};

export interface Gateway {
  readonly platform: Platform;
  readonly capabilities: GatewayCapabilities;
  /** Sends one message, whole. @throws {GatewayError} */
  send(channel: Channel, message: OutboundMessage, signal: AbortSignal): Promise<SendResult>;
  /**
   * Begins to show an answer that is being written. `keepExternalId` commits the platform's id of a post; the gateway
   * calls the platform again only after it has resolved.
   */
  openStream?(
    channel: Channel,
    target: StreamTarget,
    keepExternalId: (number: number, externalId: string) => Promise<void>,
  ): Promise<ReplyStream>;
}

/**
 * A gateway that the platform calls by webhook.
 * @public Slack, Discord, Teams and Twilio are written to it; the web chat has a wire of its own.
 */
export interface WebhookGateway extends Gateway {
  /** Which app is spoken to; this chooses the secret, nothing is trusted yet. `undefined`: not one of ours. */
  locate(request: RawRequest): { kind: 'own'; channelKey: string } | { kind: 'shared' } | undefined;
  /** Checks the platform's signature with the app's secrets. @throws {WebhookRejectedError} */
  verify(request: RawRequest, secrets: Readonly<Record<string, string>>): Promise<Verified<RawRequest>>;
  parse(request: Verified<RawRequest>): readonly InboundEvent[];
}
