import { errors, jwtVerify } from 'jose';
import {
  AuthorizationResponseError,
  allowInsecureRequests,
  authorizationCodeGrantRequest,
  ClientSecretBasic,
  ClientSecretPost,
  calculatePKCECodeChallenge,
  clockTolerance,
  customFetch,
  processAuthorizationCodeResponse,
  ResponseBodyError,
  validateAuthResponse,
} from 'oauth4webapi';
import { z } from 'zod';
import { AppError } from '#domain/errors.ts';
import { createExpiringCache } from '#kernel/expiring-cache.ts';
import {
  fetchIssuerMetadata,
  type IssuerMetadata,
  IssuerUnavailableError,
} from '../issuers/issuer-metadata.ts';
import type { Outside } from '../issuers/outside.ts';
import type { RemoteKeys } from '../issuers/remote-keys.ts';
import type { SignOnConnection } from './connections.ts';

/** What a provider answered does not hold. The reason is for the trail, and tells nothing of what it said. */
export class ProviderRefusedError extends AppError<'provider_refused'> {
  override readonly name = 'ProviderRefusedError';

  constructor(reason: string) {
    super('provider_refused', reason);
  }
}

export type ProviderConnection = Pick<SignOnConnection, 'issuer' | 'client_id'>;

/** What is ours of one sign-in, and comes back in its answer. */
export type Exchange = { redirectUri: string; state: string; nonce: string; verifier: string };

/** What a provider says of whoever signs in. */
export type ProviderClaims = z.infer<typeof claimsForm>;

/** Identity providers, as far as organizations' people sign in with them (OpenID Connect Core 1.0, code flow with PKCE). */
export interface Providers {
  /** Where the browser is to go. @throws {IssuerUnavailableError} */
  authorizationUrl(
    connection: ProviderConnection,
    exchange: Exchange,
    email: string | undefined,
  ): Promise<URL>;
  /** Who came back. @throws {IssuerUnavailableError | ProviderRefusedError} */
  exchange(
    connection: ProviderConnection & { clientSecret: string },
    exchange: Exchange,
    answer: URLSearchParams,
  ): Promise<ProviderClaims>;
}

/** With a shared secret, or none at all, whoever knows the client's secret or nothing could be anybody. */
const algorithms = ['RS256', 'ES256', 'EdDSA', 'PS256'];
const knownForMs = 10 * 60_000;
const knownMax = 1_000;
const clockToleranceSeconds = 30;
/** An ID token is used within moments of being made. */
const ageMaxSeconds = 600;

const claimsForm = z.object({
  sub: z.string().regex(/^\P{Cc}{1,255}$/u),
  azp: z.string().optional(),
  email: z.string().max(320).optional().catch(undefined),
  // A text that says "true" is no proof.
  email_verified: z.boolean().optional().catch(undefined),
  name: z.string().optional().catch(undefined),
  amr: z.array(z.string()).max(50).optional().catch(undefined),
  acr: z.string().optional().catch(undefined),
});

