import { type BlobFailure, BlobStoreError } from './blob-store.ts';

type S3Failure = { status: number; code: string | undefined } | { error: unknown };

const errorBytesMax = 8_192;

/** What an operator should do, by the store's own code (Amazon S3 API Reference, "Error responses"). */
const failures: Readonly<Record<string, readonly [BlobFailure, string]>> = {
  InvalidAccessKeyId: ['refused', 'The file store does not know the access key of FILES_URL.'],
  SignatureDoesNotMatch: ['refused', 'The file store refuses the secret of FILES_URL.'],
  AccessDenied: [
    'refused',
    'The access key of FILES_URL may not do this; it needs GetObject, PutObject and DeleteObject.',
  ],
  RequestTimeTooSkewed: ['refused', 'The clock of this machine differs too much from the file store’s.'],
  AuthorizationHeaderMalformed: [
    'refused',
    'The bucket of FILES_URL is in another region; name it by ?region=.',
  ],
  PermanentRedirect: ['refused', 'The bucket of FILES_URL is at another endpoint.'],
  TemporaryRedirect: ['unavailable', 'The bucket of FILES_URL is being moved.'],
  NoSuchBucket: ['bucket_missing', 'The bucket of FILES_URL does not exist; make it first.'],
  QuotaExceeded: ['full', 'The quota of the file store is used up.'],
  XMinioStorageFull: ['full', 'The file store is full.'],
};

/** What went wrong with a call, as an error that says what to do. */
export function explainS3Failure(failure: S3Failure): BlobStoreError {
  if ('error' in failure) {
    const isLate = failure.error instanceof DOMException && failure.error.name === 'TimeoutError';
    const what = isLate ? 'does not answer in time' : 'cannot be reached, or breaks off';
    return new BlobStoreError('unavailable', `The file store ${what}.`, failure.error);
  }
  const { status, code } = failure;
  const known = code === undefined ? undefined : failures[code];
  if (known) return new BlobStoreError(...known);
  const said = `The file store answers ${status}${code ? ` (${code})` : ''}`;
  if (status === 507) return new BlobStoreError('full', 'The file store is full.');
  if (status === 408 || status === 429 || status >= 500)
    return new BlobStoreError('unavailable', `${said}; it may pass.`);
  if (status === 404)
    return new BlobStoreError('bucket_missing', `${said}: is the bucket of FILES_URL there?`);
  if (status === 401 || status === 403)
    return new BlobStoreError('refused', `${said}: do the keys of FILES_URL fit?`);
  return new BlobStoreError('refused', `${said}: is FILES_URL right?`);
}

/** The code inside an error's XML. `undefined` when there is none, or when it is no such answer. */
export async function readS3Code(response: Response): Promise<string | undefined> {
  if (!response.body) return undefined;
  let text = '';
  const decoder = new TextDecoder();
  for await (const piece of response.body) {
    text += decoder.decode(piece, { stream: true });
    if (text.length > errorBytesMax) break; // which cancels the rest
  }
  return /<Code>([A-Za-z0-9.]{1,64})<\/Code>/.exec(text)?.[1];
}
