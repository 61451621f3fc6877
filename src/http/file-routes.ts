import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { ReadableStream as NodeReadableStream } from 'node:stream/web';
import { type Response, Router } from 'express';
import { ProblemError } from '#kernel/problem.ts';

/** A file that a link leads to. `bytes` are `sizeBytes` long. */
export type LinkedFile = {
  name: string;
  contentType: string;
  sizeBytes: number;
  bytes: ReadableStream<Uint8Array>;
};

export type FileRoutesParts = {
  /** `undefined`: the token opens nothing, or nothing any more. */
  openLink: (token: string) => Promise<LinkedFile | undefined>;
};

const stalledMs = 60_000;

/**
 * `GET` and `HEAD /files/<token>`: one file for whoever has a link to it. It is always a download and never a page: what
 * people send is not of this origin.
 */
export function fileRoutes({ openLink }: FileRoutesParts): Router {
  const router = Router();
  router.get('/files/:token', async (request, response) => {
    const { token } = request.params;
    request.url = '/files/…'; // what is logged of a request must not open anything
    const file = await openLink(token);
    if (!file) {
      throw new ProblemError(
        404,
        'file_not_found',
        'File not found',
        'This link leads to no file; links expire, ask for a new one.',
      );
    }
    setHeaders(response, file);
    if (request.method === 'HEAD') {
      await file.bytes.cancel();
      response.end();
      return;
    }
    response.setTimeout(stalledMs, () => response.destroy());
    await sendBytes(response, file);
  });
  return router;
}

function setHeaders(response: Response, { name, contentType, sizeBytes }: LinkedFile): void {
  response.attachment(name); // both forms of the name: RFC 6266, RFC 8187
  response.set({
    'Content-Length': String(sizeBytes),
    'X-Content-Type-Options': 'nosniff',
    'Content-Security-Policy':
      "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; sandbox",
    // What people send is kept nowhere on its way, nor in the browser beyond what its owner saves.
    'Cache-Control': 'no-store',
    'Accept-Ranges': 'none',
  });
  // Past Express, which would add a character set that nobody knows.
  response.setHeader('Content-Type', contentType);
}

async function sendBytes(response: Response, { bytes, sizeBytes }: LinkedFile): Promise<void> {
  try {
    // The same class, declared a second time.
    const source = Readable.fromWeb(bytes as NodeReadableStream<Uint8Array>);
    await pipeline(source, (pieces) => exactly(sizeBytes, pieces), response);
  } catch (error) {
    if ((error as { code?: unknown }).code === 'ERR_STREAM_PREMATURE_CLOSE') return; // the reader left
    throw error;
  }
}

// Half of a file must not pass for a whole one: with fewer bytes than announced the connection breaks.
async function* exactly(sizeBytes: number, pieces: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let sentBytes = 0;
  for await (const piece of pieces) {
    sentBytes += piece.byteLength;
    if (sentBytes > sizeBytes) break;
    yield piece;
  }
  if (sentBytes !== sizeBytes) throw new RangeError('A file is not as long as its row says.');
}
