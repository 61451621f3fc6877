import { z } from 'zod';

/**
 * The web chat wire, version 1: what the widget and the gateway say to each other.
 * Ids carry a type prefix (`msg_…`); `sequence` is a message's place in its conversation, from 1.
 */

/** Bounds that hold unless a tenant's settings say otherwise. */
export const webChatDefaults = {
  textLengthMax: 8_000,
  bodyBytesMax: 64 * 1024,
  messagesPerMinute: 30,
  sessionsPerMinute: 60,
} as const;

/** `POST /chat/v1/sessions` */
export const sessionRequest = z.strictObject({
  /** Absent: the web chat of the tenant whose host is asked. */
  key: z.string().min(1).max(200).optional(),
  visitorToken: z.string().max(4_096).optional(),
  identity: z.string().max(8_192).optional(),
  profile: z
    .strictObject({
      name: z.string().max(200).optional(),
      email: z.string().max(320).optional(),
      locale: z.string().max(35).optional(),
    })
    .optional(),
});
export type SessionRequest = z.infer<typeof sessionRequest>;

/** 201 of `POST /chat/v1/sessions` and of `POST /chat/v1/conversations` (start anew). */
export type SessionResponse = {
  /** Bearer token of the other calls, valid until `expiresAt`. */
  token: string;
  /** Keep it in the browser and send it with the next session: it is what makes a visitor the same one. */
  visitorToken: string;
  /** ISO 8601. */
  expiresAt: string;
  conversationId: string;
  agent: {
    name: string;
    /** One line about the agent, e.g. that it answers without a model. */
    description?: string;
    greeting?: string;
    suggestions?: string[];
  };
};

/** `POST /chat/v1/messages`. `id` is a UUID that the client makes; sending it again adds nothing. */
export const messageRequest = z.strictObject({
  id: z.guid(),
  text: z.string().min(1),
});
export type MessageRequest = z.infer<typeof messageRequest>;

/** 202 of `POST /chat/v1/messages`. */
export type MessageAccepted = { id: string; sequence: number; createdAt: string };

export type MessageRole = 'visitor' | 'agent' | 'operator' | 'system';

/** A place that an answer quotes. */
export type MessageSource = { title: string; url?: string; quote?: string };

/** A message as the visitor sees it. `text` is markdown for `agent`, `operator` and `system`, plain text for `visitor`. */
export type ChatMessage = {
  id: string;
  sequence: number;
  role: MessageRole;
  text: string;
  /** Id of the visitor's message that this one answers. */
  inReplyTo?: string;
  sources?: MessageSource[];
  /** The id that the client gave its own message, so that it recognises it. Only on role `visitor`. */
  clientId?: string;
  createdAt: string;
};

/** 200 of `GET /chat/v1/messages?after=SEQUENCE&limit=`; `before=SEQUENCE` pages backwards (newest page first when neither is given). */
export type MessagePage = { messages: ChatMessage[]; hasMore: boolean };

/**
 * `GET /chat/v1/events` (Server-Sent Events). `message` and `message.updated` carry an `id:` for `Last-Event-ID`;
 * the others are best-effort and are not replayed.
 */
export type ChatEvent =
  | { event: 'message'; data: ChatMessage }
  | { event: 'message.updated'; data: ChatMessage }
  /** `text` begins at character `offset` of the answer in the making; a new `attempt` starts over. */
  | { event: 'delta'; data: { turnId: string; attempt: number; offset: number; text: string } }
  | { event: 'typing'; data: { turnId: string } }
  | { event: 'turn'; data: { turnId: string; state: 'started' | 'finished' | 'failed' } };

/** Every refused call answers with this (RFC 9457, `application/problem+json`). */
export type Problem = {
  type: string;
  title: string;
  status: number;
  detail?: string;
  code: string;
  requestId: string;
  /** The places of the request that were not understood. */
  errors?: { pointer: string; detail: string }[];
};
