import { DiscordAPIError, HTTPError, RateLimitError } from '@discordjs/rest';
import { GatewayError, type GatewayFailure } from '../../gateway-error.ts';
import type { DiscordApp } from '../channel.ts';
import type { DiscordCall } from './api-call.ts';
import { refusedToken } from './invalid-guard.ts';

export type Exchange = { app: DiscordApp; call: DiscordCall; signal: AbortSignal };

/** Discord's own codes. @see https://discord.com/developers/docs/topics/opcodes-and-status-codes#json */
export const codes = {
  unknownChannel: '10003',
  unknownGuild: '10004',
  unknownMember: '10007',
  unknownMessage: '10008',
  unknownUser: '10013',
  unknownWebhook: '10015',
  missingAccess: '50001',
  foreignMessage: '50005',
  cannotDirect: '50007',
  missingPermissions: '50013',
  wrongChannelType: '50024',
  deadToken: '50027',
  threadExists: '160004',
} as const;

const failures: Readonly<Record<string, GatewayFailure>> = {
  [codes.unknownChannel]: 'recipient_gone',
  [codes.unknownGuild]: 'recipient_gone',
  [codes.unknownUser]: 'recipient_gone',
  [codes.cannotDirect]: 'recipient_gone',
  [codes.missingAccess]: 'recipient_gone',
  [codes.missingPermissions]: 'recipient_gone',
  '20016': 'rate_limited', // slow mode
  '20028': 'rate_limited',
  '30046': 'rate_limited', // edits of a message that is older than an hour
  '130000': 'unavailable', // overloaded
};

/**
 * What a failed call means to the delivery. Only Discord's codes go into the message: errors of the SDK hold bodies and,
 * for interactions, tokens in the address.
 */
export function describeFailure(error: unknown, { app, call, signal }: Exchange): GatewayError {
  if (error instanceof GatewayError) return error;
  if (error instanceof RateLimitError)
    return new GatewayError('rate_limited', 'Discord takes no more of these calls at the moment.', {
      retryAfterMs: Math.max(0, Math.ceil(error.retryAfter)),
      platformCode: '429',
    });
  if (error instanceof HTTPError) return unavailable(call, `HTTP ${error.status}`, true);
  if (error instanceof DiscordAPIError) return refused(error, app, call);
  const wasHeard = !causesOf(error).some((one) => neverConnected.has((one as { code?: unknown }).code));
  return unavailable(call, signal.aborted ? 'nothing before the time was up' : 'nothing', wasHeard);
}

function refused({ status, code: given }: DiscordAPIError, app: DiscordApp, call: DiscordCall): GatewayError {
  if (status === 401 && !call.byInteraction) return refusedToken(app);
  if (status >= 500) return unavailable(call, `HTTP ${status}`, true);
  const code = /^\d{1,9}$/.test(String(given)) ? String(given) : String(status);
  const failure = failures[code] ?? (status === 404 ? 'recipient_gone' : 'message_refused');
  const answer = `Discord answered ${call.method} with HTTP ${status}, code ${code}.${remedyOf(code, call)}`;
  return new GatewayError(failure, answer, { platformCode: code });
}

/** Where a permission is missing, and which ones the bot needs. */
function remedyOf(code: string, { route }: DiscordCall): string {
  if (code !== codes.missingAccess && code !== codes.missingPermissions) return '';
  const [, kind, id] = /^\/(channel|guild)s\/(\d+)/.exec(route) ?? [];
  if (id === undefined) return '';
  return kind === 'guild'
    ? ` The bot may not look into the server ${id}: invite it again with the install link.`
    : ` The bot may not do this in the channel ${id}: give its role View Channel, Send Messages, Send Messages in Threads, Create Public Threads and Read Message History there.`;
}

function unavailable({ method }: DiscordCall, answer: string, wasHeard: boolean): GatewayError {
  return new GatewayError('unavailable', `Discord answered ${method} with ${answer}.`, {
    mayHaveArrived: wasHeard && method === 'POST',
  });
}

/** Codes of connections that were never made: nothing was said over them. */
const neverConnected: ReadonlySet<unknown> = new Set([
  ...['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH', 'ENETDOWN', 'EADDRNOTAVAIL'],
  'UND_ERR_CONNECT_TIMEOUT',
]);

function causesOf(error: unknown): unknown[] {
  const chain: unknown[] = [];
  for (let one = error; one instanceof Error && chain.length < 5; one = one.cause) chain.push(one);
  return chain;
}

/** Discord's own code of a failed call. */
export function codeOf(error: unknown): string | undefined {
  return error instanceof GatewayError ? error.platformCode : undefined;
}
