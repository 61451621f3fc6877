import type { Texts } from '../locale/en.ts';

const clocks = new Map<string, Intl.DateTimeFormat>();
const dayMs = 86_400_000;

/** `14:05`, as the locale writes it. */
export function timeOf(iso: string, locale: string): string {
  const clock = clocks.get(locale) ?? new Intl.DateTimeFormat(locale, { hour: 'numeric', minute: '2-digit' });
  clocks.set(locale, clock);
  return clock.format(new Date(iso));
}

/** `Today`, `Yesterday`, or the date in full. */
export function dayOf(iso: string, locale: string, texts: Texts): string {
  const date = new Date(iso);
  if (isSameDay(date, new Date())) return texts.today;
  if (isSameDay(date, new Date(Date.now() - dayMs))) return texts.yesterday;
  return date.toLocaleDateString(locale, { weekday: 'long', day: 'numeric', month: 'long', year: 'numeric' });
}

export function isSameDay(a: Date, b: Date): boolean {
  return a.toDateString() === b.toDateString();
}
