import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { signatureOf } from './signature-v4.ts';

/** What the store does with one request in place of answering it. */
export type S3Fault =
  | { kind: 'status'; status: number; code?: string }
  /** Takes the request and says nothing. */
  | { kind: 'silent' }
  /** Sends the head and half of the body, then nothing more, or breaks the connection. */
  | { kind: 'half'; then: 'silence' | 'break' };

export type S3Server = Awaited<ReturnType<typeof startS3Server>>;

const keys = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'a/secret+with=signs' };
const skewMs = 15 * 60_000;
const authorizationForm =
  /^AWS4-HMAC-SHA256 Credential=([^/,\s]+)\/(\d{8})\/([^/,\s]+)\/([^/,\s]+)\/aws4_request, ?SignedHeaders=([a-z0-9;-]+), ?Signature=([0-9a-f]{64})$/;

/**
 * An S3-compatible store on loopback with one bucket, addressed by path. It computes each signature itself and refuses
 * what a real one refuses: unknown keys, wrong signatures and regions, clocks that are off, bodies that are not what was
 * signed, other buckets.
 */
export async function startS3Server({ region = 'eu-west-1', bucket = 'swarmgate-files' } = {}) {
  const objects = new Map<string, Buffer>();
  const requests: { method: string; path: string }[] = [];
  const faults: S3Fault[] = [];
  let clockMs = () => Date.now();

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const method = request.method ?? '';
    const path = request.url ?? '';
    requests.push({ method, path });
    const body = await buffer(request);
    const fault = faults.shift();
    if (fault?.kind === 'silent') return;
    if (fault?.kind === 'status') return refuse(response, fault.status, fault.code);

    const refusal = check(request, body);
    if (refusal) return refuse(response, ...refusal);
    const [, name = '', ...rest] = decodeURIComponent(path).split('/');
    if (name !== bucket) return refuse(response, 404, 'NoSuchBucket');
    const key = rest.join('/');
    if (key === '') return refuse(response, 405, 'MethodNotAllowed');

    switch (method) {
      case 'PUT':
        objects.set(key, body);
        return void response.writeHead(200, { etag: `"${hashOf(body, 'md5')}"` }).end();
      case 'DELETE':
        objects.delete(key);
        return void response.writeHead(204).end();
      case 'GET':
        return send(response, objects.get(key), fault);
      default:
        return refuse(response, 405, 'MethodNotAllowed');
    }
  }

  function check(request: IncomingMessage, body: Buffer): [number, string] | undefined {
    const headers = Object.fromEntries(
      Object.entries(request.headers).map(([name, value]) => [name, String(value)]),
    );
    const signed = authorizationForm.exec(headers['authorization'] ?? '');
    if (!signed) return [403, 'AccessDenied'];
    const [, keyId = '', day = '', signedRegion = '', service = '', names = '', signature = ''] = signed;
    const date = headers['x-amz-date'] ?? '';
    const signedHeaders = names.split(';');

    if (keyId !== keys.accessKeyId) return [403, 'InvalidAccessKeyId'];
    if (signedRegion !== region || service !== 's3') return [400, 'AuthorizationHeaderMalformed'];
    if (date.slice(0, 8) !== day) return [403, 'SignatureDoesNotMatch'];
    if (!(Math.abs(readDate(date) - clockMs()) <= skewMs)) return [403, 'RequestTimeTooSkewed'];
    const needed = ['host', ...Object.keys(headers).filter((name) => name.startsWith('x-amz-'))];
    if (needed.some((name) => !signedHeaders.includes(name))) return [403, 'AccessDenied'];
    const { secretAccessKey } = keys;
    const target = request.url ?? '';
    const method = request.method ?? '';
    const expected = signatureOf({ method, target, headers, signedHeaders, date, region, secretAccessKey });
    if (signature !== expected) return [403, 'SignatureDoesNotMatch'];
    if (headers['x-amz-content-sha256'] !== hashOf(body, 'sha256')) return [400, 'XAmzContentSHA256Mismatch'];
    if (method === 'PUT' && headers['content-length'] === undefined) return [411, 'MissingContentLength'];
    return undefined;
  }

  const server = createServer(
    (request, response) => void answer(request, response).catch(() => response.destroy()),
  );
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  return {
    place: {
      ...keys,
      endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
      bucket,
      prefix: '',
      region,
    },
    /** By their keys. */
    objects,
    requests,
    /** What to do with the next requests, in order. */
    next: (...more: S3Fault[]) => void faults.push(...more),
    /** Lets the store's clock show another time. */
    setClock(now: () => number) {
      clockMs = now;
    },
    async close() {
      server.closeAllConnections();
      if (server.listening) await server[Symbol.asyncDispose]();
    },
  };
}

function send(response: ServerResponse, body: Buffer | undefined, fault: S3Fault | undefined): void {
  if (!body) {
    refuse(response, 404, 'NoSuchKey');
    return;
  }
  response.writeHead(200, { 'content-length': body.byteLength, 'content-type': 'application/octet-stream' });
  if (fault?.kind !== 'half') return void response.end(body);
  response.write(body.subarray(0, body.byteLength / 2), () => {
    if (fault.then === 'break') response.destroy();
  });
}

function refuse(response: ServerResponse, status: number, code?: string): void {
  const text =
    code &&
    `<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>${code}</Code><Message>No.</Message></Error>`;
  response.writeHead(status, { 'content-type': 'application/xml' }).end(text);
}

/** `20130524T000000Z` → Unix milliseconds; NaN when it is no such text. */
function readDate(text: string): number {
  const form = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/;
  return Date.parse(text.replace(form, '$1-$2-$3T$4:$5:$6Z'));
}

function hashOf(body: Buffer, algorithm: 'md5' | 'sha256'): string {
  return createHash(algorithm).update(body).digest('hex');
}
