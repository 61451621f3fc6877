import { GatewayError, type GatewayFailure } from '../../gateway-error.ts';
import type { ConnectorFailure } from './sdk.ts';

/** What a call does: `adding` ones add something each time, and nobody can tell afterwards whether one has. */
export type CallKind = 'adding' | 'changing';

/**
 * What a failed call means to the delivery. Only Teams' own code goes into the message.
 *
 * @see https://learn.microsoft.com/microsoftteams/platform/bots/build-conversational-capability#status-codes-from-bot-conversational-apis
 */
export function describeFailure(
  { status, code, retryAfter }: ConnectorFailure,
  kind: CallKind,
): GatewayError {
  const platformCode = status === undefined || code === undefined ? {} : { platformCode: code };
  const said = [status === undefined ? 'nothing' : `HTTP ${status}`, code].filter(Boolean).join(', ');
  const fail = (failure: GatewayFailure, more: { mayHaveArrived?: boolean; retryAfterMs?: number } = {}) =>
    new GatewayError(failure, `Teams answered with ${said}.`, { ...platformCode, ...more });
  const mayHaveArrived = kind === 'adding';
  if (status === undefined) return fail('unavailable', { mayHaveArrived: mayHaveArrived && wasHeard(code) });
  if (status === 429) {
    const retryAfterMs = readRetryAfterMs(retryAfter);
    // Where Teams does not say how long, whoever delivers waits longer each time, and never for as long as the others.
    return fail('rate_limited', retryAfterMs === undefined ? {} : { retryAfterMs });
  }
  // Two changes at once: this one was not made.
  if (status === 412) return fail('unavailable');
  if (status === 408 || status >= 500) return fail('unavailable', { mayHaveArrived });
  return fail(byCode.get(code ?? '') ?? byStatus.get(status) ?? 'message_refused');
}

const byCode: ReadonlyMap<string, GatewayFailure> = new Map([
  ['MessageWritesBlocked', 'recipient_gone'],
  ['ConversationBlockedByUser', 'recipient_gone'],
  ['ForbiddenOperationException', 'recipient_gone'],
  ['BotNotInConversationRoster', 'recipient_gone'],
  ['ConversationNotFound', 'recipient_gone'],
  ['BotDisabledByAdmin', 'recipient_gone'],
  ['MessageSizeTooBig', 'message_refused'],
]);
const byStatus: ReadonlyMap<number, GatewayFailure> = new Map([
  [401, 'credentials_refused'],
  [403, 'recipient_gone'],
  [404, 'recipient_gone'],
]);

/** The conversation takes nothing until the app is let in again. */
export function isBlock(error: unknown): error is GatewayError {
  return error instanceof GatewayError && blocks.has(error.platformCode ?? '');
}

const blocks: ReadonlySet<string> = new Set([
  ...['MessageWritesBlocked', 'ConversationBlockedByUser'],
  // Not, or no longer, installed there.
  ...['BotNotInConversationRoster', 'ForbiddenOperationException'],
]);

/** Codes of connections that were never made: nothing was said over them. */
const neverConnected: ReadonlySet<string> = new Set([
  ...['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH', 'ENETDOWN', 'EADDRNOTAVAIL'],
  ...['DEPTH_ZERO_SELF_SIGNED_CERT', 'SELF_SIGNED_CERT_IN_CHAIN', 'UNABLE_TO_VERIFY_LEAF_SIGNATURE'],
  ...['CERT_HAS_EXPIRED', 'ERR_TLS_CERT_ALTNAME_INVALID'],
]);

function wasHeard(code: string | undefined): boolean {
  return code === undefined || !neverConnected.has(code);
}

const retryAfterMsMax = 60 * 60_000;

function readRetryAfterMs(header: string | undefined): number | undefined {
  if (header === undefined || !/^\d{1,6}(?:\.\d+)?$/.test(header)) return undefined;
  return Math.min(Number(header) * 1_000, retryAfterMsMax);
}
