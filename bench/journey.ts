/**
 * `npm run bench`: the whole journey of a message over HTTP, on this machine, generator included.
 *
 * Starts the service as a process of its own on a temporary data directory (or, with BENCH_DATABASE_URL and perhaps
 * BENCH_REDIS_URL, on servers: a database that `swarmgate migrate` has prepared and that may be written to), lets
 * visitors write one message after the other and wait for each answer of `builtin/echo`, and prints what they saw.
 */
import { randomBytes, randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { applyDocument, startService } from './running-service.ts';
import { openEvents, type Session } from './visitor.ts';

const { values: options } = parseArgs({
  options: {
    visitors: { type: 'string', default: '20' },
    seconds: { type: 'string', default: '10' },
    json: { type: 'boolean', default: false },
  },
});
const visitors = Number(options.visitors);
const durationMs = Number(options.seconds) * 1_000;
const key = `wk_bench_${randomBytes(6).toString('hex')}`;

const directory = mkdtempSync(join(tmpdir(), 'swarmgate-bench-'));
const service = await startService(environment());
try {
  await applyDocument(environment(), directory, tenant());
  const latencies = await run(service.url);
  const result = summarise(latencies, service.readyInMs);
  console.log(options.json ? JSON.stringify(result) : describe(result));
} finally {
  await service.stop();
  rmSync(directory, { recursive: true, force: true });
}

function environment(): NodeJS.ProcessEnv {
  const { BENCH_DATABASE_URL, BENCH_REDIS_URL, ...inherited } = process.env;
  return {
    ...inherited,
    DATA_DIR: directory,
    PORT: '0',
    LOG_LEVEL: 'info',
    ...(BENCH_DATABASE_URL && {
      DATABASE_URL: BENCH_DATABASE_URL,
      MASTER_KEYS: process.env['MASTER_KEYS'] ?? `bench:${Buffer.alloc(32, 7).toString('base64')}`,
    }),
    ...(BENCH_REDIS_URL && { REDIS_URL: BENCH_REDIS_URL }),
  };
}

function tenant(): string {
  return `organizations:
  - slug: bench
    name: Bench
    tenants:
      - slug: ${key.replaceAll('_', '-')}
        name: Bench
        settings: { webchat: { messagesPerMinute: 10000, sessionsPerMinute: 100000 } }
        agents: [{ slug: default, model: builtin/echo }]
        channels: [{ slug: site, platform: webchat, key: ${key}, origins: ["http://127.0.0.1:*"] }]
`;
}

type Latencies = { ackMs: number[]; answerMs: number[]; elapsedMs: number };

async function run(base: string): Promise<Latencies> {
  const sessions = await Promise.all(Array.from({ length: visitors }, () => beginSession(base)));
  const streams = await Promise.all(sessions.map((session) => openEvents(base, session)));
  const ackMs: number[] = [];
  const answerMs: number[] = [];
  const begin = performance.now();
  await Promise.all(
    sessions.map(async (session, index) => {
      const stream = streams[index];
      while (stream && performance.now() - begin < durationMs) {
        const sentAt = performance.now();
        const id = await send(base, session, `message of visitor ${index}`);
        ackMs.push(performance.now() - sentAt);
        await stream.answerTo(id);
        answerMs.push(performance.now() - sentAt);
      }
    }),
  );
  const elapsedMs = performance.now() - begin;
  for (const stream of streams) stream.close();
  return { ackMs, answerMs, elapsedMs };
}

async function beginSession(base: string): Promise<Session> {
  const response = await fetch(`${base}/chat/v1/sessions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', origin: base },
    body: JSON.stringify({ key }),
  });
  if (response.status !== 201)
    throw new Error(`A session was refused: ${response.status} ${await response.text()}`);
  return (await response.json()) as Session;
}

async function send(base: string, { token }: Session, text: string): Promise<string> {
  const response = await fetch(`${base}/chat/v1/messages`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
    body: JSON.stringify({ id: randomUUID(), text }),
  });
  if (response.status !== 202)
    throw new Error(`A message was refused: ${response.status} ${await response.text()}`);
  return ((await response.json()) as { id: string }).id;
}

function summarise({ ackMs, answerMs, elapsedMs }: Latencies, readyInMs: number) {
  const at = (values: number[], share: number) =>
    Math.round((values.toSorted((a, b) => a - b)[Math.floor(values.length * share)] ?? 0) * 10) / 10;
  return {
    visitors,
    answers: answerMs.length,
    answersPerSecond: Math.round(answerMs.length / (elapsedMs / 1_000)),
    ackMs: { p50: at(ackMs, 0.5), p99: at(ackMs, 0.99) },
    answerMs: { p50: at(answerMs, 0.5), p99: at(answerMs, 0.99) },
    readyInMs: Math.round(readyInMs),
  };
}

function describe(result: ReturnType<typeof summarise>): string {
  return [
    `${result.visitors} visitors, ${result.answers} answers, ${result.answersPerSecond} answers/s`,
    `acknowledged  p50 ${result.ackMs.p50} ms   p99 ${result.ackMs.p99} ms`,
    `answered      p50 ${result.answerMs.p50} ms   p99 ${result.answerMs.p99} ms`,
    `ready to listen after ${result.readyInMs} ms`,
  ].join('\n');
}
