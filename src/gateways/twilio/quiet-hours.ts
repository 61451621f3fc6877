import type { QuietHours } from '@swarmgate/contract/channels/twilio.ts';

/**
 * How long it is still quiet: milliseconds until the first minute that is not, on the clocks of the time zone, whatever
 * they jump over or say twice until then; `undefined` when it is not quiet now. An end that the clocks jump over is when
 * they jump; one that they say twice is the first of the two.
 */
export function quietForMs(quiet: QuietHours, nowMs: number): number | undefined {
  const isQuiet = (atMs: number) => isWithin(quiet, minuteOfDay(atMs, quiet.timeZone));
  if (!isQuiet(nowMs)) return undefined;

  const untilEnd = wrap(readTime(quiet.to) - minuteOfDay(nowMs, quiet.timeZone));
  let atMs = Math.floor(nowMs / minuteMs) * minuteMs;
  // All but the last of it is quiet for sure: no clock jumps further ahead than this.
  atMs += Math.max(1, untilEnd - clockJumpMinutesMax) * minuteMs;
  while (isQuiet(atMs)) atMs += minuteMs;
  return atMs - nowMs;
}

const minuteMs = 60_000;
const minutesOfDay = 24 * 60;
const clockJumpMinutesMax = 120;

function isWithin({ from, to }: QuietHours, minute: number): boolean {
  const [start, end] = [readTime(from), readTime(to)];
  return start <= end ? minute >= start && minute < end : minute >= start || minute < end;
}

function readTime(time: string): number {
  const [hours = 0, minutes = 0] = time.split(':').map(Number);
  return hours * 60 + minutes;
}

function wrap(minutes: number): number {
  return (minutes + minutesOfDay) % minutesOfDay;
}

function minuteOfDay(atMs: number, timeZone: string): number {
  const parts = clockOf(timeZone).formatToParts(atMs);
  const read = (type: Intl.DateTimeFormatPartTypes) =>
    Number(parts.find((part) => part.type === type)?.value);
  return read('hour') * 60 + read('minute');
}

const clocks = new Map<string, Intl.DateTimeFormat>();

/** Making one takes longer than asking it; there are no more of them than time zones. */
function clockOf(timeZone: string): Intl.DateTimeFormat {
  const known = clocks.get(timeZone);
  if (known) return known;
  const clock = new Intl.DateTimeFormat('en-GB', {
    timeZone,
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
  });
  clocks.set(timeZone, clock);
  return clock;
}
