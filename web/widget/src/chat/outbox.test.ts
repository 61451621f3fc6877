import type { MessageAccepted, MessageRequest } from '@swarmgate/contract/web-chat.ts';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { BrowserStorage } from '../browser-storage.ts';
import { fakeLocalStorage } from '../fake-local-storage.ts';
import { GatewayError } from '../wire/gateway-error.ts';
import { Outbox } from './outbox.ts';

beforeEach(() => {
  vi.stubGlobal('localStorage', fakeLocalStorage());
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

type Outcome = 'accepted' | GatewayError;

test('messages go out one at a time, in the order in which they were written', async () => {
  const { outbox, sent, settleNext } = anOutbox();
  outbox.add('one');
  outbox.add('two');
  expect(sent()).toEqual(['one']);
  await settleNext('accepted');
  expect(sent()).toEqual(['one', 'two']);
  await settleNext('accepted');
  expect(outbox.entries).toEqual([]);
});

test('a message that did not get through is sent again with the same id, before those behind it', async () => {
  const { outbox, requests, sent, settleNext } = anOutbox();
  outbox.add('one');
  outbox.add('two');
  await settleNext(new GatewayError(0, 'offline'));
  await vi.advanceTimersByTimeAsync(1_000);
  expect(sent()).toEqual(['one', 'one']);
  expect(requests[0]?.id).toBe(requests[1]?.id);
});

test('a refused message is set aside with its reason, and sent again when the visitor wishes', async () => {
  const { outbox, sent, settleNext } = anOutbox();
  outbox.add('too long');
  outbox.add('short');
  await settleNext(new GatewayError(413, 'Too long.'));
  expect(outbox.entries[0]?.refusal).toBe('Too long.');
  await settleNext('accepted');
  outbox.retry(outbox.entries[0]?.id ?? '');
  expect(sent()).toEqual(['too long', 'short', 'too long']);
});

test('what the gateway asks to wait is waited, whatever happens meanwhile', async () => {
  const { outbox, sent, settleNext } = anOutbox();
  outbox.add('one');
  await settleNext(new GatewayError(429, 'Too many messages.', 10_000));
  outbox.add('two');
  outbox.flush();
  await vi.advanceTimersByTimeAsync(9_900);
  expect(sent()).toEqual(['one']);
  await vi.advanceTimersByTimeAsync(700);
  expect(sent()).toEqual(['one', 'one']);
});

test('what was not accepted is there in the next page, what was accepted is not', async () => {
  const first = anOutbox();
  first.outbox.add('one');
  first.outbox.add('two');
  await first.settleNext('accepted');
  const second = anOutbox();
  expect(second.outbox.entries.map(({ text }) => text)).toEqual(['two']);
  second.outbox.flush();
  expect(second.requests[0]?.id).toBe(first.requests[1]?.id);
});

test('an entry that nobody can read is left alone', () => {
  new BrowserStorage('t:', 'localStorage').set('outbox:x', '{"id":');
  expect(anOutbox().outbox.entries).toEqual([]);
});

test('a message that turns out to have arrived is not sent again', async () => {
  const { outbox, requests, sent, settleNext } = anOutbox();
  outbox.add('one');
  await settleNext(new GatewayError(0, 'the answer was lost'));
  outbox.remove(requests[0]?.id ?? '');
  await vi.advanceTimersByTimeAsync(60_000);
  expect(sent()).toEqual(['one']);
});

function anOutbox() {
  const requests: MessageRequest[] = [];
  const open: PromiseWithResolvers<MessageAccepted>[] = [];
  const outbox = new Outbox({
    storage: new BrowserStorage('t:', 'localStorage'),
    send: (message) => {
      requests.push(message);
      const answer = Promise.withResolvers<MessageAccepted>();
      open.push(answer);
      return answer.promise;
    },
    onAccepted: () => undefined,
    onChange: () => undefined,
  });
  const settleNext = async (outcome: Outcome) => {
    const answer = open.shift();
    if (outcome === 'accepted') answer?.resolve({ id: 'msg_1', sequence: 1, createdAt: '' });
    else answer?.reject(outcome);
    await vi.advanceTimersByTimeAsync(0);
  };
  return { outbox, requests, sent: () => requests.map(({ text }) => text), settleNext };
}
