import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { whileHidden } from './visibility.ts';

beforeEach(() => vi.useFakeTimers());
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

test('a page that nobody sees is parked after a minute, and taken up when it is seen', () => {
  const { show, hide, calls } = aPage(() => true);
  hide();
  vi.advanceTimersByTime(59_000);
  expect(calls).toEqual([]);
  vi.advanceTimersByTime(2_000);
  expect(calls).toEqual(['park']);
  show();
  expect(calls).toEqual(['park', 'unpark']);
});

test('a short look elsewhere changes nothing', () => {
  const { show, hide, calls } = aPage(() => true);
  hide();
  vi.advanceTimersByTime(30_000);
  show();
  vi.advanceTimersByTime(120_000);
  expect(calls).toEqual([]);
});

test('a page that cannot be parked yet is asked again', () => {
  let isBusy = true;
  const { hide, calls } = aPage(() => !isBusy);
  hide();
  vi.advanceTimersByTime(61_000);
  isBusy = false;
  vi.advanceTimersByTime(60_000);
  vi.advanceTimersByTime(600_000);
  expect(calls).toEqual(['park', 'park']);
});

function aPage(park: () => boolean) {
  const page = Object.assign(new EventTarget(), { hidden: false });
  vi.stubGlobal('document', page);
  const calls: string[] = [];
  whileHidden(
    () => {
      calls.push('park');
      return park();
    },
    () => calls.push('unpark'),
  );
  const turn = (hidden: boolean) => {
    page.hidden = hidden;
    page.dispatchEvent(new Event('visibilitychange'));
  };
  return { show: () => turn(false), hide: () => turn(true), calls };
}
