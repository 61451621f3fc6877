import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { type Approver, authorize } from './authorize-page.ts';
import { download, signIn, upload } from './file-pages.ts';
import { isJson, type Json, textOf } from './json.ts';
import { answerResponse } from './response-urls.ts';
import type { Stage } from './stage.ts';
import { type ApiRequest, answerApiCall } from './web-api.ts';

/** The simulator's addresses: `/api/`, OAuth, files, answers to interactions, and the sockets. */
export function createSlackServer(stage: Stage, approver: () => Approver | undefined) {
  const server = createServer((request, response) => {
    route(request, response).catch(() => response.writeHead(500).end());
  });
  server.on('upgrade', (request, connection, head) => stage.sockets.upgrade(request, connection, head));
  return server;

  async function route(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname, searchParams } = new URL(request.url ?? '/', stage.url());
    const [, area = '', rest = ''] = /^\/([^/]*)\/?(.*)$/.exec(pathname) ?? [];
    const bearer = /^Bearer (.+)$/i.exec(request.headers.authorization ?? '')?.[1];
    switch (area) {
      case 'api':
        return callApi(request, response, rest, searchParams, bearer);
      case 'oauth': {
        const { status, headers, body } = authorize(stage, approver(), searchParams);
        return void response.writeHead(status, headers).end(body);
      }
      case 'response': {
        const answer = answerResponse(stage, rest, parseJson(await buffer(request)));
        return void response.writeHead(answer.status).end(answer.body);
      }
      case 'files-pri':
        return send(response, download(stage, pathname, bearer));
      case 'upload': {
        const contentType = request.headers['content-type'] ?? '';
        const fileId = rest.replace(/^v1\//, '');
        return send(response, await upload(stage, fileId, { contentType, body: await buffer(request) }));
      }
      case 'signin':
        return send(response, signIn());
      default:
        return void response.writeHead(404).end();
    }
  }

  async function callApi(
    request: IncomingMessage,
    response: ServerResponse,
    method: string,
    query: URLSearchParams,
    bearer: string | undefined,
  ): Promise<void> {
    const read = readCall(request, query, await buffer(request));
    const answer = await answerApiCall(stage, { ...read, method, token: bearer ?? read.token });
    if (!answer) return void response.destroy();
    response
      .writeHead(answer.status, { 'content-type': 'application/json; charset=utf-8', ...answer.headers })
      .end(JSON.stringify(answer.body));
  }
}

function send(
  response: ServerResponse,
  answer: { status: number; headers: Record<string, string>; body: string | Buffer } | undefined,
): void {
  if (!answer) return void response.destroy();
  response.writeHead(answer.status, answer.headers).end(answer.body);
}

/** A token in a JSON body counts for nothing; in a form it does. */
function readCall(
  request: IncomingMessage,
  query: URLSearchParams,
  body: Buffer,
): Omit<ApiRequest, 'method'> {
  const isJsonBody = (request.headers['content-type'] ?? '').startsWith('application/json');
  const fields = isJsonBody ? parseJson(body) : Object.fromEntries(new URLSearchParams(body.toString()));
  const { token, ...given } = { ...Object.fromEntries(query), ...fields };
  const inForm = isJsonBody ? undefined : textOf(token) || undefined;
  return { given, isJson: isJsonBody, token: inForm, basic: readBasic(request.headers.authorization) };
}

function readBasic(header = ''): ApiRequest['basic'] {
  const encoded = /^Basic (.+)$/i.exec(header)?.[1];
  if (encoded === undefined) return undefined;
  const [user = '', ...password] = Buffer.from(encoded, 'base64').toString().split(':');
  return { user, password: password.join(':') };
}

function parseJson(body: Buffer): Json {
  try {
    const parsed: unknown = JSON.parse(body.toString());
    return isJson(parsed) ? parsed : {};
  } catch {
    return {};
  }
}
