import type { MessageAccepted, MessageRequest } from '@swarmgate/contract/web-chat.ts';
import type { BrowserStorage } from '../browser-storage.ts';
import { backoffMs } from '../wire/backoff.ts';
import { GatewayError, isTemporary, reasonOf } from '../wire/gateway-error.ts';
import { Pause } from '../wire/pause.ts';
import { newUuid } from './uuid.ts';

/** A message of the visitor that the gateway has not accepted yet. */
export type OutboxEntry = { id: string; text: string; createdAt: string; refusal?: string };

export type OutboxParts = {
  storage: BrowserStorage;
  send: (message: MessageRequest) => Promise<MessageAccepted>;
  onAccepted: (entry: OutboxEntry, accepted: MessageAccepted) => void;
  onChange: (entries: readonly OutboxEntry[]) => void;
};

const prefix = 'outbox:';

/**
 * Sends messages in order, one at a time, until each is accepted; a message that cannot succeed is set aside with its
 * reason and does not hold up the others. Every entry is stored under a name of its own, so that tabs that share the
 * storage do not overwrite each other; two tabs that send the same entry do no harm, as its id makes it count once.
 */
export class Outbox {
  readonly #parts: OutboxParts;
  readonly #pause = new Pause();
  #entries: readonly OutboxEntry[];
  #isSending = false;
  /** The gateway has named a time to wait: nothing that happens here shortens it. */
  #isHeld = false;

  constructor(parts: OutboxParts) {
    this.#parts = parts;
    this.#entries = readStored(parts.storage);
  }

  get entries(): readonly OutboxEntry[] {
    return this.#entries;
  }

  add(text: string): void {
    const entry = { id: newUuid(), text, createdAt: new Date().toISOString() };
    this.#parts.storage.set(prefix + entry.id, JSON.stringify(entry));
    this.#set([...this.#entries, entry]);
    this.flush();
  }

  retry(id: string): void {
    this.#set(this.#entries.map((entry) => (entry.id === id ? withoutRefusal(entry) : entry)));
    this.flush();
  }

  /** The visitor gives the message up, or it turned out to have arrived. */
  remove(id: string): void {
    this.#parts.storage.remove(prefix + id);
    if (this.#entries.some((entry) => entry.id === id))
      this.#set(this.#entries.filter((entry) => entry.id !== id));
  }

  clear(): void {
    for (const entry of this.#entries) this.remove(entry.id);
  }

  /** Sends what waits, now rather than after a pause. */
  flush(): void {
    if (!this.#isHeld) this.#pause.wake();
    if (!this.#isSending) void this.#sendAll();
  }

  async #sendAll(): Promise<void> {
    this.#isSending = true;
    let failures = 0;
    for (let entry = this.#next(); entry; entry = this.#next()) {
      try {
        const accepted = await this.#parts.send({ id: entry.id, text: entry.text });
        failures = 0;
        this.#parts.onAccepted(entry, accepted);
        this.remove(entry.id);
      } catch (error) {
        if (!isTemporary(error)) {
          this.#refuse(entry.id, error);
          continue;
        }
        failures += 1;
        this.#isHeld = error instanceof GatewayError && error.retryAfterMs !== undefined;
        await this.#pause.for(backoffMs(failures, error));
        this.#isHeld = false;
      }
    }
    this.#isSending = false;
  }

  #next(): OutboxEntry | undefined {
    return this.#entries.find((entry) => entry.refusal === undefined);
  }

  #refuse(id: string, error: unknown): void {
    const refusal = reasonOf(error);
    this.#set(this.#entries.map((entry) => (entry.id === id ? { ...entry, refusal } : entry)));
  }

  #set(entries: readonly OutboxEntry[]): void {
    this.#entries = entries;
    this.#parts.onChange(entries);
  }
}

function withoutRefusal({ id, text, createdAt }: OutboxEntry): OutboxEntry {
  return { id, text, createdAt };
}

function readStored(storage: BrowserStorage): OutboxEntry[] {
  return storage
    .names(prefix)
    .flatMap((name) => readEntry(storage.get(name) ?? ''))
    .sort((a, b) => a.createdAt.localeCompare(b.createdAt));
}

function readEntry(stored: string): OutboxEntry[] {
  try {
    return [JSON.parse(stored)];
  } catch {
    // Not ours, or half written: nothing that could be sent.
    return [];
  }
}
