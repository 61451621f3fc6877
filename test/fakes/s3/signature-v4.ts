import { createHash, createHmac } from 'node:crypto';

export type SignedRequest = {
  method: string;
  /** As it stands in the request line: path and query. */
  target: string;
  headers: Readonly<Record<string, string>>;
  /** Lower-case names, as the request lists them. */
  signedHeaders: readonly string[];
  date: string;
  region: string;
  secretAccessKey: string;
};

/**
 * The signature that Amazon S3 expects, in hexadecimal, by its own paper ("Authenticating Requests: Using the
 * Authorization Header (AWS Signature Version 4)"), written from that and sharing no code with any client.
 */
export function signatureOf(request: SignedRequest): string {
  const { date, region, secretAccessKey } = request;
  const day = date.slice(0, 8);
  const scope = `${day}/${region}/s3/aws4_request`;
  const text = ['AWS4-HMAC-SHA256', date, scope, sha256(canonicalRequest(request))].join('\n');
  const key = [day, region, 's3', 'aws4_request'].reduce<Buffer>(
    (previous, part) => hmac(previous, part),
    Buffer.from(`AWS4${secretAccessKey}`),
  );
  return hmac(key, text).toString('hex');
}

function canonicalRequest({ method, target, headers, signedHeaders }: SignedRequest): string {
  const [path = '', query = ''] = target.split('?', 2);
  const names = [...signedHeaders].sort();
  return [
    method,
    path.split('/').map(encodeAgain).join('/'),
    canonicalQuery(query),
    ...names.map((name) => `${name}:${(headers[name] ?? '').trim().replace(/ +/g, ' ')}`),
    '',
    names.join(';'),
    headers['x-amz-content-sha256'] ?? '',
  ].join('\n');
}

function canonicalQuery(query: string): string {
  if (query === '') return '';
  const pairs = query.split('&').map((pair) => {
    const [name = '', value = ''] = pair.split('=', 2);
    return `${encodeAgain(name)}=${encodeAgain(value)}`;
  });
  return pairs.sort().join('&');
}

// Everything but A-Z a-z 0-9 - . _ ~ is percent-encoded, with capital digits, however the sender spelled it.
function encodeAgain(text: string): string {
  return encodeURIComponent(decodeURIComponent(text)).replace(
    /[!'()*]/g,
    (letter) => `%${letter.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

function hmac(key: Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}
