import { describe, expect, test } from 'vitest';
import { readConfig } from '#config/config.ts';
import type { Env } from '#config/env.ts';
import { examineTransport } from './doctor-transport.ts';

const masterKeys = `k1:${Buffer.alloc(32, 1).toString('base64')}`;

function statesOf(env: Env): string[] {
  return examineTransport(readConfig({ MASTER_KEYS: masterKeys, ...env })).map(({ state }) => state);
}

describe('the public address', () => {
  test.each(['https://chat.example', 'http://localhost:3000', 'http://127.0.0.1', 'http://[::1]:8080'])(
    'is well: %s',
    (address) => expect(statesOf({ PUBLIC_URL: address })[0]).toBe('ok'),
  );

  test.each(['http://chat.example', 'http://10.0.0.7:3000', 'http://localhost.example'])(
    'is for all to read along: %s',
    (address) => expect(statesOf({ PUBLIC_URL: address })[0]).toBe('warning'),
  );
});

describe('a server', () => {
  test.each<Env>([
    {},
    { DATABASE_URL: 'postgres://a:b@127.0.0.1/c', REDIS_URL: 'redis://localhost' },
    { DATABASE_URL: 'postgres:///c?host=/run/postgresql' },
    { DATABASE_URL: 'postgres://a:b@db.example/c?sslmode=verify-full', REDIS_URL: 'rediss://cache.example' },
    { FILES_URL: 's3://key:secret@store.example/bucket' },
  ])('is well: %j', (env) => {
    expect(statesOf(env)[1]).toBe('ok');
  });

  test.each<Env>([
    { DATABASE_URL: 'postgres://a:b@db.example/c' },
    { DATABASE_URL: 'postgres://a:b@db.example/c?sslmode=no-verify' },
    { REDIS_URL: 'redis://cache.example' },
    { FILES_URL: 's3://key:secret@store.example/bucket?tls=off' },
  ])('is named when what is said to it can be read: %j', (env) => {
    expect(statesOf(env)[1]).toBe('note');
  });

  test('is named without its password', () => {
    const findings = examineTransport(
      readConfig({ MASTER_KEYS: masterKeys, DATABASE_URL: 'postgres://a:secret@db.example/c' }),
    );
    expect(JSON.stringify(findings)).not.toContain('secret');
  });
});
