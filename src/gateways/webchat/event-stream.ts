import type { ChatEvent } from '@swarmgate/contract/web-chat.ts';
import type { Response } from 'express';

const heartbeatMs = 15_000;
/** How long a page waits before it connects again when the stream ends. */
const retryMs = 1_000;
/** A reader that is this far behind is cut off: it connects again and resumes by event id. */
const unreadBytesMax = 1024 * 1024;

/**
 * Turns a response into a stream of Server-Sent Events, which ends when the page leaves or the process stops. The page
 * must still be there: one that has left already says nothing of it any more.
 */
export function openEventStream(response: Response, stop: AbortSignal) {
  const onClose: (() => void)[] = [];
  let closed = false;

  response.writeHead(200, {
    'Content-Type': 'text/event-stream; charset=utf-8',
    'Cache-Control': 'no-store, no-transform',
    'X-Accel-Buffering': 'no',
  });
  response.write(`retry: ${retryMs}\n\n`);

  const heartbeat = setInterval(() => response.write(': still here\n\n'), heartbeatMs);
  const end = () => response.end();
  if (stop.aborted) end();
  stop.addEventListener('abort', end, { once: true });
  response.once('close', () => {
    closed = true;
    clearInterval(heartbeat);
    stop.removeEventListener('abort', end);
    for (const listener of onClose) listener();
  });

  return {
    get closed() {
      return closed;
    },
    send({ event, data }: ChatEvent, id?: number): void {
      if (closed) return;
      if (response.writableLength > unreadBytesMax) {
        response.destroy();
        return;
      }
      const idLine = id === undefined ? '' : `id: ${id}\n`;
      response.write(`${idLine}event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
    },
    /** Resolves when the page has taken what was sent, or has left: what is there to be read is not read into memory. */
    taken: () =>
      new Promise<void>((resolve) => {
        if (closed || !response.writableNeedDrain) return resolve();
        const done = () => {
          response.removeListener('drain', done).removeListener('close', done);
          resolve();
        };
        response.once('drain', done).once('close', done);
      }),
    /** Ends the stream after a fault of ours; the page connects again and misses nothing. */
    fail: () => {
      response.destroy();
    },
    onClose(listener: () => void): void {
      if (closed) listener();
      else onClose.push(listener);
    },
  };
}
