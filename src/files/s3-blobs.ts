import { createHash } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { AwsClient } from 'aws4fetch';
import { type BlobKey, type BlobStore, BlobStoreError, checkBlobKey, checkBlobOwner } from './blob-store.ts';
import { explainS3Failure, readS3Code } from './s3-failure.ts';

export type S3Place = {
  /** `https://host[:port]`; the bucket is the first part of the path. */
  endpoint: string;
  bucket: string;
  /** Before every key, without slashes at its ends; may be empty. */
  prefix: string;
  region: string;
  accessKeyId: string;
  secretAccessKey: string;
};

export type S3Options = {
  fetch?: typeof globalThis.fetch;
  /** Until a call is answered, and for each piece of a body that is waited for. */
  timeoutMs?: number;
  backoffMs?: number;
};

type Call = { method: 'GET' | 'PUT' | 'DELETE'; key: BlobKey; body?: Buffer<ArrayBuffer> };

const attemptsMax = 3;

/**
 * Bytes as objects of an S3-compatible store, signed with AWS Signature Version 4: `<prefix>/<tenant>/<file>`. An object
 * appears whole, so nothing else is needed to keep half-written ones away. Every call may be repeated, and is, when the
 * store is away for a moment.
 */
export function createS3Blobs(place: S3Place, options: S3Options = {}): BlobStore {
  const { fetch = globalThis.fetch, timeoutMs = 30_000, backoffMs = 200 } = options;
  const { accessKeyId, secretAccessKey, region } = place;
  const client = new AwsClient({ accessKeyId, secretAccessKey, region, service: 's3', retries: 0 });

  async function call(what: Call): Promise<S3Answer> {
    const url = urlOf(place, what.key);
    for (let attempt = 1; ; attempt++) {
      try {
        return await callOnce(url, what);
      } catch (error) {
        const failure = error instanceof BlobStoreError ? error : explainS3Failure({ error });
        if (failure.code !== 'files_unavailable' || attempt === attemptsMax) throw failure;
      }
      await delay(backoffMs * 2 ** attempt * (0.5 + Math.random() / 2));
    }
  }

  async function callOnce(url: string, { method, body }: Call): Promise<S3Answer> {
    const stop = new AbortController();
    const late = abortLater(stop, timeoutMs);
    try {
      const request = await client.sign(url, {
        method,
        // The hash is signed: also over plain HTTP nobody on the way can change what is stored.
        headers: { 'X-Amz-Content-Sha256': sha256(body ?? ''), 'Content-Type': 'application/octet-stream' },
        ...(body && { body }),
        redirect: 'manual',
        signal: stop.signal,
      });
      const response = await fetch(request);
      if (response.ok) return { body: response.body, stop };
      const code = await readS3Code(response);
      const isAbsent = response.status === 404 && (code === 'NoSuchKey' || code === undefined);
      if (isAbsent && method !== 'PUT') return { body: undefined, stop };
      throw explainS3Failure({ status: response.status, code });
    } finally {
      clearTimeout(late);
    }
  }

  return {
    async put(key, pieces) {
      const held: Uint8Array[] = [];
      for await (const piece of pieces) held.push(piece);
      const { body } = await call({ method: 'PUT', key, body: Buffer.concat(held) });
      await body?.cancel();
    },

    async open(key) {
      const { body, stop } = await call({ method: 'GET', key });
      if (body === undefined) return undefined;
      return readInTime(body, timeoutMs, stop);
    },

    async delete(key) {
      const { body } = await call({ method: 'DELETE', key });
      await body?.cancel();
    },

    // A store of objects has no folders.
    async forgetTenant(tenantId) {
      checkBlobOwner(tenantId);
    },
  };
}

/** `body` is `undefined` when there is no such object, `null` when the answer has none. */
type S3Answer = { body: ReadableStream<Uint8Array> | null | undefined; stop: AbortController };

function urlOf({ endpoint, bucket, prefix }: S3Place, key: BlobKey): string {
  const { tenantId, fileId } = checkBlobKey(key);
  return [endpoint, bucket, ...(prefix === '' ? [] : [prefix]), tenantId, fileId].join('/');
}

function abortLater(stop: AbortController, timeoutMs: number): NodeJS.Timeout {
  return setTimeout(() => stop.abort(new DOMException('No answer in time.', 'TimeoutError')), timeoutMs);
}

function sha256(body: Buffer | string): string {
  return createHash('sha256').update(body).digest('hex');
}

// The time runs while the store is waited for, not while the reader takes its own.
function readInTime(
  body: ReadableStream<Uint8Array> | null,
  timeoutMs: number,
  stop: AbortController,
): ReadableStream<Uint8Array> {
  const reader = (body ?? new Blob([]).stream()).getReader();
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const late = abortLater(stop, timeoutMs);
        try {
          const { done, value } = await reader.read();
          if (done) controller.close();
          else controller.enqueue(value);
        } catch (error) {
          throw explainS3Failure({ error });
        } finally {
          clearTimeout(late);
        }
      },
      cancel: (reason) => reader.cancel(reason),
    },
    { highWaterMark: 0 },
  );
}
