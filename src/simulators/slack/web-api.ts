import { setTimeout as delay } from 'node:timers/promises';
import { readArguments } from './arguments.ts';
import type { Fault } from './faults.ts';
import type { App, BotToken, TokenState } from './installations.ts';
import type { Json } from './json.ts';
import type { BotCall, Method } from './methods/method.ts';
import { methods } from './methods/table.ts';
import { SlackRefusal } from './refusal.ts';
import type { Stage } from './stage.ts';

export type ApiRequest = {
  method: string;
  /** From the body or the query, without the token. */
  given: Json;
  isJson: boolean;
  token: string | undefined;
  basic: { user: string; password: string } | undefined;
};

/** `undefined`: the connection is closed without an answer. */
export type ApiAnswer = { status: number; headers: Record<string, string>; body: Json } | undefined;

/** Answers a call of the Web API and keeps it for the judge. */
export async function answerApiCall(stage: Stage, request: ApiRequest): Promise<ApiAnswer> {
  const { method: name, given, token: value } = request;
  const token = value === undefined ? undefined : stage.installations.token(value);
  const app = token?.installation.appId ?? (value && stage.installations.appByToken(value)?.appId);
  const teamId = token?.installation.teamId;
  const fault = stage.faults.next(name, { teamId, arguments: given });

  const answer = await answerUnder(fault, () => decide(stage, request, token));
  stage.judge.calls.push({
    method: name,
    appId: app || undefined,
    teamId,
    enterpriseId: token?.installation.enterpriseId,
    arguments: given,
    status: answer?.status ?? 0,
    answer: answer?.body ?? {},
    fault: fault?.kind,
    atMs: stage.now(),
  });
  return answer;
}

async function answerUnder(fault: Fault | undefined, decided: () => ApiAnswer): Promise<ApiAnswer> {
  if (fault?.delayMs !== undefined) await delay(fault.delayMs);
  switch (fault?.kind) {
    case undefined:
    case 'slow':
      return decided();
    case 'drop':
      return undefined;
    case 'answer_lost':
      decided();
      return undefined;
    case 'rate_limit':
      return tooMany(fault.retryAfterSeconds ?? 1);
    case 'ok_false':
      return refused(new SlackRefusal(fault.error ?? 'internal_error'));
    case 'http_500':
      return { status: 500, headers: {}, body: { ok: false, error: 'internal_error' } };
  }
}

function decide(stage: Stage, request: ApiRequest, token: BotToken | undefined): ApiAnswer {
  const method = methods[request.method];
  if (!method) return refused(new SlackRefusal('unknown_method', { req_method: request.method }));
  const given = request.isJson && method.isFormOnly ? {} : request.given;
  try {
    const run = prepare(stage, { ...request, given }, method, token);
    return typeof run === 'number' ? overLimit(stage, run) : done({ ok: true, ...run() });
  } catch (error) {
    if (error instanceof SlackRefusal) return refused(error);
    throw error;
  }
}

/** Whether the call may be made: what it then does, or the seconds to wait. @throws {SlackRefusal} */
function prepare(
  stage: Stage,
  request: ApiRequest,
  method: Method,
  token: BotToken | undefined,
): (() => Json) | number {
  const args = readArguments(request.given);
  const { basic, method: name } = request;
  if (method.token === 'none') return () => method.run({ stage, args, basic });
  if (request.token === undefined) throw new SlackRefusal('not_authed');
  const socketApp = stage.installations.appByToken(request.token);

  if (method.token === 'app') {
    if (!socketApp) throw new SlackRefusal(token ? 'not_allowed_token_type' : 'invalid_auth');
    const waitSeconds = stage.limits.call(name, method.tier, socketApp.appId, '');
    return waitSeconds ?? (() => method.run({ stage, args, app: socketApp }));
  }
  if (socketApp) throw new SlackRefusal('not_allowed_token_type');
  const { installation } = requireActive(token);
  requireScope(installation.scopes, method.scope);
  const app: App = stage.installations.app(installation.appId);
  const { appId, teamId } = installation;
  const violation = (description: string) =>
    void stage.judge.violations.push({ method: name, appId, teamId, description });
  const call: BotCall = { stage, args, app, installation, violation };
  const place = teamId ?? installation.enterpriseId ?? '';
  const waitSeconds = method.limit ? method.limit(call) : stage.limits.call(name, method.tier, appId, place);
  return waitSeconds ?? (() => method.run(call));
}

const refusalOfState = {
  revoked: 'token_revoked',
  expired: 'token_expired',
  inactive: 'account_inactive',
} as const satisfies Record<Exclude<TokenState, 'active'>, string>;

function requireActive(token: BotToken | undefined): BotToken {
  if (!token) throw new SlackRefusal('invalid_auth');
  if (token.state !== 'active') throw new SlackRefusal(refusalOfState[token.state]);
  return token;
}

function requireScope(granted: readonly string[] | undefined, needed: string | undefined): void {
  if (needed === undefined || granted === undefined || granted.includes(needed)) return;
  throw new SlackRefusal('missing_scope', { needed, provided: granted.join(',') });
}

function done(body: Json): ApiAnswer {
  return { status: 200, headers: {}, body };
}

function refused({ error, details }: SlackRefusal): ApiAnswer {
  return { status: 200, headers: {}, body: { ok: false, error, ...details } };
}

function overLimit(stage: Stage, waitSeconds: number): ApiAnswer {
  stage.judge.rateLimited += 1;
  return tooMany(waitSeconds);
}

function tooMany(retryAfterSeconds: number): ApiAnswer {
  return {
    status: 429,
    headers: { 'retry-after': String(retryAfterSeconds) },
    body: { ok: false, error: 'ratelimited' },
  };
}
