import { type ChildProcess, fork } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Env } from '#config/env.ts';
import type { ApplyPlan } from '#tenancy/apply/apply-plan.ts';
import type { Installation } from './an-installation.ts';
import { type Diary, openDiary } from './diary.ts';
import { eventually } from './eventually.ts';
import { type Fall, fellNote } from './fall-points.ts';
import type { JourneyRows } from './journey-rows.ts';
import type { FileOffer } from './offer-file.ts';
import type { ServiceProcessNews, ServiceProcessPlan } from './service-process.ts';

export type ServiceProcessOptions = {
  installation: Installation;
  diary: Diary;
  env?: Env;
  /** Made at the first start. */
  plan?: ApplyPlan;
  fall?: Fall;
  platformUrl?: string;
  standIn?: string;
  /** How long the agent takes to say what it says; short when absent. */
  speakingMs?: number;
  /** Short when absent. */
  claimMs?: number;
};

type AtEnd = (end: () => Promise<void>) => void;

const entry = join(import.meta.dirname, 'service-process.ts');
/** The one of bin/swarmgate.js. */
const compileCache = join(import.meta.dirname, '../../node_modules/.cache/swarmgate');
/** Short, so that what a fallen process holds is free soon; long enough for two busy cores. */
const leaseMs = 3_000;
const claimMsDefault = 3_000;
/** How long it may take to start, or to answer, on a machine that is very busy. */
const patienceMs = 40_000;

/** Starts the service as a process of its own. It is killed at the end of the test, if it still runs then. */
export async function aServiceProcess(options: ServiceProcessOptions, atEnd: AtEnd) {
  let child: ChildProcess | undefined;
  let output = '';
  let port = 0;
  atEnd(async () => {
    child?.kill('SIGKILL');
  });

  async function start(plan?: ApplyPlan): Promise<void> {
    const {
      installation,
      diary,
      fall,
      platformUrl,
      env,
      speakingMs,
      standIn,
      claimMs = claimMsDefault,
    } = options;
    const told: ServiceProcessPlan = {
      // The same port again, so that whoever talks to it finds it after a restart.
      env: { ...installation.env, PORT: String(port), ...env },
      redisPrefix: installation.redisPrefix,
      leaseMs,
      claimMs,
      diaryPath: diary.path,
      ...(fall && { fall }),
      ...(plan && { plan }),
      ...(platformUrl && { platformUrl }),
      ...(speakingMs !== undefined && { speakingMs }),
      ...(standIn !== undefined && { standIn }),
    };
    const started = fork(entry, [JSON.stringify(told)], {
      env: { ...process.env, NODE_COMPILE_CACHE: compileCache },
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    child = started;
    for (const stream of [started.stdout, started.stderr]) stream?.on('data', (chunk) => (output += chunk));
    port = (await hear(started, 'ready')).port ?? 0;
  }

  function hear<Kind extends ServiceProcessNews['kind']>(from: ChildProcess, kind: Kind) {
    return new Promise<Extract<ServiceProcessNews, { kind: Kind }>>((resolve, reject) => {
      const onMessage = (message: unknown) => {
        const news = message as ServiceProcessNews;
        if (news.kind !== kind) return;
        from.off('message', onMessage).off('exit', onExit);
        resolve(news as Extract<ServiceProcessNews, { kind: Kind }>);
      };
      const onExit = () => reject(new Error(`It ended: ${output}`));
      from.on('message', onMessage).once('exit', onExit);
      setTimeout(() => reject(new Error(`It did not answer: ${output}`)), patienceMs).unref();
    });
  }

  const ended = (): Promise<number | NodeJS.Signals> =>
    new Promise((resolve) => {
      const running = child;
      if (!running) throw new Error('It has not been started.');
      if (running.exitCode !== null || running.signalCode !== null)
        resolve(running.exitCode ?? (running.signalCode as NodeJS.Signals));
      else running.once('exit', (code, signal) => resolve(code ?? (signal as NodeJS.Signals)));
    });

  await start(options.plan);
  return {
    get url() {
      return `http://127.0.0.1:${port}`;
    },
    /** Everything that it has logged, over all its lives. */
    output: () => output,
    /** Resolves when it is gone: with its exit code, or with what killed it. */
    ended,
    /** Starts it again, on the same port. */
    restart: () => start(),
    signal: (signal: NodeJS.Signals) => child?.kill(signal),
    /** What the tenant `shop` has in the database, which only the process itself can read when it is embedded. */
    async rows(): Promise<JourneyRows> {
      if (!child?.connected) throw new Error(`It does not run: ${output}`);
      const heard = hear(child, 'rows');
      child.send('rows');
      return (await heard).rows;
    },
    /** Says something with a file. */
    offerFile(offer: FileOffer): void {
      child?.send(offer);
    },
    /** Asks it to stop, and answers its exit code. */
    stop(): Promise<number | NodeJS.Signals> {
      child?.kill('SIGTERM');
      return ended();
    },
  };
}

/** An empty diary, which goes with the test. */
export async function aDiary(atEnd: AtEnd): Promise<Diary> {
  const folder = await mkdtemp(join(tmpdir(), 'swarmgate_test_diary_'));
  atEnd(() => rm(folder, { recursive: true }));
  return openDiary(join(folder, 'diary'));
}

/** Waits until the process that shares the diary has fallen. */
export const hasFallen = (diary: Diary): Promise<void> =>
  eventually(() => {
    if (diary.count(fellNote) === 0) throw new Error(`Nobody has fallen yet: ${diary.read().join(', ')}`);
  });
