import { randomBytes } from 'node:crypto';
import { resolve } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readConfig } from './config.ts';
import { ConfigError, maskUrl } from './config-error.ts';
import type { Env } from './env.ts';

const masterKeys = `main:${randomBytes(32).toString('base64')}`;
const server: Env = { DATABASE_URL: 'postgres://app:hunter2@db.example/swarmgate', MASTER_KEYS: masterKeys };

function complaint(env: Env): string {
  try {
    readConfig(env);
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError);
    return (error as ConfigError).message;
  }
  throw new Error('Nothing was wrong.');
}

describe('nothing set', () => {
  test('is everything embedded, on this machine only', () => {
    expect(readConfig({})).toEqual({
      host: '127.0.0.1',
      port: { number: 3000, chosen: false },
      publicUrl: undefined,
      privateHosts: [],
      trustedProxies: [],
      dataDir: resolve('data'),
      auditDir: resolve('data/audit'),
      database: { kind: 'embedded', directory: resolve('data/database') },
      queue: { kind: 'database' },
      roles: new Set(['api', 'worker', 'sockets', 'scheduler']),
      masterKeys: { kind: 'file', path: resolve('data/master.key') },
      files: { kind: 'disk', directory: resolve('data/files') },
      platforms: {
        slack: { app: undefined, apiUrl: undefined },
        discord: { app: undefined, apiUrl: undefined },
        twilio: { account: undefined, apiUrl: undefined },
        teams: { app: undefined, openIdMetadataUrl: undefined, loginUrl: undefined },
      },
      models: { openai: {}, anthropic: {}, google: {}, compatible: {} },
      logLevel: 'info',
      metricsToken: undefined,
      tenantBaseDomain: undefined,
      tenantGraceMs: 30 * 86_400_000,
      auditRetentionMs: undefined,
    });
  });

  test('cannot be changed afterwards', () => {
    expect(Object.isFrozen(readConfig({}))).toBe(true);
  });
});

describe('a shared app', () => {
  const slack: Env = { SLACK_APP_ID: 'A1', SLACK_SIGNING_SECRET: 'hunter2' };

  test('is what its variables say', () => {
    const { platforms } = readConfig({
      ...slack,
      SLACK_CLIENT_ID: '1.2',
      SLACK_CLIENT_SECRET: 'hunter3',
      SLACK_API_URL: 'http://127.0.0.1:4010/api/',
      TWILIO_ACCOUNT_SID: 'AC1',
      TWILIO_AUTH_TOKEN: 'hunter4',
      DISCORD_APPLICATION_ID: '900',
      DISCORD_PUBLIC_KEY: 'AB'.repeat(32),
      DISCORD_BOT_TOKEN: 'hunter5',
      DISCORD_API_URL: 'http://127.0.0.1:4011/api',
      TEAMS_APP_ID: '11111111-2222-3333-4444-55555555555A',
      TEAMS_APP_PASSWORD: 'hunter5',
    });
    expect(platforms).toEqual({
      slack: {
        app: { appId: 'A1', signingSecret: 'hunter2', clientId: '1.2', clientSecret: 'hunter3' },
        apiUrl: 'http://127.0.0.1:4010/api/',
      },
      discord: {
        app: { applicationId: '900', publicKey: 'ab'.repeat(32), botToken: 'hunter5' },
        apiUrl: 'http://127.0.0.1:4011/api',
      },
      twilio: { account: { accountSid: 'AC1', authToken: 'hunter4' }, apiUrl: undefined },
      teams: {
        app: { appId: '11111111-2222-3333-4444-55555555555a', appPassword: 'hunter5' },
        openIdMetadataUrl: undefined,
        loginUrl: undefined,
      },
    });
  });

  test.each<[string, Env]>([
    ['SLACK_SIGNING_SECRET', { SLACK_APP_ID: 'A1' }],
    ['SLACK_APP_ID', { SLACK_SIGNING_SECRET: 'hunter2' }],
    ['SLACK_CLIENT_SECRET', { ...slack, SLACK_CLIENT_ID: '1.2' }],
    ['SLACK_APP_ID', { SLACK_CLIENT_ID: '1.2', SLACK_CLIENT_SECRET: 'hunter2' }],
    ['TWILIO_AUTH_TOKEN', { TWILIO_ACCOUNT_SID: 'AC1' }],
    ['TWILIO_ACCOUNT_SID', { TWILIO_AUTH_TOKEN: 'hunter2' }],
    ['DISCORD_BOT_TOKEN', { DISCORD_APPLICATION_ID: '900', DISCORD_PUBLIC_KEY: 'hunter2' }],
    ['DISCORD_APPLICATION_ID', { DISCORD_CLIENT_SECRET: 'hunter2' }],
    ['TEAMS_APP_ID', { TEAMS_APP_PASSWORD: 'hunter2' }],
    ['TEAMS_APP_PASSWORD', { TEAMS_APP_ID: '11111111-2222-3333-4444-555555555555' }],
  ])('of which half is missing says so: %s', (missing, env) => {
    expect(complaint(env)).toMatch(new RegExp(`^${missing} holds nothing; expected a value, because `));
    expect(complaint(env)).not.toContain('hunter2');
  });
});

