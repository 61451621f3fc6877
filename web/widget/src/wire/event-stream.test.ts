import type { ChatEvent } from '@swarmgate/contract/web-chat.ts';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { EventStream } from './event-stream.ts';
import { GatewayError } from './gateway-error.ts';

beforeEach(() => {
  vi.useFakeTimers();
  vi.spyOn(Math, 'random').mockReturnValue(1);
});
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

const typing = 'event: typing\ndata: {"turnId":"trn_1"}\n\n';

test('reconnects from the last event it has seen', async () => {
  const { stream, connections, events } = aStream();
  stream.start('5');
  await settle();
  connections[0]?.write(`id: 6\n${typing}`);
  await settle();
  connections[0]?.end();
  await vi.advanceTimersByTimeAsync(600);
  expect(connections.map(({ lastEventId }) => lastEventId)).toEqual(['5', '6']);
  expect(events).toEqual([{ event: 'typing', data: { turnId: 'trn_1' } }]);
});

test('takes a silent connection for dead, and a heartbeat for a sign of life', async () => {
  const { stream, connections } = aStream();
  stream.start('0');
  await settle();
  for (let at = 0; at < 4; at += 1) {
    await vi.advanceTimersByTimeAsync(15_000);
    connections[0]?.write(': still here\n\n');
    await settle();
  }
  expect(connections).toHaveLength(1);
  await vi.advanceTimersByTimeAsync(41_000);
  expect(connections).toHaveLength(2);
});

test('waits longer after each failure, and briefly again once something came through', async () => {
  const { stream, connections, refuseNext } = aStream();
  for (let at = 0; at < 4; at += 1) refuseNext(new GatewayError(503, 'Starting.'));
  const startedAtMs = Date.now();
  stream.start('0');
  await vi.advanceTimersByTimeAsync(20_000);
  expect(connections.map(({ openedAtMs }) => openedAtMs - startedAtMs)).toEqual([
    500 + 1_000 + 2_000 + 4_000,
  ]);

  connections[0]?.write(typing);
  await settle();
  const endedAtMs = Date.now();
  connections[0]?.end();
  await vi.advanceTimersByTimeAsync(10_000);
  expect((connections[1]?.openedAtMs ?? 0) - endedAtMs).toBe(500);
});

test('waits as long as the stream has asked for', async () => {
  const { stream, connections } = aStream();
  stream.start('0');
  await settle();
  connections[0]?.write('retry: 9000\n\n');
  await settle();
  connections[0]?.end();
  await vi.advanceTimersByTimeAsync(8_900);
  expect(connections).toHaveLength(1);
  await vi.advanceTimersByTimeAsync(200);
  expect(connections).toHaveLength(2);
});

test('does not wait out a pause once the network is back', async () => {
  const { stream, connections, refuseNext } = aStream();
  for (let at = 0; at < 6; at += 1) refuseNext(new GatewayError(0, 'offline'));
  stream.start('0');
  await vi.advanceTimersByTimeAsync(20_000);
  expect(connections).toHaveLength(0);
  stream.wake();
  await settle();
  expect(connections).toHaveLength(1);
});

test('stops for good when it is stopped, and when the gateway will not have it', async () => {
  const { stream, connections, refuseNext, refusals } = aStream();
  stream.start('0');
  await settle();
  stream.stop();
  await vi.advanceTimersByTimeAsync(120_000);
  expect(connections).toHaveLength(1);

  refuseNext(new GatewayError(403, 'This channel is paused.'));
  stream.start();
  await vi.advanceTimersByTimeAsync(120_000);
  expect(connections).toHaveLength(1);
  expect(refusals).toEqual([new GatewayError(403, 'This channel is paused.')]);
});

function aStream() {
  const connections: ReturnType<typeof aConnection>[] = [];
  const events: ChatEvent[] = [];
  const refusals: unknown[] = [];
  const toRefuse: Error[] = [];
  const stream = new EventStream({
    open: async (lastEventId, signal) => {
      const refusal = toRefuse.shift();
      if (refusal) throw refusal;
      const connection = aConnection(lastEventId, signal);
      connections.push(connection);
      return connection.body;
    },
    onEvent: (event) => events.push(event),
    onConnected: () => undefined,
    onRefused: (error) => refusals.push(error),
  });
  return { stream, connections, events, refusals, refuseNext: (error: Error) => toRefuse.push(error) };
}

function aConnection(lastEventId: string, signal: AbortSignal) {
  const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
  const writer = writable.getWriter();
  const ignore = () => undefined;
  signal.addEventListener('abort', () => void writer.abort(signal.reason).catch(ignore));
  return {
    lastEventId,
    body: readable,
    openedAtMs: Date.now(),
    write: (text: string) => void writer.write(new TextEncoder().encode(text)).catch(ignore),
    end: () => void writer.close().catch(ignore),
  };
}

async function settle(): Promise<void> {
  await vi.advanceTimersByTimeAsync(0);
}
