import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { type CryptoKey, exportJWK, generateKeyPair, type JWK, type JWTPayload, SignJWT } from 'jose';
import { onTestFinished } from 'vitest';

type Algorithm = 'ES256' | 'RS256' | 'EdDSA' | 'PS256';
type SigningKey = { kid: string; alg: Algorithm; privateKey: CryptoKey; publicJwk: JWK };

/** Somebody who has an account at the provider. */
export type ProviderPerson = { sub: string } & Record<string, unknown>;

export type ProviderClient = {
  id: string;
  secret: string;
  redirectUris: readonly string[];
  /** How it must prove itself at the token endpoint. */
  authentication?: 'client_secret_basic' | 'client_secret_post';
};

export type SignOptions = { key?: SigningKey; header?: Record<string, unknown> };

export type IdentityProvider = Awaited<ReturnType<typeof anIdentityProvider>>;

type AtEnd = (end: () => Promise<void>) => void;

/**
 * A provider of OpenID Connect on this machine, as strict as it may be: it refuses what a real one refuses, and what the
 * specifications let it refuse (OpenID Connect Core 1.0, RFC 6749, RFC 7636, RFC 9207). It answers for one issuer.
 */
export async function anIdentityProvider(atEnd: AtEnd = onTestFinished) {
  const clients = new Map<string, ProviderClient>();
  const keys: SigningKey[] = [await aKey('k1', 'ES256')];
  const codes = new Map<string, Code>();
  const complaints: string[] = [];
  const counts = { metadata: 0, keys: 0, token: 0 };
  const instead = new Map<string, (response: ServerResponse) => void>();
  let person: ProviderPerson = { sub: 'nobody' };
  let change: (claims: JWTPayload) => JWTPayload = (claims) => claims;
  let metadataChange: (metadata: Record<string, unknown>) => Record<string, unknown> = (metadata) => metadata;
  let signOptions: SignOptions = {};

  const server = createServer((request, response) => {
    answer(request, response).catch((error: unknown) => {
      complaints.push(String(error));
      response.destroy();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  atEnd(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  const issuer = `http://${host}`;

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', issuer);
    const other = instead.get(url.pathname);
    if (url.pathname === '/.well-known/openid-configuration') counts.metadata++;
    if (url.pathname === '/keys') counts.keys++;
    if (url.pathname === '/token') counts.token++;
    if (other) return other(response);
    switch (`${request.method} ${url.pathname}`) {
      case 'GET /.well-known/openid-configuration':
        return json(response, 200, metadataChange(metadata()));
      case 'GET /keys':
        return json(response, 200, { keys: keys.map(({ publicJwk }) => publicJwk) });
      case 'GET /authorize':
        return authorize(url.searchParams, response);
      case 'POST /token':
        return token(request, response);
      default:
        return json(response, 404, { error: 'not_found' });
    }
  }

  const metadata = () => ({
    issuer,
    authorization_endpoint: `${issuer}/authorize`,
    token_endpoint: `${issuer}/token`,
    jwks_uri: `${issuer}/keys`,
    response_types_supported: ['code'],
    subject_types_supported: ['public'],
    id_token_signing_alg_values_supported: [...new Set(keys.map(({ alg }) => alg))],
    token_endpoint_auth_methods_supported: ['client_secret_basic', 'client_secret_post'],
    code_challenge_methods_supported: ['S256'],
    authorization_response_iss_parameter_supported: true,
  });

  // A person who is signed in at the provider already: they are sent back at once.
  function authorize(asked: URLSearchParams, response: ServerResponse): void {
    const one = (name: string) => (asked.getAll(name).length === 1 ? asked.get(name) : null) ?? '';
    const fault = faultOf(one);
    if (fault) {
      complaints.push(fault);
      json(response, 400, { error: 'invalid_request', error_description: fault });
      return;
    }
    const code = randomBytes(24).toString('base64url');
    codes.set(code, {
      ...{ clientId: one('client_id'), redirectUri: one('redirect_uri'), nonce: one('nonce') },
      ...{ challenge: one('code_challenge'), person, isUsed: false },
    });
    const target = new URL(one('redirect_uri'));
    for (const [name, value] of Object.entries({ code, state: one('state'), iss: issuer }))
      target.searchParams.set(name, value);
    response.writeHead(302, { location: target.href }).end();
  }

  function faultOf(one: (name: string) => string): string | undefined {
    const client = clients.get(one('client_id'));
    if (!client) return 'unknown client';
    if (!client.redirectUris.includes(one('redirect_uri'))) return 'unknown redirect_uri';
    if (one('response_type') !== 'code') return 'response_type';
    if (!one('scope').split(' ').includes('openid')) return 'scope';
    if (one('state').length < 32) return 'state';
    if (one('nonce').length < 32) return 'nonce';
    const isS256 = one('code_challenge_method') === 'S256';
    return isS256 && /^[A-Za-z0-9_-]{43}$/.test(one('code_challenge')) ? undefined : 'PKCE';
  }

  async function token(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const refuse = (status: number, error: string, why: string) => {
      complaints.push(why);
      json(response, status, { error });
    };
    if (!/^application\/x-www-form-urlencoded\b/.test(request.headers['content-type'] ?? ''))
      return refuse(400, 'invalid_request', 'content type');
    const form = new URLSearchParams(await text(request));
    const client = authenticated(request, form);
    if (!client) return refuse(401, 'invalid_client', 'client authentication');
    if (form.get('grant_type') !== 'authorization_code')
      return refuse(400, 'unsupported_grant_type', 'grant');
    const code = codes.get(form.get('code') ?? '');
    if (!code || code.isUsed) return refuse(400, 'invalid_grant', code ? 'code replayed' : 'unknown code');
    code.isUsed = true;
    if (code.clientId !== client.id) return refuse(400, 'invalid_grant', 'code of another client');
    if (form.get('redirect_uri') !== code.redirectUri) return refuse(400, 'invalid_grant', 'redirect_uri');
    const verifier = form.get('code_verifier') ?? '';
    if (!/^[A-Za-z0-9._~-]{43,128}$/.test(verifier) || challengeOf(verifier) !== code.challenge)
      return refuse(400, 'invalid_grant', 'PKCE');
    const now = Math.floor(Date.now() / 1_000);
    const claims = change({
      ...{ iss: issuer, aud: client.id, iat: now, exp: now + 300, nonce: code.nonce, ...code.person },
    });
    json(response, 200, {
      ...{ access_token: randomBytes(16).toString('hex'), token_type: 'Bearer', expires_in: 300 },
      id_token: await sign(claims, signOptions),
    });
  }

  function authenticated(request: IncomingMessage, form: URLSearchParams): ProviderClient | undefined {
    const [scheme, basic = ''] = (request.headers.authorization ?? '').split(' ');
    const isBasic = scheme === 'Basic';
    const [id = '', secret = ''] = isBasic
      ? Buffer.from(basic, 'base64').toString().split(':').map(formDecoded)
      : [form.get('client_id') ?? '', form.get('client_secret') ?? ''];
    const client = clients.get(id);
    const wanted = client?.authentication ?? 'client_secret_basic';
    if (!client || isBasic !== (wanted === 'client_secret_basic')) return undefined;
    if (isBasic && form.has('client_secret')) return undefined;
    return isSame(secret, client.secret) ? client : undefined;
  }

  const sign = (claims: JWTPayload, { key = keys[0], header }: SignOptions = {}): Promise<string> => {
    if (!key) throw new Error('The provider has no key.');
    return new SignJWT(claims)
      .setProtectedHeader({ alg: key.alg, kid: key.kid, ...header })
      .sign(key.privateKey);
  };

  return {
    issuer,
    host,
    /** What it was asked in a way that no provider takes. */
    complaints,
    counts,
    keys,
    sign,
    register: (client: ProviderClient) => void clients.set(client.id, client),
    /** Who signs in from now on. */
    signsIn: (who: ProviderPerson) => {
      person = who;
    },
    /** What is said otherwise in the ID tokens from now on, and how they are signed. */
    misbehave(how: (claims: JWTPayload) => JWTPayload, options: SignOptions = {}) {
      change = how;
      signOptions = options;
    },
    describesItself(how: typeof metadataChange) {
      metadataChange = how;
    },
    /** Answers a path in another way. */
    answers: (path: string, how: (response: ServerResponse) => void) => void instead.set(path, how),
    /** A new key signs from now on; with `only` the others are published no more. */
    async rotate(kid: string, alg: Algorithm = 'ES256', { only = true } = {}): Promise<SigningKey> {
      const key = await aKey(kid, alg);
      if (only) keys.length = 0;
      keys.unshift(key);
      return key;
    },
    /** What a token of somebody says that is good. */
    claimsFor(sub: string, audience: string, more: JWTPayload = {}): JWTPayload {
      const now = Math.floor(Date.now() / 1_000);
      return { iss: issuer, aud: audience, sub, iat: now, exp: now + 300, ...more };
    },
  };
}

type Code = {
  clientId: string;
  redirectUri: string;
  nonce: string;
  challenge: string;
  person: ProviderPerson;
  isUsed: boolean;
};

/** A key pair that is the provider's once it is put among its keys. */
export async function aKey(kid: string, alg: Algorithm): Promise<SigningKey> {
  const { publicKey, privateKey } = await generateKeyPair(alg, { extractable: true });
  return { kid, alg, privateKey, publicJwk: { ...(await exportJWK(publicKey)), kid, alg, use: 'sig' } };
}

// RFC 6749 §2.3.1: both halves are encoded as in a form.
function formDecoded(text: string): string {
  return decodeURIComponent(text.replaceAll('+', ' '));
}

function challengeOf(verifier: string): string {
  return createHash('sha256').update(verifier).digest('base64url');
}

function isSame(a: string, b: string): boolean {
  return a.length === b.length && timingSafeEqual(Buffer.from(a), Buffer.from(b));
}

function json(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store' });
  response.end(JSON.stringify(body));
}
