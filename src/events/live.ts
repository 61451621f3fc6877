/**
 * The front door of live updates: what tells open pages, at once and best-effort, that something happened. Losing one
 * loses no fact: who listens reads the facts from the database.
 */

export type LiveTopic = { tenantId: string; conversationId: string };

export type LiveUpdate =
  /** The transcript has changed: read it. */
  | { kind: 'changed' }
  | { kind: 'turn'; turnId: string; state: 'started' | 'finished' | 'failed' }
  /** A piece of an answer in the making, beginning at character `offset`. */
  | { kind: 'delta'; turnId: string; attempt: number; offset: number; text: string }
  /** A reader has come: whoever is writing an answer sends the text so far again. */
  | { kind: 'resend' }
  | { kind: 'cancel'; turnId: string };

export interface LiveUpdates {
  /** Never throws and never waits. */
  publish(topic: LiveTopic, update: LiveUpdate): void;
  /**
   * Resolves when updates flow, or after a second without what carries them; answers the function that ends them. After
   * an interruption comes a `changed`.
   */
  subscribe(topic: LiveTopic, onUpdate: (update: LiveUpdate) => void): Promise<() => void>;
}

/** Pieces of a text that is being written are at most this long, so that every transport carries them whole. */
export const deltaLengthMax = 1_000;

/** Reads what a transport brought; `undefined` when it is not of ours: anybody with the database or Redis may publish. */
export function parseUpdate<Message>(payload: string): Message | undefined {
  try {
    return JSON.parse(payload) as Message;
  } catch {
    return undefined;
  }
}

export function topicKey({ tenantId, conversationId }: LiveTopic): string {
  return `${tenantId}/${conversationId}`;
}
