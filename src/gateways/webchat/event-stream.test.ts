import { once } from 'node:events';
import { createServer, get, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { ChatMessage } from '@swarmgate/contract/web-chat.ts';
import type { Response } from 'express';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openEventStream } from './event-stream.ts';

type EventStream = ReturnType<typeof openEventStream>;

let server: Server;
let stop: AbortController;
let opened: PromiseWithResolvers<EventStream>;

beforeEach(async () => {
  stop = new AbortController();
  opened = Promise.withResolvers();
  server = createServer((_request, response) => {
    opened.resolve(openEventStream(response as unknown as Response, stop.signal));
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
});
afterEach(() => {
  server.closeAllConnections();
  server.close();
});

async function aReader(): Promise<{
  response: IncomingMessage;
  stream: EventStream;
  read(): Promise<string>;
}> {
  const { port } = server.address() as AddressInfo;
  const [response] = (await once(get({ port, host: '127.0.0.1' }), 'response')) as [IncomingMessage];
  const stream = await opened.promise;
  return {
    response,
    stream,
    async read() {
      const pieces: Buffer[] = [];
      for await (const piece of response) pieces.push(piece as Buffer);
      return Buffer.concat(pieces).toString();
    },
  };
}

function aMessage(text: string): ChatMessage {
  return { id: 'msg_1', sequence: 1, role: 'visitor', text, createdAt: '2026-11-23T12:00:00.000Z' };
}

describe('a stream', () => {
  test('begins with how soon to come back, and then says its events', async () => {
    const { response, stream, read } = await aReader();
    expect(response.headers).toMatchObject({
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store, no-transform',
      'x-accel-buffering': 'no',
    });
    stream.send({ event: 'typing', data: { turnId: 'trn_1' } });
    stream.send({ event: 'message', data: aMessage('hello') }, 7);
    stop.abort();
    expect(await read()).toBe(
      `retry: 1000\n\nevent: typing\ndata: {"turnId":"trn_1"}\n\nid: 7\nevent: message\ndata: ${JSON.stringify(aMessage('hello'))}\n\n`,
    );
  });

  test('is not broken into by any text', async () => {
    const { stream, read } = await aReader();
    const texts = fc.sample(fc.string({ unit: 'binary' }), 200);
    const attacks = ['\n\nevent: message\ndata: {}\n\n', '\r\rid: 99\r\r', '\u2028id: 9', '\u0000', ...texts];
    for (const text of attacks) stream.send({ event: 'message', data: aMessage(text) }, 1);
    stop.abort();
    const blocks = (await read()).split('\n\n').slice(1, -1);
    expect(blocks).toHaveLength(attacks.length);
    blocks.forEach((block, index) => {
      const lines = block.split(/\r\n|\r|\n/);
      expect(lines.slice(0, 2)).toEqual(['id: 1', 'event: message']);
      expect(lines).toHaveLength(3);
      expect(JSON.parse(lines[2]?.slice('data: '.length) ?? '')).toEqual(
        JSON.parse(JSON.stringify(aMessage(attacks[index] ?? ''))),
      );
    });
  });

  test('ends when the process stops, also when it is stopping already', async () => {
    const { read } = await aReader();
    const reading = read();
    stop.abort();
    await reading;
    opened = Promise.withResolvers();
    const late = await aReader();
    await late.read();
  });
});

describe('a page that leaves', () => {
  test('is noticed once, and nothing more is sent', async () => {
    const { response, stream } = await aReader();
    const left: string[] = [];
    const seen = Promise.withResolvers<void>();
    stream.onClose(() => {
      left.push('left');
      seen.resolve();
    });
    response.destroy();
    await seen.promise;
    expect(stream.closed).toBe(true);
    stream.send({ event: 'typing', data: { turnId: 'trn_1' } });
    stream.onClose(() => left.push('late'));
    expect(left).toEqual(['left', 'late']);
  });

  test('keeps nobody waiting for it to read on', async () => {
    const { response, stream } = await aReader();
    for (let count = 0; count < 20; count++)
      stream.send({ event: 'message', data: aMessage('x'.repeat(40_000)) }, count);
    const taken = stream.taken();
    response.destroy();
    await taken;
  });
});

describe('a page that does not read', () => {
  test('is waited for', async () => {
    const { response, stream } = await aReader();
    await stream.taken();
    stream.send({ event: 'message', data: aMessage('x'.repeat(900_000)) }, 1);
    const order: string[] = [];
    const taken = stream.taken().then(() => order.push('taken'));
    order.push('sent');
    response.resume();
    await taken;
    expect(order).toEqual(['sent', 'taken']);
  });

  test('is cut off before it fills our memory', async () => {
    const { stream } = await aReader();
    const left = Promise.withResolvers<void>();
    stream.onClose(left.resolve);
    for (let count = 0; count < 500 && !stream.closed; count++)
      stream.send({
        event: 'delta',
        data: { turnId: 'trn_1', attempt: 1, offset: 0, text: 'x'.repeat(100_000) },
      });
    await left.promise;
  });
});
