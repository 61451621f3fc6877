import { z } from 'zod';
import { AppError } from '#domain/errors.ts';
import type { Outside } from './outside.ts';

/** What an issuer says of itself cannot be had, or is not what it is asked for. The reason tells nothing of the answer. */
export class IssuerUnavailableError extends AppError<'issuer_unavailable'> {
  override readonly name = 'IssuerUnavailableError';

  constructor(reason: string, cause?: unknown) {
    super('issuer_unavailable', reason, { retry: 'later', cause });
  }
}

const url = z.string().max(2_000);

/** As much of it as is needed here (OpenID Connect Discovery 1.0 §3, RFC 8414 §2, RFC 9207 §3). */
const metadata = z.object({
  issuer: z.string().max(2_000),
  jwks_uri: url,
  authorization_endpoint: url.optional(),
  token_endpoint: url.optional(),
  token_endpoint_auth_methods_supported: z.array(z.string()).max(50).optional(),
  authorization_response_iss_parameter_supported: z.boolean().optional(),
});
export type IssuerMetadata = z.infer<typeof metadata>;

/** @throws {IssuerUnavailableError | ForbiddenUrlError} */
export async function fetchIssuerMetadata(outside: Outside, issuer: string): Promise<IssuerMetadata> {
  const address = `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`;
  const found = metadata.safeParse(await fetchJson(outside, address));
  if (!found.success)
    throw new IssuerUnavailableError('The metadata of the issuer are not what they must be.');
  // Whoever answers for another issuer's address would stand in for it (OpenID Connect Discovery 1.0 §4.3).
  if (found.data.issuer !== issuer) throw new IssuerUnavailableError('The metadata are of another issuer.');
  return found.data;
}

/** @throws {IssuerUnavailableError | ForbiddenUrlError} */
export async function fetchJson(outside: Outside, address: string): Promise<unknown> {
  try {
    const response = await outside.fetch(address, { headers: { accept: 'application/json' } });
    if (response.status !== 200) {
      await response.body?.cancel();
      throw new IssuerUnavailableError(`The issuer answered ${response.status}.`);
    }
    return await response.json();
  } catch (error) {
    if (error instanceof AppError) throw error;
    throw new IssuerUnavailableError(
      'The issuer did not answer in time, or with more or other than it should.',
    );
  }
}
