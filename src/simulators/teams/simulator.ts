import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { answerConnector, type ConnectorParts } from './connector.ts';
import { createFaults } from './faults.ts';
import { createJudge } from './judge.ts';
import { createLimits, type LimitOptions } from './limits.ts';
import { createPeople, type Place } from './people.ts';
import { createSigning } from './signing.ts';
import { createStreams } from './streams.ts';
import { createTokenEndpoint } from './token-endpoint.ts';
import { createUploads } from './uploads.ts';
import { createWorld, type Post } from './world.ts';

export type TeamsSimulatorOptions = {
  /** Any free one when absent. */
  port?: number;
  /** Loopback when absent. */
  host?: string;
  limits?: LimitOptions;
  /** How long a token of a bot lives; an hour when absent. */
  tokenLifetimeSeconds?: number;
  now?: () => number;
};

export type TeamsSimulator = Awaited<ReturnType<typeof startTeamsSimulator>>;

const issuer = 'https://api.botframework.com';
const scope = 'https://api.botframework.com/.default';
const bodyBytesMax = 1_048_576;

/**
 * A strict stand-in for Microsoft Teams on loopback: the OpenID metadata and keys of the Bot Framework, Entra's token
 * endpoint, the connector that bots call, and people whose messages reach the bots with signed tokens. It checks what
 * Microsoft checks, keeps every call, and fails as it is told to.
 */
export async function startTeamsSimulator(options: TeamsSimulatorOptions = {}) {
  const { port = 0, host = '127.0.0.1', now = Date.now } = options;
  let url = '';
  const world = createWorld(now);
  const judge = createJudge();
  const signing = await createSigning(now, issuer);
  const tokens = createTokenEndpoint(
    { world, judge, now, scope },
    () => options.tokenLifetimeSeconds ?? 3_600,
  );
  const streams = createStreams({ world, now });
  const faults = createFaults();
  const counts = { metadata: 0, keys: 0 };
  const uploads = createUploads({ judge, url: () => url });
  const parts: ConnectorParts = {
    ...{ world, judge, tokens, streams, faults, now },
    limits: createLimits(options.limits ?? {}, now),
  };
  const serviceUrlOf = (tenant: string) => `${url}/amer/${tenant}/`;
  const people = createPeople({ world, signing, serviceUrlOf, now });

  const server = createServer((request, response) => {
    void answer(request, response).catch(() => response.destroy());
  });

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname } = new URL(request.url ?? '/', url);
    const body = await readBody(request);
    const json = (status: number, value: object, headers: Readonly<Record<string, string>> = {}) =>
      response
        .writeHead(status, { 'content-type': 'application/json', ...headers })
        .end(JSON.stringify(value));
    if (pathname === '/v1/.well-known/openidconfiguration') {
      counts.metadata += 1;
      const supported = { id_token_signing_alg_values_supported: ['RS256'] };
      json(200, { issuer, jwks_uri: `${url}/v1/.well-known/keys`, ...supported });
      return;
    }
    if (pathname === '/v1/.well-known/keys') {
      counts.keys += 1;
      json(200, signing.keysDocument());
      return;
    }
    const [, authority] = /^\/([^/]+)\/oauth2\/v2\.0\/token$/.exec(pathname) ?? [];
    if (authority !== undefined && request.method === 'POST') {
      const { status, body: told } = tokens.answer(
        decodeURIComponent(authority),
        new URLSearchParams(body.toString()),
      );
      json(status, told);
      return;
    }
    if (pathname.startsWith('/upload/') && request.method === 'PUT') {
      const status = uploads.put(pathname, request.headers, body);
      if (status !== undefined) json(status, {});
      return;
    }
    const [, tenant, rest] = /^\/amer\/([^/]+)\/v3\/conversations(?:\/(.*))?$/.exec(pathname) ?? [];
    if (tenant === undefined) {
      judge.accuse('a call went nowhere', { path: pathname });
      json(404, { error: { code: 'NotFound' } });
      return;
    }
    const answered = await answerConnector(parts, {
      ...{ method: request.method ?? 'GET', tenant, body: body.toString('utf8') },
      segments: rest === undefined ? [] : rest.split('/').map(decodeURIComponent),
      authorization: request.headers.authorization,
    });
    if (answered === 'lost') response.destroy();
    else json(answered.status, answered.body, answered.headers);
  }

  await new Promise<void>((listening, failed) => {
    server.once('error', failed);
    server.listen(port, host, listening);
  });
  url = `http://${host}:${(server.address() as AddressInfo).port}`;

  return {
    url,
    metadataUrl: `${url}/v1/.well-known/openidconfiguration`,
    loginUrl: url,
    serviceUrlOf,
    tell: people.tell,
    activity: people.activity,
    say: people.say,
    edit: people.edit,
    remove: people.remove,
    react: people.react,
    invoke: people.invoke,
    install: people.install,
    mint: signing.mint,
    rotateKeys: signing.rotate,
    addApp: world.addApp,
    addConversation: world.addConversation,
    /** Puts a bot into a group or a channel, without telling it. */
    join(appId: string, conversationId: string): void {
      world.conversations.get(conversationId)?.apps.add(appId);
    },
    direct: world.direct,
    /** A person wants nothing from a bot any more, or does again; the bot is not told. */
    block(appId: string, conversationId: string, isBlocked = true): void {
      const { blockedApps } = world.conversations.get(conversationId) ?? {};
      if (isBlocked) blockedApps?.add(appId);
      else blockedApps?.delete(appId);
    },
    posts: world.postsIn,
    calls: judge.calls,
    violations: judge.violations,
    fail: faults.plan,
    mend: faults.clear,
    revokeTokens: tokens.revoke,
    failTokens: tokens.failNext,
    tokensGiven: tokens.count,
    expireStreams: streams.expire,
    uploads,
    /** A person takes the file that a post offers. */
    takeFile(appId: string, place: Place, post: Post, repeat = 1) {
      const [card] = (post.activity['attachments'] ?? []) as {
        name: string;
        content: { acceptContext: object };
      }[];
      if (!card?.content.acceptContext) throw new Error('The post offers no file.');
      const value = {
        ...{ type: 'fileUpload', action: 'accept', context: card.content.acceptContext },
        uploadInfo: uploads.begin(card.name),
      };
      return people.invoke(appId, place, 'fileConsent/invoke', value, post.id, repeat);
    },
    /** How often the metadata and the keys were asked for. */
    lookups: counts,
    forget: judge.forget,
    async close() {
      server.closeAllConnections();
      await server[Symbol.asyncDispose]();
    },
  };
}

async function readBody(request: IncomingMessage): Promise<Buffer> {
  const pieces: Buffer[] = [];
  let bytes = 0;
  for await (const piece of request as AsyncIterable<Buffer>) {
    bytes += piece.length;
    if (bytes > bodyBytesMax) throw new Error('That is more than Teams takes.');
    pieces.push(piece);
  }
  return Buffer.concat(pieces);
}