export function createProviders({
  outside,
  keys,
  nowMs,
}: {
  outside: Outside;
  keys: RemoteKeys;
  nowMs: () => number;
}): Providers {
  const known = createExpiringCache<IssuerMetadata>(knownForMs, knownMax);

  const metadataOf = async (issuer: string) => {
    const metadata = await known(issuer, () => fetchIssuerMetadata(outside, issuer)).catch(
      explainUnavailable,
    );
    const { authorization_endpoint, token_endpoint } = metadata;
    if (authorization_endpoint === undefined || token_endpoint === undefined)
      throw new IssuerUnavailableError('The metadata of the issuer name no endpoints to sign in with.');
    return { ...metadata, authorization_endpoint, token_endpoint };
  };

  const verify = async (
    idToken: string,
    { issuer, client_id }: ProviderConnection,
    jwksUrl: string,
  ): Promise<ProviderClaims> => {
    const { payload } = await jwtVerify(idToken, keys.of({ issuer, jwksUrl }), {
      ...{ algorithms, issuer, audience: client_id },
      requiredClaims: ['sub', 'iat', 'exp', 'nonce'],
      maxTokenAge: ageMaxSeconds,
      clockTolerance: clockToleranceSeconds,
      currentDate: new Date(nowMs()),
    });
    const claims = claimsForm.safeParse(payload);
    if (!claims.success) throw new ProviderRefusedError('The ID token does not say who it is.');
    // Core §3.1.3.7: where it names whom it was issued to, that is us.
    if ((claims.data.azp ?? client_id) !== client_id)
      throw new ProviderRefusedError('The ID token was issued to another client.');
    return claims.data;
  };

  return {
    async authorizationUrl({ issuer, client_id }, { redirectUri, state, nonce, verifier }, email) {
      const { authorization_endpoint } = await metadataOf(issuer);
      const url = checkEndpoint(outside, authorization_endpoint);
      const parameters = {
        ...{ response_type: 'code', client_id, redirect_uri: redirectUri, scope: 'openid email profile' },
        ...{ state, nonce, code_challenge: await calculatePKCECodeChallenge(verifier) },
        ...{ code_challenge_method: 'S256', ...(email !== undefined && { login_hint: email }) },
      };
      for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value);
      return url;
    },

    async exchange(connection, { redirectUri, state, nonce, verifier }, answer) {
      const metadata = await metadataOf(connection.issuer);
      const server = {
        ...{ issuer: metadata.issuer, token_endpoint: metadata.token_endpoint, jwks_uri: metadata.jwks_uri },
        id_token_signing_alg_values_supported: algorithms,
        authorization_response_iss_parameter_supported:
          metadata.authorization_response_iss_parameter_supported ?? false,
      };
      const client = { client_id: connection.client_id, [clockTolerance]: clockToleranceSeconds };
      // The default is Basic (Core §9); a provider that names others is asked in a way that it takes.
      const takesBasic =
        metadata.token_endpoint_auth_methods_supported?.includes('client_secret_basic') ?? true;
      const authentication = takesBasic ? ClientSecretBasic : ClientSecretPost;
      try {
        // State and, where it is there or promised, issuer of the answer (RFC 9207).
        const parameters = validateAuthResponse(server, client, answer, state);
        const response = await authorizationCodeGrantRequest(
          ...([
            server,
            client,
            authentication(connection.clientSecret),
            parameters,
            redirectUri,
            verifier,
          ] as const),
          // Which addresses may be without TLS is for the way out to say.
          { [customFetch]: fetchForm(outside), [allowInsecureRequests]: true },
        );
        const { id_token: idToken } = await processAuthorizationCodeResponse(server, client, response, {
          expectedNonce: nonce,
          requireIdToken: true,
        });
        return await verify(idToken ?? '', connection, metadata.jwks_uri);
      } catch (error) {
        throw explain(error);
      }
    },
  };
}

type FetchForm = (
  address: string,
  options: { body?: unknown } & Omit<RequestInit, 'body'>,
) => Promise<Response>;

// The way out takes texts.
function fetchForm(outside: Outside): FetchForm {
  return (address, { body, ...options }) =>
    outside.fetch(address, { ...options, ...(body instanceof URLSearchParams && { body: body.toString() }) });
}

// Where people are sent to is the provider's word too.
function checkEndpoint(outside: Outside, address: string): URL {
  try {
    return outside.checkAddress(address);
  } catch (error) {
    return explainUnavailable(error);
  }
}

function explainUnavailable(error: unknown): never {
  throw isForbidden(error)
    ? new IssuerUnavailableError('An address of the issuer may not be called from here.')
    : error;
}

// What libraries throw carries tokens and answers along; none of it goes any further.
function explain(error: unknown): unknown {
  if (isForbidden(error))
    return new IssuerUnavailableError('An address of the issuer may not be called from here.');
  if (error instanceof AppError) return error;
  if (error instanceof AuthorizationResponseError || error instanceof ResponseBodyError)
    return new ProviderRefusedError(
      `The provider refused: ${error.error.replaceAll(/[^a-z_]/g, '').slice(0, 50)}.`,
    );
  if (error instanceof errors.JOSEError)
    return new ProviderRefusedError(`The ID token is not good: ${error.code}.`);
  const { code } = error as { code?: unknown };
  if (typeof code === 'string' && code.startsWith('OAUTH_'))
    return new ProviderRefusedError(`What the provider answered is not good: ${code}.`);
  // The network, or an answer that broke off; a key that is none of its kind.
  return error instanceof Error && error.name !== 'TypeError'
    ? new IssuerUnavailableError('The provider did not answer in time, or otherwise than it should.')
    : new IssuerUnavailableError('The provider could not be reached.');
}

function isForbidden(error: unknown): boolean {
  return error instanceof AppError && error.code === 'forbidden_url';
}
