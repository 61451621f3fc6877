import {
  type IncomingHttpHeaders,
  type IncomingMessage,
  type RequestOptions,
  request as requestHttp,
} from 'node:http';
import { request as requestHttps } from 'node:https';

/** More than any channel takes. */
const bodyBytesMax = 20 * 1_048_576;

export type HttpCall = {
  method: 'GET' | 'HEAD' | 'POST';
  /** May hold a user and a password, which go along as Basic credentials. */
  url: string;
  headers?: Readonly<Record<string, string>>;
  body?: string;
  connectTimeoutMs: number;
  /** For the whole answer, once connected. */
  answerTimeoutMs: number;
};

export type HttpAnswer =
  | { status: number; headers: IncomingHttpHeaders; body: Buffer }
  | { failure: 'connection' | 'timeout' };

export type HttpClient = ReturnType<typeof createHttpClient>;

/** Calls what customers give addresses of. Never rejects. */
export function createHttpClient(closing: AbortSignal) {
  const places = new Map<string, URL>();

  return {
    /**
     * Makes an origin such as `https://chat.example.com` be found at another one, as a name server and a proxy that ends
     * TLS do: the Host header keeps the public name, X-Forwarded-Proto the public scheme.
     */
    route(publicOrigin: string, servedAt: string): void {
      places.set(new URL(publicOrigin).origin, new URL(servedAt));
    },

    async call(call: HttpCall): Promise<HttpAnswer> {
      if (!URL.canParse(call.url)) return { failure: 'connection' };
      const url = new URL(call.url);
      const place = places.get(url.origin);
      return send(call, url, place ?? url, place !== undefined, closing);
    },
  };
}

async function send(
  call: HttpCall,
  url: URL,
  place: URL,
  proxied: boolean,
  closing: AbortSignal,
): Promise<HttpAnswer> {
  const forwarded = { 'x-forwarded-proto': url.protocol.slice(0, -1), 'x-forwarded-host': url.host };
  const options: RequestOptions = {
    agent: false,
    signal: closing,
    method: call.method,
    hostname: place.hostname.replace(/^\[|\]$/g, ''),
    port: place.port,
    path: url.pathname + url.search,
    headers: { host: url.host, ...(proxied ? forwarded : {}), ...call.headers },
  };
  if (url.username) options.auth = `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`;

  return new Promise((resolve) => {
    const outgoing = (place.protocol === 'https:' ? requestHttps : requestHttp)(options);
    let late = false;
    const giveUpAfter = (timeoutMs: number) =>
      setTimeout(() => {
        late = true;
        outgoing.destroy();
      }, timeoutMs);
    let timer = giveUpAfter(call.connectTimeoutMs);
    const finish = (answer: HttpAnswer) => {
      clearTimeout(timer);
      resolve(answer);
    };

    outgoing.once('socket', (socket) =>
      socket.once('connect', () => {
        clearTimeout(timer);
        timer = giveUpAfter(call.answerTimeoutMs);
      }),
    );
    outgoing.once('error', () => finish({ failure: late ? 'timeout' : 'connection' }));
    outgoing.once('response', async (response) => {
      try {
        const body = await readBody(response);
        finish({ status: response.statusCode ?? 0, headers: response.headers, body });
      } catch {
        finish({ failure: late ? 'timeout' : 'connection' });
      }
    });
    outgoing.end(call.body);
  });
}

async function readBody(response: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of response) {
    bytes += (chunk as Buffer).length;
    if (bytes > bodyBytesMax) throw new RangeError(`An answer has more than ${bodyBytesMax} bytes.`);
    chunks.push(chunk as Buffer);
  }
  return Buffer.concat(chunks);
}
