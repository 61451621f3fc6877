import { GatewayError, type GatewayFailure } from '../gateway-error.ts';

/** What is known of a call of the API: nothing more than that it was begun, or Twilio's answer. */
export type CallTrace = { status?: number; retryAfter?: string };

/**
 * What a failed call means. Its message holds Twilio's code and nothing that Twilio or the SDK says: numbers and tokens
 * stand in there, and so the error itself is no `cause` either. https://www.twilio.com/docs/api/errors
 */
export function readFailure(error: unknown, { status, retryAfter }: CallTrace, nowMs: number): GatewayError {
  if (error instanceof GatewayError) return error;
  const code = codeOf(error);
  if (status === undefined) return unanswered(code);

  const described = typeof code === 'number' ? `code ${code}, HTTP ${status}` : `HTTP ${status}`;
  const platformCode = typeof code === 'number' ? { platformCode: String(code) } : {};
  if (status === 408 || status >= 500 || (status >= 200 && status < 300))
    return new GatewayError('unavailable', `Twilio’s answer was no usable one (${described}).`, {
      ...platformCode,
      mayHaveArrived: true,
    });
  const failure = failureOf(code, status);
  const retryAfterMs = failure === 'rate_limited' ? readRetryAfterMs(retryAfter, nowMs) : undefined;
  return new GatewayError(failure, `${sentences[failure]} (${described}).`, {
    ...platformCode,
    ...(retryAfterMs !== undefined && { retryAfterMs }),
  });
}

function failureOf(code: number | string | undefined, status: number): GatewayFailure {
  const known = typeof code === 'number' ? byCode.get(code) : undefined;
  if (known) return known;
  // Codes from here on are about the message, and some come with a 403 that is not about the token.
  const isOfMessage = typeof code === 'number' && code >= 21_000 && status !== 429;
  return (isOfMessage ? undefined : byStatus.get(status)) ?? 'message_refused';
}

const byCode: ReadonlyMap<number, GatewayFailure> = new Map([
  ...codes('credentials_refused', 20003, 20005, 20006, 20007, 30002),
  ...codes('rate_limited', 14107, 20429, 21611, 30001, 30022, 63017, 63018, 63038),
  ...codes('recipient_gone', 21211, 21214, 21217, 21401, 21614, 21635, 30003, 30005, 30006, 63003, 63024),
  ...codes('recipient_opted_out', 21610),
  ...codes('outside_window', 63016),
]);

// Not found: the account itself, since that is all that the address of the call names.
const byStatus: ReadonlyMap<number, GatewayFailure> = new Map([
  [401, 'credentials_refused'],
  [403, 'credentials_refused'],
  [404, 'credentials_refused'],
  [429, 'rate_limited'],
]);

const sentences: Readonly<Record<GatewayFailure, string>> = {
  rate_limited: 'Twilio takes no more messages for a while',
  unavailable: 'Twilio cannot be reached',
  not_now: 'The message has to wait',
  credentials_refused: 'Twilio does not take the account and its auth token',
  recipient_gone: 'The number cannot be reached by messages',
  recipient_opted_out: 'The person has opted out at Twilio',
  outside_window: 'WhatsApp takes only templates until the person writes again',
  message_refused: 'Twilio refused the message',
};

function codes(failure: GatewayFailure, ...numbers: number[]): [number, GatewayFailure][] {
  return numbers.map((number) => [number, failure]);
}

/** Twilio's number of an error, or the name that a failed connection has. */
function codeOf(error: unknown): number | string | undefined {
  const code = typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
  return typeof code === 'number' || typeof code === 'string' ? code : undefined;
}

/** The connection was never there, so nothing went over it. */
const neverConnected = new Set([
  ...['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH'],
  ...['CERT_HAS_EXPIRED', 'DEPTH_ZERO_SELF_SIGNED_CERT', 'SELF_SIGNED_CERT_IN_CHAIN'],
  ...['ERR_TLS_CERT_ALTNAME_INVALID', 'UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY'],
]);

function unanswered(code: number | string | undefined): GatewayError {
  return new GatewayError('unavailable', `Twilio gave no answer (${code ?? 'no reason known'}).`, {
    mayHaveArrived: typeof code !== 'string' || !neverConnected.has(code),
  });
}

/** Seconds or a date (RFC 9110 §10.2.3). */
function readRetryAfterMs(retryAfter: string | undefined, nowMs: number): number | undefined {
  if (retryAfter === undefined || retryAfter.trim() === '') return undefined;
  const waitMs = /^\s*\d+\s*$/.test(retryAfter) ? Number(retryAfter) * 1_000 : Date.parse(retryAfter) - nowMs;
  return Number.isFinite(waitMs) ? Math.max(0, waitMs) : undefined;
}
