import { expect, test, vi } from 'vitest';
import { createSubscribers } from './subscribers.ts';

const changed = { kind: 'changed' } as const;

test('everybody who listens to a topic is told, and nobody else', () => {
  const subscribers = createSubscribers();
  const [a, b, other] = [vi.fn(), vi.fn(), vi.fn()];
  subscribers.add('topic', a);
  subscribers.add('topic', b);
  subscribers.add('other', other);
  subscribers.tell('topic', changed);
  subscribers.tell('nobody listens', changed);
  expect(a.mock.calls).toEqual([[changed]]);
  expect(b.mock.calls).toEqual([[changed]]);
  expect(other).not.toHaveBeenCalled();
});

test('everybody is told what concerns all topics', () => {
  const subscribers = createSubscribers();
  const [a, b] = [vi.fn(), vi.fn()];
  subscribers.add('topic', a);
  subscribers.add('other', b);
  subscribers.tellAll(changed);
  expect([a.mock.calls, b.mock.calls]).toEqual([[[changed]], [[changed]]]);
});

test('says when a topic’s last listener has left', () => {
  const subscribers = createSubscribers();
  const [a, b] = [vi.fn(), vi.fn()];
  subscribers.add('topic', a);
  subscribers.add('topic', b);
  expect([subscribers.remove('topic', a), subscribers.remove('topic', b)]).toEqual([false, true]);
  expect(subscribers.remove('topic', b)).toBe(false);
  subscribers.tell('topic', changed);
  expect(b).not.toHaveBeenCalled();
});

test('a listener may leave while it is told', () => {
  const subscribers = createSubscribers();
  const once = vi.fn(() => void subscribers.remove('topic', once));
  const always = vi.fn();
  subscribers.add('topic', once);
  subscribers.add('topic', always);
  subscribers.tell('topic', changed);
  subscribers.tell('topic', changed);
  expect(once).toHaveBeenCalledTimes(1);
  expect(always).toHaveBeenCalledTimes(2);
});
