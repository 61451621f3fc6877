/** One event of a stream as the wire has it. */
export type RawEvent = { event: string; data: string };

/**
 * Reads Server-Sent Events out of text that is cut anywhere. It keeps what the stream says about itself: the last event
 * id and the wished pause before a reconnect.
 */
export class EventParser {
  lastEventId: string;
  retryMs = 0;
  #rest = '';

  constructor(lastEventId: string) {
    this.lastEventId = lastEventId;
  }

  push(chunk: string): RawEvent[] {
    const blocks = (this.#rest + chunk).split(/\r?\n\r?\n/);
    this.#rest = blocks.pop() ?? '';
    return blocks.map((block) => this.#read(block)).filter(({ data }) => data);
  }

  #read(block: string): RawEvent {
    const event: RawEvent = { event: 'message', data: '' };
    for (const [, field, value = ''] of block.matchAll(/^(\w+): ?(.*)$/gm)) {
      if (field === 'data') event.data += event.data ? `\n${value}` : value;
      else if (field === 'event') event.event = value;
      else if (field === 'id') this.lastEventId = value;
      else if (field === 'retry') this.retryMs = Number(value) || 0;
    }
    return event;
  }
}
