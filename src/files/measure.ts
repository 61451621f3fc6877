import { createHash } from 'node:crypto';
import { FileTooLargeError } from './file-store.ts';

export type Measured = {
  sizeBytes: number;
  /** Hexadecimal. */
  sha256: string;
  /** The first bytes, to tell by what it is. */
  head: Uint8Array;
};

export type Measuring = {
  /** To be read once. */
  pieces: AsyncIterable<Uint8Array>;
  /** What has gone by; of use when `pieces` have come to their end. */
  result(): Measured;
  /** For bytes that nobody will read: whoever gives them may stop. */
  cancel(): void;
};

const headBytes = 4_096;

/**
 * Counts and hashes bytes as they go by. They end with {@link FileTooLargeError} at the first one beyond `sizeBytesMax`,
 * whatever was announced, and with the reason of `signal` when that aborts, also while the next one is waited for.
 */
export function measure(
  bytes: ReadableStream<Uint8Array> | Uint8Array,
  { sizeBytesMax, signal }: { sizeBytesMax: number; signal?: AbortSignal },
): Measuring {
  const reader = (bytes instanceof Uint8Array ? oneOf(bytes) : bytes).getReader();
  const hash = createHash('sha256');
  const first: Uint8Array[] = [];
  let firstBytes = 0;
  let sizeBytes = 0;
  // Not awaited: a source may never answer it.
  const cancel = () => void reader.cancel().catch(() => {});

  async function* read(): AsyncGenerator<Uint8Array> {
    try {
      for (;;) {
        const { done, value } = await (signal ? orAborted(signal, reader.read()) : reader.read());
        if (done) return;
        sizeBytes += value.byteLength;
        if (sizeBytes > sizeBytesMax) throw new FileTooLargeError(sizeBytesMax);
        hash.update(value);
        if (firstBytes < headBytes) {
          const part = value.slice(0, headBytes - firstBytes);
          first.push(part);
          firstBytes += part.byteLength;
        }
        yield value;
      }
    } finally {
      cancel();
    }
  }

  return {
    pieces: read(),
    result: () => ({ sizeBytes, sha256: hash.copy().digest('hex'), head: Buffer.concat(first) }),
    cancel,
  };
}

/** The outcome of `promise`, or the reason of `signal` if that comes first. */
export async function orAborted<T>(signal: AbortSignal, promise: Promise<T>): Promise<T> {
  let stop = () => {};
  const aborted = new Promise<never>((_, reject) => {
    stop = () => reject(signal.reason);
    if (signal.aborted) stop();
    else signal.addEventListener('abort', stop, { once: true });
  });
  return Promise.race([promise, aborted]).finally(() => signal.removeEventListener('abort', stop));
}

function oneOf(bytes: Uint8Array): ReadableStream<Uint8Array> {
  return new ReadableStream({
    start(controller) {
      if (bytes.byteLength > 0) controller.enqueue(bytes);
      controller.close();
    },
  });
}
