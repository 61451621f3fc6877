import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

export type Post = {
  id: string;
  /** As it was posted, then after each edit. */
  texts: string[];
};

export type PlatformCall = {
  kind: 'post' | 'edit';
  text: string;
  /** What the caller said about the delivery that it belongs to; absent while an answer is being written. */
  delivery: { id: string; attempt: number; interrupted: boolean } | undefined;
};

/** How the platform answers a call that it does not take. */
export type Refusal = { status: 400 | 403 | 404 | 429 | 503 | 504; retryAfterMs?: number };

export type PostingPlatform = Awaited<ReturnType<typeof startPostingPlatform>>;

/**
 * A chat platform on loopback where answers are posts that can be edited, the same one twice if it is posted twice.
 * It outlives the service, keeps every call, and refuses what a test tells it to.
 */
export async function startPostingPlatform() {
  const posts: Post[] = [];
  const calls: PlatformCall[] = [];
  const refusals: Refusal[] = [];
  const lookAway = async () => {};
  let look: (call: PlatformCall) => Promise<void> = lookAway;

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const [, postId = ''] = (request.url ?? '').split('/');
    const { text: said, delivery } = JSON.parse(await text(request)) as Pick<
      PlatformCall,
      'text' | 'delivery'
    >;
    const call: PlatformCall = { kind: request.method === 'PUT' ? 'edit' : 'post', text: said, delivery };
    calls.push(call);
    await look(call);
    const refusal = refusals.shift();
    if (refusal) {
      response.writeHead(refusal.status).end(JSON.stringify({ retryAfterMs: refusal.retryAfterMs }));
      return;
    }
    const id = call.kind === 'edit' ? postId : `post-${posts.length + 1}`;
    if (call.kind === 'post') posts.push({ id, texts: [said] });
    else posts.find((post) => post.id === id)?.texts.push(said);
    response.end(JSON.stringify({ id }));
  }

  const server = createServer((request, response) => void handle(request, response));
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    posts,
    calls,
    refuseNext: (...more: Refusal[]) => void refusals.push(...more),
    /** Looks at each call before it is answered. */
    onCall(next: (call: PlatformCall) => Promise<void>) {
      look = next;
    },
    /** Begins anew, for another test. */
    forget() {
      posts.length = 0;
      calls.length = 0;
      refusals.length = 0;
      look = lookAway;
    },
    async close() {
      server.closeAllConnections();
      await server[Symbol.asyncDispose]();
    },
  };
}
