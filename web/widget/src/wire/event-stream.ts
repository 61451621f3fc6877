import type { ChatEvent } from '@swarmgate/contract/web-chat.ts';
import { backoffMs } from './backoff.ts';
import { EventParser } from './event-parser.ts';
import { isTemporary } from './gateway-error.ts';
import { Pause } from './pause.ts';

/** The gateway sends a sign of life every 15 s; after more than two missed ones the connection is dead. */
const silenceMaxMs = 40_000;

export type EventStreamParts = {
  open: (lastEventId: string, signal: AbortSignal) => Promise<ReadableStream<Uint8Array>>;
  onEvent: (event: ChatEvent) => void;
  onConnected: (isConnected: boolean) => void;
  /** The gateway will not have us: trying again cannot help. */
  onRefused: (error: unknown) => void;
};

/** Keeps an event stream open: reconnects with back-off, from the last event that was seen. */
export class EventStream {
  readonly #parts: EventStreamParts;
  readonly #pause = new Pause();
  #parser = new EventParser('');
  #running: AbortController | undefined;

  constructor(parts: EventStreamParts) {
    this.#parts = parts;
  }

  /** Starts anew, after an event or after the last one that was seen; a stream that already runs ends. */
  start(lastEventId = this.#parser.lastEventId): void {
    this.stop();
    this.#parser = new EventParser(lastEventId);
    this.#running = new AbortController();
    void this.#run(this.#running.signal);
  }

  stop(): void {
    this.#running?.abort();
  }

  /** The network is back: do not wait out the pause. */
  wake(): void {
    this.#pause.wake();
  }

  async #run(signal: AbortSignal): Promise<void> {
    for (let failures = 1; ; failures += 1) {
      let error: unknown;
      try {
        await this.#readUntilItEnds(signal, () => {
          failures = 0;
        });
      } catch (caught) {
        error = caught;
      }
      if (signal.aborted) return;
      this.#parts.onConnected(false);
      if (error && !isTemporary(error)) {
        this.#parts.onRefused(error);
        return;
      }
      await this.#pause.for(Math.max(this.#parser.retryMs, backoffMs(failures || 1, error)), signal);
    }
  }

  async #readUntilItEnds(signal: AbortSignal, onChunk: () => void): Promise<void> {
    const { lastEventId } = this.#parser;
    const silence = new AbortController();
    const restart = () => setTimeout(() => silence.abort(), silenceMaxMs);
    let timer = restart();
    try {
      const body = await this.#parts.open(lastEventId, AbortSignal.any([signal, silence.signal]));
      // What the last connection left unfinished does not belong to this one.
      const parser = new EventParser(lastEventId);
      this.#parser = parser;
      const reader = body.getReader();
      const decoder = new TextDecoder();
      this.#parts.onConnected(true);
      for (let read = await reader.read(); !read.done && !signal.aborted; read = await reader.read()) {
        clearTimeout(timer);
        timer = restart();
        onChunk();
        const events = parser.push(decoder.decode(read.value, { stream: true }));
        for (const { event, data } of events)
          this.#parts.onEvent({ event, data: JSON.parse(data) } as ChatEvent);
      }
    } finally {
      clearTimeout(timer);
    }
  }
}
