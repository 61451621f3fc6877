import {
  WebAPIHTTPError,
  WebAPIPlatformError,
  WebAPIRateLimitedError,
  WebAPIRequestError,
} from '@slack/web-api';
import { GatewayError, type GatewayFailure } from '../../gateway-error.ts';
import { installAgain } from '../../install-pause.ts';

/** One call as it goes: what may break it off, and the HTTP status once there is one. */
export type Exchange = { readonly signal: AbortSignal; status: number | undefined };

/**
 * What a failed call means to the delivery. Only Slack's own code goes into the message: answers and errors of the SDK
 * may hold bodies.
 */
export function describeFailure(error: unknown, method: string, exchange: Exchange): GatewayError {
  if (error instanceof GatewayError) return error;
  if (error instanceof WebAPIRateLimitedError) return rateLimited(method, error.retryAfter * 1_000);
  if (exchange.status === 429) return rateLimited(method); // without saying how long
  if (error instanceof WebAPIHTTPError) return unavailable(method, `HTTP ${error.statusCode}`, true);
  if (error instanceof WebAPIPlatformError) return refused(method, error.data.error);
  return unreachable(error, method, exchange);
}

/** The app has lost its access: nothing will be taken until somebody has given it back. */
const accessEnded: ReadonlySet<string> = new Set([
  'account_inactive',
  'app_uninstalled',
  'invalid_auth',
  'not_authed',
  'token_expired',
  'token_revoked',
]);

/** What is not named here is something about the message itself. @see https://docs.slack.dev/reference/methods/chat.postMessage */
const failures: Readonly<Partial<Record<GatewayFailure, readonly string[]>>> = {
  rate_limited: ['ratelimited', 'rate_limited', 'message_limit_exceeded'],
  unavailable: [
    ...['internal_error', 'fatal_error', 'service_unavailable', 'request_timeout', 'update_failed'],
    ...['messaging_processing_failed', 'external_channel_migrating', 'team_added_to_org'],
  ],
  credentials_refused: [
    ...[
      'invalid_auth',
      'not_authed',
      'token_expired',
      'account_inactive',
      'token_revoked',
      'app_uninstalled',
    ],
    ...['missing_scope', 'not_allowed_token_type', 'no_permission', 'access_denied', 'org_login_required'],
    ...['team_access_not_granted', 'ekm_access_denied', 'enterprise_is_restricted', 'app_access_restricted'],
  ],
  recipient_gone: [
    ...['channel_not_found', 'is_archived', 'is_inactive', 'not_in_channel', 'user_not_found'],
    ...['users_not_found', 'user_not_visible', 'user_disabled', 'cannot_dm_bot', 'messages_tab_disabled'],
  ],
};
const failureByCode = new Map(
  Object.entries(failures).flatMap(([failure, codes]) =>
    codes.map((code) => [code, failure as GatewayFailure] as const),
  ),
);

function refused(method: string, code: unknown): GatewayError {
  // What is no JSON comes as the "code" as well, whole.
  if (typeof code !== 'string' || !/^[a-z][a-z0-9_]{1,79}$/.test(code))
    return unavailable(method, 'something unintelligible', true);
  const failure = failureByCode.get(code) ?? 'message_refused';
  if (failure === 'rate_limited') return rateLimited(method, undefined, code);
  if (failure === 'unavailable') return unavailable(method, code, true, { platformCode: code });
  return new GatewayError(failure, `Slack answered ${method} with ${code}.`, {
    platformCode: code,
    ...(accessEnded.has(code) && {
      channelFault: `Slack refuses the bot token (${code}): the app was removed from the workspace, or its token is another one. ${installAgain}, or give the channel a new botToken.`,
    }),
  });
}

/** What Slack asks to wait, when it does not say. */
const retryAfterMsDefault = 10_000;

function rateLimited(
  method: string,
  retryAfterMs = retryAfterMsDefault,
  platformCode = 'ratelimited',
): GatewayError {
  return new GatewayError('rate_limited', `Slack takes no more ${method} at the moment.`, {
    retryAfterMs,
    platformCode,
  });
}

/** Methods that add something each time: nobody can tell afterwards whether an unanswered one did. */
const addingMethods: ReadonlySet<string> = new Set([
  'chat.appendStream',
  'chat.postMessage',
  'chat.startStream',
  'files.completeUploadExternal',
]);

function unavailable(
  method: string,
  answer: string,
  wasHeard: boolean,
  more: { platformCode?: string; cause?: unknown } = {},
): GatewayError {
  const mayHaveArrived = wasHeard && addingMethods.has(method);
  return new GatewayError('unavailable', `Slack answered ${method} with ${answer}.`, {
    ...more,
    mayHaveArrived,
  });
}

/** Codes of connections that were never made: nothing was said over them. */
const neverConnected: ReadonlySet<unknown> = new Set([
  ...['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH', 'ENETDOWN', 'EADDRNOTAVAIL'],
  ...['UND_ERR_CONNECT_TIMEOUT', 'DEPTH_ZERO_SELF_SIGNED_CERT', 'SELF_SIGNED_CERT_IN_CHAIN'],
  ...['UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'CERT_HAS_EXPIRED', 'ERR_TLS_CERT_ALTNAME_INVALID'],
]);

function unreachable(error: unknown, method: string, { signal }: Exchange): GatewayError {
  const cause = error instanceof WebAPIRequestError ? error.original : error;
  const wasHeard = !causesOf(cause).some((one) => neverConnected.has((one as { code?: unknown }).code));
  const why = signal.aborted ? 'nothing before the time was up' : 'nothing';
  return unavailable(method, why, wasHeard, { cause });
}

function causesOf(error: unknown): unknown[] {
  const chain: unknown[] = [];
  for (let one = error; one instanceof Error && chain.length < 5; one = one.cause) chain.push(one);
  return chain;
}
