import type { RunningProcess } from '../processes.ts';

/** What takes the load of a scenario: a service, a peer. The figures are of all its processes together. */
export type Subject = {
  name: string;
  eventsUrl: string;
  readyInMs: number;
  memoryMb(): number;
  cpuMs(): number;
  stop(): Promise<void>;
};

/** A subject of several processes, the first of which takes the events. */
export function subjectOf(
  name: string,
  path: string,
  processes: readonly [RunningProcess, ...RunningProcess[]],
): Subject {
  const sum = (read: (process: RunningProcess) => number) =>
    processes.reduce((total, process) => total + read(process), 0);
  return {
    name,
    eventsUrl: `${processes[0].url}${path}`,
    readyInMs: Math.max(...processes.map(({ readyInMs }) => readyInMs)),
    memoryMb: () => sum((process) => process.memoryMb()),
    cpuMs: () => sum((process) => process.cpuMs()),
    async stop() {
      await Promise.all(processes.map((process) => process.stop()));
    },
  };
}
