import { setTimeout as sleep } from 'node:timers/promises';
import type { Fault } from './fault-plan.ts';
import type { RoleProcess } from './role-process.ts';
import type { Stage } from './stage.ts';

/** What became of a planned fault. */
export type Injected = {
  fault: Fault;
  /** False: the point was not reached. */
  isMet: boolean;
  endedAtMs: number;
};

/** Lets the faults happen at their times. Resolves when the last of them has ended and every process is there again. */
export async function injectFaults(stage: Stage, faults: readonly Fault[]): Promise<Injected[]> {
  const injected = await Promise.all(
    faults.map(async (fault) => {
      await sleep(fault.atMs);
      const isMet = await injectOne(stage, fault);
      return { fault, isMet, endedAtMs: performance.now() };
    }),
  );
  await stage.allReady();
  return injected;
}

async function injectOne(stage: Stage, fault: Fault): Promise<boolean> {
  switch (fault.kind) {
    case 'kill':
      return kill(stage.process(fault.process));
    case 'freeze':
      return freeze(stage.process(fault.process), fault.lengthMs);
    case 'kill at': {
      const fallen = await firstToFall(stage, fault, 'SIGKILL');
      return fallen !== undefined && kill(fallen);
    }
    case 'freeze at': {
      const isMet = (await firstToFall(stage, fault, 'SIGSTOP')) !== undefined;
      if (isMet) await sleep(fault.lengthMs);
      // Two may have come there at the same moment.
      for (const name of fault.processes) stage.process(name).signal('SIGCONT');
      return isMet;
    }
    case 'clock': {
      const process = stage.process(fault.process);
      process.order({ kind: 'clock', skewMs: fault.skewMs });
      await sleep(fault.lengthMs);
      process.order({ kind: 'clock', skewMs: 0 });
      return true;
    }
    case 'link': {
      const networks = stage.networks(fault.link, fault.process);
      for (const network of networks) network.impose(fault.fault);
      await sleep(fault.lengthMs);
      for (const network of networks) network.heal();
      return true;
    }
    case 'flush-redis':
      // It may be dead at that moment, and then it comes back empty.
      await stage.redis.flush().catch(() => {});
      return true;
    case 'kill-redis':
      await stage.redis.kill();
      await sleep(fault.lengthMs);
      await stage.redis.start();
      return true;
    case 'slack':
      stage.slack.fail(fault.method, {
        ...{ kind: fault.answer, times: fault.times, delayMs: slowMs },
      });
      await sleep(fault.lengthMs);
      return true;
  }
}

const slowMs = 1_500;

async function kill(process: RoleProcess): Promise<true> {
  const gone = process.gone();
  process.signal('SIGKILL');
  await gone;
  return true;
}

async function freeze(process: RoleProcess, lengthMs: number): Promise<true> {
  process.signal('SIGSTOP');
  await sleep(lengthMs);
  process.signal('SIGCONT');
  return true;
}

/** A point that nobody reaches by then is not met. */
const armedMs = 3_000;

/** The first one that reaches the point falls there, by its own hand; the others are told to stand. */
async function firstToFall(
  stage: Stage,
  { at, processes: names }: Fault & { kind: 'kill at' | 'freeze at' },
  signal: 'SIGKILL' | 'SIGSTOP',
): Promise<RoleProcess | undefined> {
  const processes = names.map((name) => stage.process(name));
  const first = Promise.withResolvers<RoleProcess>();
  const stops = processes.map((process) => process.onFall(() => first.resolve(process)));
  for (const process of processes) process.order({ kind: 'fall', at, signal });
  const fallen = await Promise.race([first.promise, sleep(armedMs, undefined)]);
  for (const stop of stops) stop();
  for (const process of processes) if (process !== fallen) process.order({ kind: 'stand' });
  return fallen;
}
