import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import { DiscordRefusal } from './refusal.ts';
import type { Answer, Call, Route } from './rest/call.ts';
import { interactionRoutes } from './rest/interaction-answers.ts';
import { messageRoutes } from './rest/messages.ts';
import { otherRoutes } from './rest/others.ts';
import type { Stage } from './stage.ts';
import type { Json } from './world.ts';

const routes = [...messageRoutes, ...otherRoutes, ...interactionRoutes];

/** The stand-in's addresses: `/api/v10`, files of messages, and the sockets of the gateway. */
export function createDiscordServer(stage: Stage) {
  const server = createServer((request, response) => {
    serve(request, response).catch(() => response.writeHead(500).end());
  });
  server.on('upgrade', (request, connection, head) => stage.sockets.upgrade(request, connection, head));
  return server;

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname, searchParams } = new URL(request.url ?? '/', stage.url());
    const [, fileId] = /^\/attachments\/(\d+)\//.exec(pathname) ?? [];
    const file = fileId === undefined ? undefined : stage.files.get(fileId);
    if (file) return void response.writeHead(200, { 'content-type': file.contentType }).end(file.bytes);
    const [, path = ''] = /^\/api\/v10(\/.*)$/.exec(pathname) ?? [];
    const method = request.method ?? 'GET';
    const route = routes.find((one) => one.method === method && one.path.test(path));
    if (!route) return void response.writeHead(404).end('{"message":"404: Not Found","code":0}');
    const token = /^Bot (.+)$/.exec(request.headers.authorization ?? '')?.[1];
    const app = stage.world.appByToken(token);
    const read = await readBody(request);
    const call: Call = {
      stage,
      app,
      parameters: route.path.exec(path)?.slice(1) ?? [],
      query: searchParams,
      ...read,
    };

    const fault = stage.faults.next(method, path);
    if (fault?.delayMs !== undefined) await delay(fault.delayMs);
    const isKnown = /^DiscordBot \(/.test(request.headers['user-agent'] ?? '');
    const given =
      fault?.kind === 'status'
        ? refusalOf(new DiscordRefusal(fault.status ?? 500, fault.code ?? 0, 'as it was ordered'))
        : fault?.kind === 'drop'
          ? { status: 0 }
          : decide(stage, route, call, method, path, isKnown);
    const { headers = {}, ...answer } = given as Answer & { headers?: Record<string, string> };
    const status = fault?.kind === 'answer_lost' ? 0 : answer.status;
    if ([401, 403, 429].includes(status) && headers['x-ratelimit-scope'] !== 'shared')
      stage.judge.invalid += 1;
    stage.judge.calls.push({ method, path, appId: app?.id, body: read.body, status, atMs: stage.now() });
    if (status === 0) return void response.destroy();
    // An empty answer that called itself JSON would be an error to whoever reads it.
    const isEmpty = answer.body === undefined;
    response.writeHead(status, { ...(!isEmpty && { 'content-type': 'application/json' }), ...headers });
    response.end(isEmpty ? undefined : JSON.stringify(answer.body));
  }
}

function decide(stage: Stage, route: Route, call: Call, method: string, path: string, isKnown: boolean) {
  if (!isKnown) return refusalOf(new DiscordRefusal(403, 40_333, 'internal network error'));
  if (route.auth === 'bot' && !call.app) return refusalOf(new DiscordRefusal(401, 0, '401: Unauthorized'));
  const major = /^\/(?:channels|guilds)\/(\d+)/.exec(path)?.[1] ?? '';
  const bucket = `${method} ${route.path.source}`;
  const taken = stage.limits.take(call.app?.id ?? path, bucket, major, route.auth !== 'bot');
  if (!taken.ok) {
    stage.judge.rateLimited += 1;
    const headers = { ...taken.headers, 'retry-after': String(Math.ceil(taken.retryAfterSeconds)) };
    const body = {
      message: 'You are being rate limited.',
      retry_after: taken.retryAfterSeconds,
      global: taken.global,
    };
    return { status: 429, body, headers };
  }
  try {
    return { ...route.answer(call), headers: taken.headers };
  } catch (error) {
    if (error instanceof DiscordRefusal) return { ...refusalOf(error), headers: taken.headers };
    throw error;
  }
}

function refusalOf({ status, code, message }: DiscordRefusal): Answer {
  return { status, body: { message, code } };
}

async function readBody(request: IncomingMessage): Promise<Pick<Call, 'body' | 'files'>> {
  const bytes = await buffer(request);
  const contentType = request.headers['content-type'] ?? '';
  if (contentType.startsWith('multipart/form-data')) return readForm(bytes, contentType);
  if (contentType.startsWith('application/x-www-form-urlencoded'))
    return { body: Object.fromEntries(new URLSearchParams(bytes.toString())), files: [] };
  return { body: bytes.length === 0 ? {} : (JSON.parse(bytes.toString()) as Json), files: [] };
}

async function readForm(bytes: Buffer, contentType: string): Promise<Pick<Call, 'body' | 'files'>> {
  const form = await new Response(new Uint8Array(bytes), {
    headers: { 'content-type': contentType },
  }).formData();
  const files: { name: string; contentType: string; bytes: Buffer }[] = [];
  for (const [name, value] of form.entries()) {
    if (typeof value === 'string' || !name.startsWith('files[')) continue;
    files.push({ name: value.name, contentType: value.type, bytes: Buffer.from(await value.arrayBuffer()) });
  }
  const json = form.get('payload_json');
  return { body: typeof json === 'string' ? (JSON.parse(json) as Json) : {}, files };
}
