import { expect, test } from 'vitest';
import { readConfig } from './config.ts';
import type { Env } from './env.ts';
import { isForThisMachine } from './for-this-machine.ts';

const isForIt = (env: Env) => isForThisMachine(readConfig(env));

test.each<Env>([
  {},
  { PORT: '4000' },
  { HOST: 'localhost' },
  { HOST: '::1' },
  { HOST: '127.0.0.2' },
  { PUBLIC_URL: 'http://localhost:8080/' },
  { PUBLIC_URL: 'http://[::1]:8080' },
])('%j: nobody else reaches it', (env) => {
  expect(isForIt(env)).toBe(true);
});

test.each<Env>([
  { HOST: '0.0.0.0' },
  { HOST: '::' },
  { HOST: '192.0.2.7' },
  { HOST: 'localhost.example.com' },
  { PUBLIC_URL: 'https://chat.example.com' },
  { PUBLIC_URL: 'http://127.0.0.1.example.com' },
  { TRUSTED_PROXIES: 'loopback' },
  { DATABASE_URL: 'postgres://localhost/swarmgate', MASTER_KEYS: `a:${Buffer.alloc(32).toString('base64')}` },
])('%j: others may', (env) => {
  expect(isForIt(env)).toBe(false);
});
