import { once } from 'node:events';
import { connect } from 'node:net';
import express from 'express';
import { expect, test } from 'vitest';
import { listen } from './listen.ts';

const anyPort = { number: 0, chosen: true };
const host = '127.0.0.1';
/** Longer than a test may take: whoever waits for it fails. */
const tooLongMs = 60_000;

test('a stop does not wait for a connection that was opened in advance', async () => {
  const { port, stop } = await listen(express(), host, anyPort);
  const inAdvance = connect(port, host).resume();
  await once(inAdvance, 'connect');
  // The server has seen it once it answers a later one.
  await fetch(`http://${host}:${port}/`);

  await Promise.all([stop(tooLongMs), once(inAdvance, 'close')]);
});

test('a stop waits for a request at work, and takes no other', async () => {
  const gate = Promise.withResolvers<void>();
  const began = Promise.withResolvers<void>();
  const app = express().get('/', async (_request, response) => {
    began.resolve();
    await gate.promise;
    response.send('whole');
  });
  const { port, stop } = await listen(app, host, anyPort);
  const answer = fetch(`http://${host}:${port}/`).then((response) => response.text());
  await began.promise;

  const stopped = stop(tooLongMs);
  await expect(fetch(`http://${host}:${port}/`)).rejects.toThrow();
  gate.resolve();

  expect(await answer).toBe('whole');
  await stopped;
});

test('a stop drops what takes longer than it may wait', async () => {
  const began = Promise.withResolvers<void>();
  const app = express().get('/', () => began.resolve());
  const { port, stop } = await listen(app, host, anyPort);
  const answer = fetch(`http://${host}:${port}/`);
  await began.promise;

  await stop(10);

  await expect(answer).rejects.toThrow();
});

test('a busy port that nobody chose means the next free one, and a chosen one an error', async () => {
  const busy = await listen(express(), host, anyPort);

  const next = await listen(express(), host, { number: busy.port, chosen: false });

  expect(next.port).toBeGreaterThan(busy.port);
  await expect(listen(express(), host, { number: busy.port, chosen: true })).rejects.toThrow('EADDRINUSE');
  await Promise.all([busy.stop(0), next.stop(0)]);
});
