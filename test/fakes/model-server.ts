import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import { anthropicMessages } from './model-wires/anthropic-messages.ts';
import { chatCompletions } from './model-wires/chat-completions.ts';
import { googleGenerate } from './model-wires/google-generate.ts';
import { openaiResponses } from './model-wires/openai-responses.ts';
import {
  type FakeFinish,
  type FakeUsage,
  isRecord,
  type ModelWire,
  type Refusal,
} from './model-wires/wire.ts';

type ScriptHeaders = Readonly<Record<string, string>>;

/** What the server does with one request. */
export type ModelScript =
  | { kind: 'answer'; pieces: readonly string[]; finish?: FakeFinish; usage?: FakeUsage; delayMs?: number }
  | { kind: 'status'; status: number; headers?: ScriptHeaders; code?: string }
  /** Sends the pieces, then fails: `cut` destroys the socket, `ended` closes in good order but without a final event. */
  | { kind: 'broken'; pieces: readonly string[]; by: 'cut' | 'ended' | 'malformed' | 'overloaded' }
  /** Sends the pieces, then nothing more, and keeps the connection open. Without pieces not even the status comes. */
  | { kind: 'silent'; pieces?: readonly string[] };

export type ModelRequestSeen = {
  path: string;
  headers: IncomingHttpHeaders;
  body: Record<string, unknown>;
  /** The caller closed the connection before the answer was whole. */
  isAborted: boolean;
};

export const modelServerUsage: FakeUsage = {
  inputTokens: 25,
  outputTokens: 12,
  cachedInputTokens: 10,
  reasoningTokens: 4,
};

const wires: readonly ModelWire[] = [openaiResponses, chatCompletions, anthropicMessages, googleGenerate];

/**
 * A model provider on loopback that speaks four wire formats: OpenAI's Responses and chat completions, Anthropic's
 * messages, Gemini's streams. It refuses what the providers refuse (a wrong key, a missing or unknown field), keeps
 * every request, and plays one script a request; without one it answers in three pieces.
 */
export async function startModelServer(key = 'sk-test-0123456789abcdef') {
  const scripts: ModelScript[] = [];
  let usually = (_body: Record<string, unknown>): ModelScript => ({
    kind: 'answer',
    pieces: ['Hello ', 'from ', 'the model.'],
  });
  const requests: ModelRequestSeen[] = [];
  const server = createServer((request, response) => void answer(request, response));

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = request.url ?? '';
    const body: unknown = JSON.parse(await text(request));
    const wire = wires.find((candidate) => candidate.handles(path));
    if (request.method !== 'POST' || !wire || !isRecord(body)) return void response.writeHead(404).end();

    const seen: ModelRequestSeen = { path, headers: request.headers, body, isAborted: false };
    requests.push(seen);
    response.on('close', () => {
      seen.isAborted = !response.writableFinished && !response.errored;
    });
    const refusal = wire.refuse(request.headers, body, key);
    if (refusal) return sendError(response, wire, refusal);
    await play(scripts.shift() ?? usually(body), wire, body, response);
  }

  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const { port } = server.address() as AddressInfo;
  return {
    key,
    host: `127.0.0.1:${port}`,
    /** Without a path: each provider puts its own behind it. */
    url: `http://127.0.0.1:${port}`,
    requests,
    /** What to do with the next requests, in order. */
    next: (...more: ModelScript[]) => void scripts.push(...more),
    /** What to do with requests that no script was told for. */
    answerBy(answer: typeof usually): void {
      usually = answer;
    },
    async close() {
      server.closeAllConnections();
      await server[Symbol.asyncDispose]();
    },
  };
}

export type ModelServer = Awaited<ReturnType<typeof startModelServer>>;

async function play(
  script: ModelScript,
  wire: ModelWire,
  body: Record<string, unknown>,
  response: ServerResponse,
) {
  if (script.kind === 'status') {
    const { status, code = 'api_error', headers } = script;
    return sendError(response, wire, { status, code, message: 'Scripted failure.' }, headers);
  }
  if (script.kind === 'silent' && !script.pieces) return;

  const frames = wire.frames(body);
  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-cache' });
  await flushed(response, frames.begin || ': open\n\n');
  for (const piece of script.pieces ?? []) {
    if (script.kind === 'answer' && script.delayMs !== undefined) await delay(script.delayMs);
    await flushed(response, frames.piece(piece));
  }

  if (script.kind === 'silent') return;
  if (script.kind === 'answer')
    return void response.end(frames.end(script.finish ?? 'stop', script.usage ?? modelServerUsage));
  switch (script.by) {
    case 'cut':
      return void response.destroy(new Error('cut by the script'));
    case 'ended':
      return void response.end();
    case 'malformed':
      return void response.end('data: {"type": "response.output_text.del\n\n');
    case 'overloaded':
      return void response.end(frames.overloaded);
  }
}

function flushed(response: ServerResponse, frame: string): Promise<void> {
  return new Promise((done) => {
    response.write(frame, () => done());
  });
}

function sendError(
  response: ServerResponse,
  wire: ModelWire,
  refusal: Refusal,
  headers: ScriptHeaders = {},
): void {
  response.writeHead(refusal.status, { 'content-type': 'application/json', ...headers });
  response.end(JSON.stringify(wire.error(refusal)));
}
