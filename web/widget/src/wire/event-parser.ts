/** One event of a stream as the wire has it. An event that only carried `retry:` has no data and is not reported. */
export type RawEvent = { event: string; data: string };

/**
 * Reads Server-Sent Events out of text that is cut anywhere, as the HTML standard says. It keeps what the stream says
 * about itself: the last event id and the wished pause before a reconnect.
 */
export class EventParser {
  lastEventId: string;
  retryMs: number | undefined;
  #rest = '';
  #event = '';
  #data: string[] = [];

  constructor(lastEventId: string) {
    this.lastEventId = lastEventId;
  }

  push(chunk: string): RawEvent[] {
    // A line feed may follow in the next chunk: only then is it known whether "\r" is a line end of its own.
    const text = this.#rest + chunk;
    const complete = text.endsWith('\r') ? text.slice(0, -1) : text;
    const lines = complete.split(/\r\n?|\n/);
    this.#rest = (lines.pop() ?? '') + text.slice(complete.length);
    return lines.map((line) => this.#readLine(line)).filter((event) => event !== undefined);
  }

  #readLine(line: string): RawEvent | undefined {
    if (line === '') return this.#dispatch();
    const colon = line.indexOf(':');
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '');

    if (field === 'data') this.#data.push(value);
    else if (field === 'event') this.#event = value;
    else if (field === 'id' && !value.includes('\0')) this.lastEventId = value;
    else if (field === 'retry' && /^\d+$/.test(value)) this.retryMs = Number(value);
    return undefined;
  }

  #dispatch(): RawEvent | undefined {
    const event = { event: this.#event || 'message', data: this.#data.join('\n') };
    const hasData = this.#data.length > 0;
    this.#event = '';
    this.#data = [];
    return hasData ? event : undefined;
  }
}
