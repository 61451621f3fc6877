import { decodeProtectedHeader, errors, jwtVerify } from 'jose';
import type { RawRequest, Verified } from '../../gateway.ts';
import { WebhookRejectedError } from '../../gateway-error.ts';
import type { TeamsEndpoints } from '../channel.ts';
import { isOfAnotherTenant, parseActivity } from './activity.ts';
import type { SigningKey, SigningKeys } from './signing-keys.ts';

export type VerifyParts = { keys: SigningKeys; endpoints: TeamsEndpoints; appId: string | undefined };

const algorithm = 'RS256';
const clockToleranceSeconds = 5 * 60;
const tokenLengthMax = 8_192;
/** The one channel that is taken: in others (Direct Line, web chat, email) strangers say whose tenant they are. */
const channel = 'msteams';

/**
 * Checks the token that comes with an activity: of the Bot Framework, for our bot, in time, signed with RS256 by a key
 * that it publishes and that Teams has endorsed, and for exactly this address of the service. The token does not sign the
 * body; what the body says of itself is held against what is signed.
 *
 * @see https://learn.microsoft.com/azure/bot-service/rest-api/bot-framework-rest-connector-authentication
 * @throws {WebhookRejectedError} 401 when the token proves nothing, 403 when it does not allow this activity
 * @throws {SigningKeysUnavailableError}
 */
export async function verifyTeams(
  { keys, endpoints, appId }: VerifyParts,
  request: RawRequest,
  nowMs: number,
): Promise<Verified<RawRequest>> {
  if (!appId) throw new WebhookRejectedError('the Teams channel has no bot');
  const token = readBearer(request);
  const signing = await findKey(keys, endpoints, token);
  const { payload } = await jwtVerify(token, signing.key, {
    issuer: endpoints.cloud.issuer,
    audience: appId,
    algorithms: [algorithm],
    requiredClaims: ['exp'],
    clockTolerance: clockToleranceSeconds,
    currentDate: new Date(nowMs),
  }).catch(explainRefusal);
  assertAllowed(request, signing, payload, endpoints);
  return request as Verified<RawRequest>;
}

function assertAllowed(
  request: RawRequest,
  signing: SigningKey,
  payload: Readonly<Record<string, unknown>>,
  endpoints: TeamsEndpoints,
): void {
  const activity = parseActivity(request.body);
  if (!activity) throw new WebhookRejectedError('the body is no activity', 403);
  if (activity.channelId !== channel)
    throw new WebhookRejectedError('the activity is of another channel than Teams', 403);
  if (!signing.endorsements.has(channel))
    throw new WebhookRejectedError('Teams has not endorsed the key of the token', 403);
  // Microsoft writes it in lower case; its own libraries have read both.
  const claims = [payload['serviceurl'], payload['serviceUrl']].filter((claim) => claim !== undefined);
  if (claims.length === 0 || claims.some((claim) => claim !== activity.serviceUrl))
    throw new WebhookRejectedError('the token is for another serviceUrl', 403);
  // Our token goes there. Only a stand-in may be without TLS.
  if (endpoints.metadataUrl.startsWith('https:') && !activity.serviceUrl?.startsWith('https:'))
    throw new WebhookRejectedError('the serviceUrl is without TLS', 403);
  if (isOfAnotherTenant(activity))
    throw new WebhookRejectedError('the activity names another tenant than its serviceUrl', 403);
}

function readBearer({ headers }: RawRequest): string {
  const { authorization } = headers;
  const [, token] =
    (typeof authorization === 'string' && /^Bearer ([\w-]+\.[\w-]+\.[\w-]+)$/i.exec(authorization)) || [];
  if (token === undefined) throw new WebhookRejectedError('there is no bearer token');
  if (token.length > tokenLengthMax) throw new WebhookRejectedError('the bearer token is too long');
  return token;
}

async function findKey(
  keys: SigningKeys,
  { metadataUrl, cloud }: TeamsEndpoints,
  token: string,
): Promise<SigningKey> {
  const { alg, kid } = readHeader(token);
  // Before any key is looked for: with another algorithm a public key would be a password.
  if (alg !== algorithm) throw new WebhookRejectedError('the token is not signed with RS256');
  if (typeof kid !== 'string' || kid === '' || kid.length > 200)
    throw new WebhookRejectedError('the token names no key');
  const signing = await keys.find({ metadataUrl, issuer: cloud.issuer }, kid);
  if (!signing) throw new WebhookRejectedError('the token is signed with a key that nobody publishes');
  return signing;
}

function readHeader(token: string): { alg?: unknown; kid?: unknown } {
  try {
    return decodeProtectedHeader(token);
  } catch {
    throw new WebhookRejectedError('the bearer token cannot be read');
  }
}

function explainRefusal(error: unknown): never {
  if (error instanceof errors.JWTExpired) throw new WebhookRejectedError('the token has run out');
  if (error instanceof errors.JWTClaimValidationFailed)
    throw new WebhookRejectedError(`the token’s "${error.claim}" is not what it must be`);
  if (error instanceof errors.JOSEError)
    throw new WebhookRejectedError(`the token does not hold (${error.code})`);
  throw error;
}
