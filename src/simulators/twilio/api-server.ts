import type { IncomingMessage, ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Fault, Faults } from './faults.ts';
import type { ApiCall, Journal } from './journal.ts';
import { type ApiAnswer, type ApiParts, routeApi } from './messages-api.ts';
import { describeRefusal, isRefusal, type Refusal, refuse } from './refusal.ts';

const formBytesMax = 1_048_576;

export type ServerParts = ApiParts & {
  journal: Journal;
  faults: Faults;
  /** Whether an account may call once more in this second. */
  isWithinRate: (accountSid: string) => boolean;
};

/** Answers a request to api.twilio.com, and notes it. */
export async function answerApi(
  parts: ServerParts,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const url = new URL(request.url ?? '/', 'http://api');
  const method = request.method ?? 'GET';
  const credentials = readCredentials(request);
  const call: ApiCall = {
    at: parts.now(),
    method,
    path: url.pathname,
    accountSid: isOwner(parts, credentials) ? credentials?.user : undefined,
    params: method === 'POST' ? await readForm(request) : url.searchParams,
    status: undefined,
    code: undefined,
    fault: undefined,
  };
  parts.journal.calls.push(call);

  const { answer, fault } = await decide(parts, call, credentials);
  call.fault = fault?.kind;
  const loses = fault?.kind === 'drop' || fault?.kind === 'answer_lost';
  const afterwards = answer.kind === 'json' ? answer.afterwards : undefined;
  if (afterwards && response.closed) afterwards();
  else if (afterwards) response.once('close', afterwards);
  if (loses) {
    response.destroy();
    return;
  }
  if (fault?.kind === 'slow') await sleep(fault.delayMs ?? 1_000, undefined, { ref: false });
  call.status = answer.kind === 'redirect' ? 307 : answer.status;
  if (isRefusal(answer)) call.code = answer.code;
  write(response, answer, fault?.retryAfterSeconds);
}

async function decide(
  parts: ServerParts,
  call: ApiCall,
  credentials: { user: string; password: string } | undefined,
): Promise<{ answer: ApiAnswer; fault?: Fault }> {
  const route = routeApi(parts, call.method, call.path);
  const addressed = isRefusal(route) ? undefined : route.accountSid;
  if (call.accountSid === undefined || (addressed !== undefined && addressed !== call.accountSid)) {
    if (credentials)
      parts.journal.violate('credentials', `${call.method} ${call.path} with those of ${credentials.user}`);
    return { answer: refuse(20003) };
  }
  if (isRefusal(route)) return { answer: route };
  if (!parts.isWithinRate(route.accountSid)) return { answer: refuse(20429) };

  const fault = parts.faults.take(route.operation, route.accountSid);
  if (!fault) return { answer: await route.handle(call.params) };
  return { answer: refusalOf(fault) ?? (await route.handle(call.params)), fault };
}

/** What a fault answers instead; `undefined`: it lets the call through. */
function refusalOf({ kind, status, code }: Fault): Refusal | undefined {
  switch (kind) {
    case 'rate_limit':
      return refuse(20429);
    case 'http_500':
    case 'drop':
      return { ...refuse(20500), ...(status ? { status } : {}) };
    case 'error':
      return { kind: 'refused', status: status ?? 400, code: code ?? 20001, message: 'Refused on purpose' };
    case 'slow':
    case 'answer_lost':
      return undefined;
  }
}

function write(response: ServerResponse, answer: ApiAnswer, retryAfterSeconds: number | undefined): void {
  if (answer.kind === 'redirect') {
    response.writeHead(307, { location: answer.location }).end();
    return;
  }
  const retryAfter = retryAfterSeconds === undefined ? {} : { 'retry-after': String(retryAfterSeconds) };
  const challenge = answer.status === 401 ? { 'www-authenticate': 'Basic realm="Twilio API"' } : {};
  const body = isRefusal(answer) ? describeRefusal(answer) : answer.body;
  response.writeHead(answer.status, { 'content-type': 'application/json', ...retryAfter, ...challenge });
  response.end(JSON.stringify(body));
}

function readCredentials(request: IncomingMessage): { user: string; password: string } | undefined {
  const [, encoded] = /^Basic (.+)$/i.exec(request.headers.authorization ?? '') ?? [];
  if (encoded === undefined) return undefined;
  const [user = '', ...password] = Buffer.from(encoded, 'base64').toString('utf8').split(':');
  return { user, password: password.join(':') };
}

function isOwner({ world }: ServerParts, credentials: ReturnType<typeof readCredentials>): boolean {
  return credentials !== undefined && world.account(credentials.user)?.authToken === credentials.password;
}

/** An empty form when it is none. */
async function readForm(request: IncomingMessage): Promise<URLSearchParams> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request) {
    bytes += (chunk as Buffer).length;
    if (bytes <= formBytesMax) chunks.push(chunk as Buffer);
  }
  const isForm = request.headers['content-type']?.startsWith('application/x-www-form-urlencoded');
  return new URLSearchParams(isForm && bytes <= formBytesMax ? Buffer.concat(chunks).toString('utf8') : '');
}
