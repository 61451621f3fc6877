import type { ChatEvent } from '@swarmgate/contract/web-chat.ts';
import { backoffMs } from './backoff.ts';
import { EventParser, type RawEvent } from './event-parser.ts';
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
  #lastEventId = '0';
  #running: AbortController | undefined;

  constructor(parts: EventStreamParts) {
    this.#parts = parts;
  }

  /** Starts anew after an event; a stream that already runs ends. */
  start(lastEventId: string): void {
    this.#lastEventId = lastEventId;
    this.resume();
  }

  /** Goes on after the last event that was seen. */
  resume(): void {
    this.stop();
    this.#running = new AbortController();
    void this.#run(this.#running.signal);
  }

  stop(): void {
    this.#running?.abort();
    this.#running = undefined;
  }

  /** The network is back: do not wait out the pause. */
  wake(): void {
    this.#pause.wake();
  }

  async #run(signal: AbortSignal): Promise<void> {
    let failures = 0;
    while (!signal.aborted) {
      const { error, retryMs, gotThrough } = await this.#readUntilItEnds(signal);
      if (signal.aborted) return;
      this.#parts.onConnected(false);
      if (error !== undefined && !isTemporary(error)) return this.#parts.onRefused(error);

      failures = gotThrough ? 1 : failures + 1;
      await this.#pause.for(Math.max(retryMs ?? 0, backoffMs(failures, error)), signal);
    }
  }

  async #readUntilItEnds(
    signal: AbortSignal,
  ): Promise<{ error?: unknown; retryMs?: number; gotThrough: boolean }> {
    const parser = new EventParser(this.#lastEventId);
    const watchdog = new Watchdog();
    let gotThrough = false;
    const ended = () => ({ gotThrough, ...(parser.retryMs !== undefined && { retryMs: parser.retryMs }) });
    try {
      const both = AbortSignal.any([signal, watchdog.signal]);
      const reader = (await this.#parts.open(this.#lastEventId, both)).getReader();
      const decoder = new TextDecoder();
      this.#parts.onConnected(true);
      for (;;) {
        const { done, value } = await reader.read();
        if (done || signal.aborted) return ended();
        gotThrough = true;
        watchdog.reset();
        for (const raw of parser.push(decoder.decode(value, { stream: true }))) this.#report(raw);
        this.#lastEventId = parser.lastEventId;
      }
    } catch (error) {
      return { ...ended(), error };
    } finally {
      watchdog.stop();
    }
  }

  #report({ event, data }: RawEvent): void {
    try {
      this.#parts.onEvent({ event, data: JSON.parse(data) } as ChatEvent);
    } catch {
      // An event of a later version must not end the stream that carries it.
    }
  }
}

class Watchdog {
  readonly #controller = new AbortController();
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor() {
    this.reset();
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  reset(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#controller.abort(), silenceMaxMs);
  }

  stop(): void {
    clearTimeout(this.#timer);
  }
}
