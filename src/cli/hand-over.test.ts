import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { createConnection, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { AppError } from '#domain/errors.ts';
import { acceptHandOver, handOver } from './hand-over.ts';

let dataDir: string;
beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'swarmgate-hand-over-'));
});
afterEach(() => rmSync(dataDir, { recursive: true }));

const ask = (folder = dataDir) => handOver(folder, { command: 'doctor' });
const finding = { check: 'test', state: 'ok', says: 'well' } as const;

describe('a command', () => {
  test('is answered by the service that runs on the data directory', async () => {
    const service = await acceptHandOver(dataDir, async (request) => [{ ...finding, says: request.command }]);
    expect(await ask()).toEqual([{ ...finding, says: 'doctor' }]);
    await service.close();
  });

  test('finds nobody where no service runs, or where one was killed', async () => {
    expect(await ask()).toBeUndefined();
    const service = await acceptHandOver(dataDir, async () => []);
    await service.close();
    expect(await ask()).toBeUndefined();
    expect(readdirSync(dataDir)).toEqual([]);
  });

  test('carries text of any length', async () => {
    const text = '😀'.repeat(1_000_000);
    const service = await acceptHandOver(dataDir, async () => [{ ...finding, says: text }]);
    expect(await ask()).toEqual([{ ...finding, says: text }]);
    await service.close();
  });

  test('is refused in the service’s own words', async () => {
    const service = await acceptHandOver(dataDir, () =>
      Promise.reject(new AppError('no_way', 'It cannot be done.')),
    );
    await expect(ask()).rejects.toMatchObject({ code: 'no_way', message: 'It cannot be done.' });
    await service.close();
  });

  test('says so when the service ends before it has answered', async () => {
    const dying = createServer((socket) => socket.resume().once('end', () => socket.destroy()));
    await new Promise<void>((resolve) => dying.listen(join(dataDir, 'control.sock'), resolve));
    await expect(ask()).rejects.toMatchObject({ code: 'service_ended' });
    await new Promise((resolve) => dying.close(resolve));
  });

  test('that is no command is not listened to', async () => {
    const asked: unknown[] = [];
    const service = await acceptHandOver(dataDir, async (request) => asked.push(request));
    const socket = createConnection(join(dataDir, 'control.sock'));
    socket.end('no JSON');
    await new Promise((resolve) => socket.resume().once('close', resolve));
    expect(asked).toEqual([]);
    await service.close();
  });
});

describe('the socket', () => {
  test('is its owner’s only, from its first moment', async () => {
    const service = await acceptHandOver(dataDir, async () => []);
    expect(statSync(join(dataDir, 'control.sock')).mode & 0o777).toBe(0o600);
    await service.close();
  });

  test('stands elsewhere when its path would be too long', async () => {
    const folder = join(dataDir, 'a'.repeat(90));
    mkdirSync(folder);
    const service = await acceptHandOver(folder, async () => [finding]);
    expect(await ask(folder)).toEqual([finding]);
    expect(statSync(join(folder, 'control.path')).mode & 0o777).toBe(0o600);
    await service.close();
    expect(readdirSync(folder)).toEqual([]);
    expect(await ask(folder)).toBeUndefined();
  });

  test('takes the place of one that a killed process has left', async () => {
    const killed = await acceptHandOver(dataDir, async () => []);
    const service = await acceptHandOver(dataDir, async () => [finding]);
    expect(await ask()).toEqual([finding]);
    await service.close();
    await killed.close();
  });
});

describe('the service', () => {
  test('lives on when a command is broken off while it works', async () => {
    const begun = Promise.withResolvers<void>();
    const go = Promise.withResolvers<void>();
    const service = await acceptHandOver(dataDir, async () => {
      begun.resolve();
      await go.promise;
      return [{ ...finding, says: 'x'.repeat(1_000_000) }];
    });
    const socket = createConnection(join(dataDir, 'control.sock'));
    socket.on('error', () => {});
    socket.end(JSON.stringify({ command: 'doctor' }));
    await begun.promise;
    socket.destroy();
    go.resolve();
    expect(await ask()).toHaveLength(1);
    await service.close();
  });

  test('does not wait at its end for somebody who says nothing', async () => {
    const service = await acceptHandOver(dataDir, async () => []);
    const socket = createConnection(join(dataDir, 'control.sock'));
    await new Promise((resolve) => socket.once('connect', resolve));
    await service.close();
    await new Promise((resolve) => socket.once('close', resolve).resume());
  });
});
