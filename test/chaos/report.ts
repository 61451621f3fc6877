import { describeFault } from './fault-plan.ts';
import type { Breach } from './judge.ts';
import type { RunResult } from './run.ts';

/** A run in one line. */
export function describeRun({
  seed,
  faults,
  verdict,
  recoveryMs,
  usualMs,
  settledMs,
  tookMs,
}: RunResult): string {
  const { accepted, refused, replies, twice, doubted, breaches } = verdict;
  return [
    `${breaches.length === 0 ? 'ok  ' : 'FAIL'} seed ${seed}`,
    `${accepted} taken${refused > 0 ? ` (${refused} refused)` : ''}, ${replies} answered`,
    `twice ${twice}${doubted > twice ? ` (${doubted - twice} in doubt)` : ''}`,
    `recovery ${seconds(recoveryMs)} (usual ${seconds(usualMs)}), all ${seconds(settledMs)}, run ${seconds(tookMs)}`,
    faults.map(({ fault, isMet }) => `${describeFault(fault)}${isMet ? '' : ' (not met)'}`).join('; '),
  ].join(' | ');
}

/** What was broken: the message's id, its rows, and the posts. */
export function describeBreach({ kind, messageId, detail, found }: Breach): string {
  const head = `  ${kind}${messageId === undefined ? '' : ` ${messageId}`}: ${detail}`;
  return found === undefined ? head : `${head}\n    ${JSON.stringify(found, shorten)}`;
}

const textLengthMax = 120;

function shorten(_key: string, value: unknown): unknown {
  const isLong = typeof value === 'string' && value.length > textLengthMax;
  return isLong ? `${value.slice(0, textLengthMax / 2)} … ${value.slice(-textLengthMax / 2)}` : value;
}

/** All runs together. */
export function summarise(results: readonly RunResult[], tookMs: number): string {
  const total = (count: (result: RunResult) => number) =>
    results.reduce((sum, result) => sum + count(result), 0);
  const spread = (measure: (result: RunResult) => number) => {
    const sorted = results.map(measure).sort((a, b) => a - b);
    const at = (share: number) => seconds(sorted[Math.ceil(share * sorted.length) - 1] ?? 0);
    return `p50 ${at(0.5)}, p95 ${at(0.95)}, max ${at(1)}`;
  };
  const failed = results.filter(({ verdict }) => verdict.breaches.length > 0);
  return [
    `${results.length} runs in ${seconds(tookMs)}, ${failed.length} failed`,
    `${total(({ faults }) => faults.length)} faults (${total(({ faults }) => faults.filter(({ isMet }) => isMet).length)} met)`,
    `${total(({ verdict }) => verdict.accepted)} messages taken, ${total(({ verdict }) => verdict.replies)} answered, ${total(({ verdict }) => verdict.refused)} refused`,
    `twice ${total(({ verdict }) => verdict.twice)}, in doubt ${total(({ verdict }) => verdict.doubted)}`,
    `recovery ${spread(({ recoveryMs }) => recoveryMs)}; usual ${spread(({ usualMs }) => usualMs)}`,
    ...(failed.length > 0 ? [`failed seeds: ${failed.map(({ seed }) => seed).join(', ')}`] : []),
  ].join('\n');
}

function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(1)} s`;
}
