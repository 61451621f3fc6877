import { median, percentile } from '../figures.ts';
import type { Subject } from '../subjects/subject.ts';
import type { LoadPlan, LoadResult, SlackLoad } from './load.ts';

export type Measured = {
  acksPerSecond: number;
  repliesPerSecond: number;
  ackMs: { p50: number; p99: number };
  replyMs: { p50: number; p95: number; p99: number };
  /** What its processes computed for each message. Its servers are not among them. */
  cpuMsPerMessage: number;
  memoryMb: number;
};

const atOnce = 64;

/**
 * Gives each subject the same load, several times in turn, so that what else the machine does meets all of them. The first
 * round warms up and is not counted. Answers in the order of the subjects: medians of the rounds, percentiles of all
 * their messages.
 */
export async function measureInTurn<Subjects extends readonly Subject[]>(
  load: SlackLoad,
  subjects: Subjects,
  plan: { messages: number; workspacesOf: (subject: number) => number; rounds?: number },
): Promise<{ [Index in keyof Subjects]: Measured }> {
  const { messages, workspacesOf, rounds = 5 } = plan;
  const counted = subjects.map(() => ({ results: [] as LoadResult[], cpuMs: 0 }));
  for (let round = 0; round <= rounds; round++)
    for (const [index, subject] of subjects.entries()) {
      const workspaces = workspacesOf(index);
      const sent: LoadPlan = { messages, atOnce, workspaceOf: (n) => n % workspaces };
      const cpuMsBefore = subject.cpuMs();
      const result = await load.run(subject.eventsUrl, sent);
      if (round === 0) continue;
      counted[index]?.results.push(result);
      if (counted[index]) counted[index].cpuMs += subject.cpuMs() - cpuMsBefore;
    }
  return counted.map(({ results, cpuMs }, index) => {
    const ackMs = results.flatMap((result) => result.ackMs);
    const replyMs = results.flatMap((result) => result.replyMs);
    return {
      acksPerSecond: median(results.map(({ acksPerSecond }) => acksPerSecond)),
      repliesPerSecond: median(results.map(({ repliesPerSecond }) => repliesPerSecond)),
      ackMs: { p50: percentile(ackMs, 0.5), p99: percentile(ackMs, 0.99) },
      replyMs: {
        p50: percentile(replyMs, 0.5),
        p95: percentile(replyMs, 0.95),
        p99: percentile(replyMs, 0.99),
      },
      cpuMsPerMessage: cpuMs / (messages * rounds),
      memoryMb: subjects[index]?.memoryMb() ?? 0,
    };
  }) as { [Index in keyof Subjects]: Measured };
}
