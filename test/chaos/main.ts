/**
 * `npm run test:faults -- --seed N --runs M`: real processes, a real database and Redis, and a plan of faults for each
 * seed. Ends with exit code 1 when a promise was broken in any run. See docs/operations/failure.md.
 */
import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Evidence } from './evidence.ts';
import { readCommand } from './read-command.ts';
import { describeBreach, describeRun, summarise } from './report.ts';
import { playRun, type RunResult } from './run.ts';
import { openStage, type Stage } from './stage.ts';

const { seed, runs, options, again } = readCommand(process.argv.slice(2));

const stopping = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
  process.on(signal, () => stopping.abort(new Error(`stopped by ${signal}`)));
const stopped = new Promise<never>((_, reject) => {
  stopping.signal.addEventListener('abort', () => reject(stopping.signal.reason));
});
stopped.catch(() => {});

const startedAt = performance.now();
const results: RunResult[] = [];
const opening = openStage();
try {
  const stage = await Promise.race([opening, stopped]);
  for (let next = seed; next < seed + runs; next++) {
    const { result, evidence } = await Promise.race([playRun(stage, next, options), stopped]);
    results.push(result);
    console.log(describeRun(result));
    if (result.verdict.breaches.length > 0) await explain(stage, result, evidence);
  }
} catch (error) {
  console.error(stopping.signal.aborted ? stopping.signal.reason.message : error);
  process.exitCode = 1;
} finally {
  console.log(summarise(results, performance.now() - startedAt));
  if (results.some(({ verdict }) => verdict.breaches.length > 0)) process.exitCode = 1;
  await opening.then(
    (stage) => stage.close(),
    () => {},
  );
}
process.exit();

async function explain(stage: Stage, { seed, verdict }: RunResult, evidence: Evidence): Promise<void> {
  for (const breach of verdict.breaches) console.log(describeBreach(breach));
  const folder = await mkdtemp(join(tmpdir(), `swarmgate-faults-seed-${seed}-`));
  await writeFile(join(folder, 'evidence.json'), JSON.stringify(evidence, undefined, 1));
  for (const { name, output } of stage.processes())
    await writeFile(join(folder, `${name}.log`), output.join('\n'));
  console.log(`  what it logged: ${folder}`);
  console.log(`  again: ${again(seed)}`);
}
