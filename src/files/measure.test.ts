import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { FileTooLargeError } from './file-store.ts';
import { measure } from './measure.ts';

async function readAll(pieces: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const read: Uint8Array[] = [];
  for await (const piece of pieces) read.push(piece);
  return Buffer.concat(read);
}

function streamOf(count: number, sizeBytes: number, onCancel = () => {}): ReadableStream<Uint8Array> {
  let left = count;
  return new ReadableStream({
    pull(controller) {
      if (left-- > 0) controller.enqueue(Buffer.alloc(sizeBytes, 'a'));
      else controller.close();
    },
    cancel: onCancel,
  });
}

describe('bytes that go by', () => {
  test.each([
    ['at once', Buffer.from('abc')],
    ['in pieces', streamOf(3, 1)],
    ['none', new Uint8Array()],
  ])('are counted and hashed as they are: %s', async (_, bytes) => {
    const measuring = measure(bytes, { sizeBytesMax: 3 });
    const read = await readAll(measuring.pieces);
    expect(measuring.result()).toEqual({
      sizeBytes: read.byteLength,
      sha256: createHash('sha256').update(read).digest('hex'),
      head: read,
    });
  });

  test('show no more than their beginning', async () => {
    const measuring = measure(streamOf(5, 1_000), { sizeBytesMax: 10_000 });
    await readAll(measuring.pieces);
    expect(measuring.result().head).toEqual(Buffer.alloc(4_096, 'a'));
  });

  test('end at the first one too many, and the source is told', async () => {
    let cancelled = false;
    const long = streamOf(100, 1_000, () => {
      cancelled = true;
    });
    const measuring = measure(long, { sizeBytesMax: 9_999 });
    let seenBytes = 0;
    const reading = (async () => {
      for await (const piece of measuring.pieces) seenBytes += piece.byteLength;
    })();
    await expect(reading).rejects.toThrow(FileTooLargeError);
    expect(seenBytes).toBe(9_000);
    expect(cancelled).toBe(true);
  });

  test('are not waited for beyond the signal', async () => {
    let cancelled = false;
    const silent = new ReadableStream<Uint8Array>({
      cancel() {
        cancelled = true;
      },
    });
    const measuring = measure(silent, { sizeBytesMax: 10, signal: AbortSignal.timeout(20) });
    await expect(readAll(measuring.pieces)).rejects.toMatchObject({ name: 'TimeoutError' });
    expect(cancelled).toBe(true);
  });

  test('that nobody reads are given up', async () => {
    let cancelled = false;
    const measuring = measure(
      streamOf(1, 1, () => {
        cancelled = true;
      }),
      { sizeBytesMax: 10 },
    );
    measuring.cancel();
    expect(cancelled).toBe(true);
  });
});