describe('a server', () => {
  test('is migrated by its own user, unless another one is named', () => {
    expect(readConfig(server).database).toEqual({
      kind: 'server',
      url: server.DATABASE_URL,
      adminUrl: server.DATABASE_URL,
    });
    const adminUrl = 'postgres://owner@db.example/swarmgate';
    expect(readConfig({ ...server, DATABASE_ADMIN_URL: adminUrl }).database).toMatchObject({ adminUrl });
  });

  test('may have some roles only', () => {
    expect([...readConfig({ ...server, ROLES: 'worker, api' }).roles]).toEqual(['worker', 'api']);
    expect(readConfig({ ...server, ROLES: 'all' }).roles.size).toBe(4);
  });

  test('has its queue in Redis when there is one', () => {
    expect(readConfig({ ...server, REDIS_URL: 'rediss://r:6379' }).queue).toEqual({
      kind: 'redis',
      url: 'rediss://r:6379',
    });
    expect(readConfig({ REDIS_URL: 'redis://r' }).queue.kind).toBe('redis');
  });
});

describe('one line says what is wrong with', () => {
  test.each<[string, Env, RegExp]>([
    ['a port that is none', { PORT: '80a' }, /^PORT holds "80a"; expected a number from 0 .* to 65535\.$/],
    ['a port that is too high', { PORT: '65536' }, /^PORT holds "65536"/],
    ['a negative port', { PORT: '-1' }, /^PORT/],
    [
      'a public address without a scheme',
      { PUBLIC_URL: 'acme.example' },
      /^PUBLIC_URL holds "acme\.example"; expected a URL that begins with http:\/\/ or https:\/\/\.$/,
    ],
    ['a proxy that is a name', { TRUSTED_PROXIES: '10.0.0.1, proxy' }, /^TRUSTED_PROXIES holds "proxy"/],
    ['a private host that is an address', { PRIVATE_HOSTS: 'http://a/' }, /^PRIVATE_HOSTS holds "http:/],
    ['a private host with a path', { PRIVATE_HOSTS: 'a.internal/b' }, /^PRIVATE_HOSTS/],
    ['a range that is too wide', { TRUSTED_PROXIES: '10.0.0.0/33' }, /^TRUSTED_PROXIES/],
    [
      'a database that is no Postgres',
      { DATABASE_URL: 'mysql://a:hunter2@b/c', MASTER_KEYS: masterKeys },
      /^DATABASE_URL holds "mysql:\/\/a:\*\*\*@b\/c"/,
    ],
    [
      'an owner without a database',
      { DATABASE_ADMIN_URL: 'postgres://a:hunter2@b/c' },
      /^DATABASE_ADMIN_URL holds postgres:\/\/a:\*\*\*@b\/c; expected DATABASE_URL beside it\.$/,
    ],
    ['a Redis that is none', { REDIS_URL: 'http://:hunter2@r' }, /^REDIS_URL holds "http:\/\/:\*\*\*@r\/"/],
    [
      'a role that is none',
      { ...server, ROLES: 'api,cook' },
      /^ROLES holds "api,cook"; expected all, or any of api,worker,sockets,scheduler\.$/,
    ],
    ['roles of an embedded database', { ROLES: 'api' }, /^ROLES holds "api" while the database is embedded/],
    [
      'a server without master keys',
      { DATABASE_URL: 'postgres://a/b' },
      /^MASTER_KEYS holds nothing; expected id:base64-32-bytes/,
    ],
    ['a level that is none', { LOG_LEVEL: 'loud' }, /^LOG_LEVEL holds "loud"/],
    [
      'a Teams tenant that names nobody',
      {
        TEAMS_APP_ID: '11111111-2222-3333-4444-555555555555',
        TEAMS_APP_PASSWORD: 'hunter2',
        TEAMS_APP_TENANT: 'common',
      },
      /^TEAMS_APP_TENANT holds "common"/,
    ],
    [
      'a base domain that is an address',
      { TENANT_BASE_DOMAIN: 'https://chat.example' },
      /^TENANT_BASE_DOMAIN holds "https:\/\/chat\.example"; expected a domain name/,
    ],
    [
      'a time of grace that is none',
      { TENANT_GRACE_DAYS: '1.5' },
      /^TENANT_GRACE_DAYS holds "1\.5"; expected a number of days from 0 to 36500\.$/,
    ],
    [
      'audit events that are kept for too short',
      { AUDIT_RETENTION_DAYS: '29' },
      /^AUDIT_RETENTION_DAYS holds "29"; expected a number of days from 30 to 36500\.$/,
    ],
    ['a model address that is none', { OPENAI_BASE_URL: 'ftp://models' }, /^OPENAI_BASE_URL/],
  ])('%s', (_, env, says) => {
    const message = complaint(env);
    expect(message).toMatch(says);
    expect(message).not.toContain('\n');
    expect(message).not.toContain('hunter2');
  });

  test('no password shows in a URL that cannot be used', () => {
    const part = fc.stringMatching(/^[a-z]{1,10}$/);
    fc.assert(
      fc.property(part, fc.stringMatching(/^[^\s@"]{3,20}$/), part, (user, password, host) => {
        fc.pre(!`gopher://${user}@${host}`.includes(password));
        expect(maskUrl(`gopher://${user}:${password}@${host}`)).not.toContain(`:${password}@`);
      }),
      {
        examples: [
          ['a', '0###', 'a'],
          ['user', '5432#hunter2', 'host'],
          ['user', '1/hunter2', 'host'],
          ['user', '1?hunter2', 'host'],
        ],
      },
    );
  });
});

test.each([
  ['loopback', ['loopback']],
  ['10.0.0.0/8, fd00::/8 ,127.0.0.1', ['10.0.0.0/8', 'fd00::/8', '127.0.0.1']],
  [',', []],
])('trusted proxies: %j', (text, proxies) => {
  expect(readConfig({ TRUSTED_PROXIES: text }).trustedProxies).toEqual(proxies);
});

test('private hosts are names, addresses and ports', () => {
  const text = 'Billing.internal, 127.0.0.1:8080,,[::1]';
  const hosts = ['billing.internal', '127.0.0.1:8080', '[::1]'];
  expect(readConfig({ PRIVATE_HOSTS: text }).privateHosts).toEqual(hosts);
});

test('days are days', () => {
  expect(readConfig({ TENANT_GRACE_DAYS: '0', AUDIT_RETENTION_DAYS: '30' })).toMatchObject({
    tenantGraceMs: 0,
    auditRetentionMs: 30 * 86_400_000,
  });
});

test('a public address has no slash at its end', () => {
  expect(readConfig({ PUBLIC_URL: 'https://chat.example//' }).publicUrl).toBe('https://chat.example');
});

test.for([
  'user:s3cret@host/db',
  'postgresql//u:s3cret@host',
  'r:s3cret@h:1',
  'postgre://u:se@s3cret@host',
  'postgres://u@host/db?password=s3cret',
])('a password does not show, however the URL is mistyped: %s', (text) => {
  expect(maskUrl(text)).not.toContain('s3cret');
});
