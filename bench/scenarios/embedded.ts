import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { type Figure, median, percentile } from '../figures.ts';
import { type RunningProcess, runScript, startProcess } from '../processes.ts';
import { runWebChat } from '../webchat/load.ts';
import type { Scenario, ScenarioTools } from './scenario.ts';

const cli = 'bin/swarmgate.js';
const key = 'wk_bench';
const starts = 5;
const visitors = 20;
/** What was only needed to begin, such as the memory of compilers, has been given back by then. */
const restMs = 2_000;

/** 20 visitors of the web chat, each waiting for an answer before the next question. */
export const embedded: Scenario = {
  about:
    'one process without servers: start, memory, web chat; beside the same process on Postgres and Redis',
  async run(tools) {
    const durationMs = 10_000 * tools.scale;
    const alone = await measure({}, durationMs);
    const onServers = await measure(await serversFor(tools), durationMs);
    const beside = (value: number) => ({ what: 'on Postgres and Redis', value });
    const figures: Figure[] = [
      { what: 'first start, on new data', value: alone.firstReadyMs, unit: 'ms' },
      {
        what: 'start again, until it answers',
        value: alone.readyMs,
        unit: 'ms',
        beside: beside(onServers.readyMs),
      },
      { what: 'start again', value: alone.readyMs / 1_000, unit: 's', bar: { atMost: 2 } },
      { what: 'memory while starting again', value: alone.startingMb, unit: 'MB' },
      {
        what: 'memory once started again',
        value: alone.idleMb,
        unit: 'MB',
        beside: beside(onServers.idleMb),
      },
      { what: 'memory once started again', value: alone.idleMb, unit: 'MB', bar: { atMost: 500 } },
      {
        what: 'memory after the load',
        value: alone.workedMb,
        unit: 'MB',
        beside: beside(onServers.workedMb),
      },
      { what: 'answers', value: alone.answersPerSecond, unit: '/s', bar: { atLeast: 100 } },
      {
        what: `answers, ${visitors} visitors`,
        value: alone.answersPerSecond,
        unit: '/s',
        beside: beside(onServers.answersPerSecond),
      },
      {
        what: 'acknowledged, p50',
        value: percentile(alone.ackMs, 0.5),
        unit: 'ms',
        beside: beside(percentile(onServers.ackMs, 0.5)),
      },
      {
        what: 'acknowledged, p99',
        value: percentile(alone.ackMs, 0.99),
        unit: 'ms',
        beside: beside(percentile(onServers.ackMs, 0.99)),
      },
      {
        what: 'answered, p50',
        value: percentile(alone.answerMs, 0.5),
        unit: 'ms',
        beside: beside(percentile(onServers.answerMs, 0.5)),
      },
      {
        what: 'answered, p99',
        value: percentile(alone.answerMs, 0.99),
        unit: 'ms',
        beside: beside(percentile(onServers.answerMs, 0.99)),
      },
    ];
    return figures;
  },
};

async function serversFor({ servers }: ScenarioTools): Promise<NodeJS.ProcessEnv> {
  const env = {
    DATABASE_URL: await servers.createDatabase(),
    REDIS_URL: await servers.takeRedis(),
    MASTER_KEYS: `bench:${Buffer.alloc(32, 7).toString('base64')}`,
  };
  await runScript(cli, ['migrate'], env);
  return env;
}

async function measure(servers: NodeJS.ProcessEnv, durationMs: number) {
  const folder = mkdtempSync(join(tmpdir(), 'swarmgate-bench-'));
  const env = { DATABASE_URL: '', REDIS_URL: '', ...servers, DATA_DIR: folder, PORT: '0', LOG_LEVEL: 'info' };
  const start = () => startProcess(cli, ['start'], env);
  let service: RunningProcess = await start();
  const firstReadyMs = service.readyInMs;
  try {
    const file = join(folder, 'bench.yaml');
    writeFileSync(file, applyFile);
    await runScript(cli, ['apply', file], env);
    const readyMs: number[] = [];
    for (let again = 0; again < starts; again++) {
      await service.stop();
      service = await start();
      readyMs.push(service.readyInMs);
    }
    const startingMb = service.memoryMb();
    await pause(restMs);
    const idleMb = service.memoryMb();
    await runWebChat(service.url, { key, visitors, durationMs: durationMs / 5 });
    const result = await runWebChat(service.url, { key, visitors, durationMs });
    return {
      firstReadyMs,
      readyMs: median(readyMs),
      startingMb,
      idleMb,
      workedMb: service.memoryMb(),
      ...result,
    };
  } finally {
    await service.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

const applyFile = `organizations:
  - slug: bench
    name: Bench
    tenants:
      - slug: bench
        name: Bench
        settings: { webchat: { messagesPerMinute: 10000, sessionsPerMinute: 100000 } }
        agents: [{ slug: default, model: builtin/echo }]
        channels: [{ slug: site, platform: webchat, key: ${key}, origins: ["http://127.0.0.1:*"] }]
`;
