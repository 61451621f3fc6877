import { allFallPoints, type FallPoint } from './fall-points.ts';
import type { LinkFault } from './fault-proxy.ts';
import type { Random } from './random.ts';

export const processNames = ['api', 'worker-1', 'worker-2', 'sockets-1', 'sockets-2'] as const;
export type ProcessName = (typeof processNames)[number];

/** `events` is the way by which the platform calls the api; the others are servers that processes call. */
export const links = ['postgres', 'redis', 'slack', 'events'] as const;
export type Link = (typeof links)[number];

/** Something that goes wrong, `atMs` into the run and for `lengthMs`. */
export type Fault = { atMs: number; lengthMs: number } & (
  | { kind: 'kill' | 'freeze'; process: ProcessName }
  /** Whichever of these reaches the point first falls there. */
  | { kind: 'kill at' | 'freeze at'; at: FallPoint; processes: readonly ProcessName[] }
  | { kind: 'clock'; process: ProcessName; skewMs: number }
  | { kind: 'link'; link: Link; process: ProcessName | 'all'; fault: LinkFault }
  | { kind: 'flush-redis' }
  | { kind: 'kill-redis' }
  | { kind: 'slack'; method: string; answer: SlackAnswer; times: number }
);

/** What Slack itself does wrong: `answer_lost` has posted, and says nothing. */
export type SlackAnswer = 'answer_lost' | 'drop' | 'http_500' | 'rate_limit' | 'ok_false' | 'slow';

export type FaultPlanOptions = {
  /** Faults begin within so much of the run. */
  withinMs: number;
  countMax: number;
  /** Of outages; a fault that is long at random never lasts longer. */
  outageMsMax: number;
};

/** A frozen worker is past its lease and its sign of life (6 s each) after the longer ones of these. */
const freezeMs = [700, 9_000] as const;
/** Usual outages. One in ten is as long as it may be. */
const outageMs = [300, 4_000] as const;
const longOutageShare = 0.1;

/** The faults of a run, in the order in which they begin. */
export function planFaults(random: Random, options: FaultPlanOptions): Fault[] {
  const count = random.between(1, options.countMax);
  return Array.from({ length: count }, () => planOne(random, options)).sort((a, b) => a.atMs - b.atMs);
}

function planOne(random: Random, { withinMs, outageMsMax }: FaultPlanOptions): Fault {
  const atMs = random.between(0, withinMs);
  const outage = () =>
    random.chance(longOutageShare) ? outageMsMax : Math.min(outageMsMax, random.between(...outageMs));
  const kind = random.pick(kinds);
  switch (kind) {
    case 'kill at':
      return { atMs, lengthMs: 0, kind, ...fallOf(random) };
    case 'freeze at':
      return { atMs, lengthMs: random.between(...freezeMs), kind, ...fallOf(random) };
    case 'kill':
      return { atMs, lengthMs: 0, kind, process: random.pick(processNames) };
    case 'freeze':
      return { atMs, lengthMs: random.between(...freezeMs), kind, process: random.pick(processNames) };
    case 'clock':
      return {
        ...{ atMs, lengthMs: random.between(1_000, 5_000), kind: 'clock' },
        ...{ process: random.pick(processNames), skewMs: random.pick(skewsMs) },
      };
    case 'link': {
      const link = random.pick(links);
      const process = link === 'events' || random.chance(0.5) ? 'all' : random.pick(processNames);
      return { atMs, lengthMs: outage(), kind, link, process, fault: linkFault(random) };
    }
    case 'flush-redis':
      return { atMs, lengthMs: 0, kind };
    case 'kill-redis':
      return { atMs, lengthMs: outage(), kind };
    case 'slack':
      return {
        ...{ atMs, lengthMs: outage(), kind },
        ...{ method: random.pick(slackMethods), answer: random.pick(slackAnswers) },
        times: random.between(1, 6),
      };
  }
}

// Named more than once: drawn more often.
const kinds: readonly Fault['kind'][] = [
  ...(['kill at', 'kill at', 'kill at', 'freeze at', 'freeze at'] as const),
  ...(['kill', 'freeze', 'link', 'link', 'link', 'clock', 'flush-redis', 'kill-redis', 'slack'] as const),
];

const minuteMs = 60_000;
/** More than five minutes away, Slack's signatures are refused. */
const skewsMs = [-60 * minuteMs, -4 * minuteMs, -5_000, 5_000, 4 * minuteMs, 60 * minuteMs] as const;

const slackMethods = ['chat.postMessage', 'chat.postMessage', 'chat.startStream', 'chat.stopStream'] as const;
const slackAnswers: readonly SlackAnswer[] = [
  ...(['answer_lost', 'answer_lost', 'drop', 'http_500', 'rate_limit', 'ok_false', 'slow'] as const),
];

/** Who passes the point: a worker answers and delivers, the others receive, sweep and hold sockets. */
function fallOf(random: Random): { at: FallPoint; processes: readonly ProcessName[] } {
  const at = random.pick(allFallPoints);
  if (at.includes('receive') || at === 'before-wake')
    return { at, processes: ['api', 'sockets-1', 'sockets-2'] };
  if (at === 'mid-sweep' || at === 'mid-socket-lease') return { at, processes: ['sockets-1', 'sockets-2'] };
  return { at, processes: ['worker-1', 'worker-2'] };
}

function linkFault(random: Random): LinkFault {
  switch (random.pick(['delay', 'trickle', 'refused', 'blackhole', 'half-open'] as const)) {
    case 'delay':
      return { how: 'delay', delayMs: random.between(20, 600) };
    case 'trickle':
      return { how: 'trickle', bytesPerSecond: random.between(500, 20_000) };
    case 'refused':
      return { how: 'refused' };
    case 'blackhole':
      return { how: 'blackhole' };
    case 'half-open':
      return { how: 'half-open' };
  }
}

/** A fault in a few words, as a run's line has it. */
export function describeFault(fault: Fault): string {
  const seconds = (ms: number) => `${(ms / 1_000).toFixed(1)}s`;
  const at = `${seconds(fault.atMs)}`;
  switch (fault.kind) {
    case 'kill':
      return `${at} kill ${fault.process}`;
    case 'freeze':
      return `${at} freeze ${fault.process} ${seconds(fault.lengthMs)}`;
    case 'kill at':
      return `${at} kill ${fault.at}`;
    case 'freeze at':
      return `${at} freeze ${fault.at} ${seconds(fault.lengthMs)}`;
    case 'clock':
      return `${at} clock of ${fault.process} ${seconds(fault.skewMs)} off`;
    case 'link':
      return `${at} ${fault.link} of ${fault.process} ${fault.fault.how} ${seconds(fault.lengthMs)}`;
    case 'flush-redis':
      return `${at} flush redis`;
    case 'kill-redis':
      return `${at} redis dead ${seconds(fault.lengthMs)}`;
    case 'slack':
      return `${at} ${fault.method} ${fault.answer} ${fault.times}x`;
  }
}
