import { isIP } from 'node:net';
import { join, resolve } from 'node:path';
import { ConfigError, maskUrl } from './config-error.ts';
import type { Env, EnvName } from './env.ts';
import { type FilesConfig, readFilesUrl } from './files-url.ts';
import { type MasterKeySource, parseMasterKeys } from './secrets.ts';

export const allRoles = ['api', 'worker', 'sockets', 'scheduler'] as const;
export type Role = (typeof allRoles)[number];

export const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;
export type LogLevel = (typeof logLevels)[number];

export type DatabaseConfig =
  | { kind: 'embedded'; directory: string }
  | { kind: 'server'; url: string; adminUrl: string };

export type QueueConfig = { kind: 'redis'; url: string } | { kind: 'database' };

export type ProviderAccess = { apiKey?: string; baseUrl?: string };

/** The shared apps of the platforms, and where the platforms are. An app that is absent here can be a tenant's own. */
export type PlatformsConfig = Readonly<{
  slack: {
    app: { appId: string; signingSecret: string; clientId?: string; clientSecret?: string } | undefined;
    apiUrl: string | undefined;
  };
  discord: {
    app: { applicationId: string; publicKey: string; botToken: string; clientSecret?: string } | undefined;
    apiUrl: string | undefined;
  };
  twilio: { account: { accountSid: string; authToken: string } | undefined; apiUrl: string | undefined };
  teams: {
    /** Without `appTenant` the bot is multi-tenant. */
    app: { appId: string; appPassword: string; appTenant?: string } | undefined;
    openIdMetadataUrl: string | undefined;
    loginUrl: string | undefined;
  };
}>;

/** What the process runs with: checked, frozen, and the only form in which the rest of the code knows the environment. */
export type Config = Readonly<{
  host: string;
  /** `chosen` is false when PORT was not given: a busy default port then means the next free one. */
  port: { number: number; chosen: boolean };
  /** The address that browsers and platforms see; absent means http://localhost:PORT. */
  publicUrl: string | undefined;
  trustedProxies: readonly string[];
  /** Hosts that tenants' addresses may lead to although they are not public: `name` or `name:port`. */
  privateHosts: readonly string[];
  dataDir: string;
  /** Where the checkpoints of the audit trail are kept. */
  auditDir: string;
  database: DatabaseConfig;
  queue: QueueConfig;
  roles: ReadonlySet<Role>;
  masterKeys: MasterKeySource;
  files: FilesConfig;
  platforms: PlatformsConfig;
  models: Readonly<Record<'openai' | 'anthropic' | 'google' | 'compatible', ProviderAccess>>;
  logLevel: LogLevel;
  metricsToken: string | undefined;
  /** Every tenant has a host below it, by its slug; absent: none has. */
  tenantBaseDomain: string | undefined;
  /** How long a tenant that was closed can be reopened, before it is deleted. */
  tenantGraceMs: number;
  /** How old audit events may become; absent: they stay. */
  auditRetentionMs: number | undefined;
}>;

/** Checks the environment. @throws {ConfigError} for the first variable that cannot be used. */
export function readConfig(env: Env): Config {
  const dataDir = resolve(env.DATA_DIR ?? 'data');
  const database = readDatabase(env, dataDir);
  const roles = readRoles(env);
  if (database.kind === 'embedded' && roles.size < allRoles.length) {
    throw new ConfigError(
      'ROLES',
      `"${env.ROLES}" while the database is embedded, which belongs to one process`,
      'all roles (leave it out), or DATABASE_URL set as well',
    );
  }
  const queue: QueueConfig = env.REDIS_URL
    ? { kind: 'redis', url: readUrl('REDIS_URL', env.REDIS_URL, ['redis:', 'rediss:']) }
    : { kind: 'database' };

  return Object.freeze({
    host: env.HOST ?? '127.0.0.1',
    port: { number: readPort(env), chosen: env.PORT !== undefined },
    publicUrl:
      env.PUBLIC_URL && readUrl('PUBLIC_URL', env.PUBLIC_URL, ['http:', 'https:']).replace(/\/+$/, ''),
    trustedProxies: readTrustedProxies(env),
    privateHosts: readPrivateHosts(env),
    dataDir,
    auditDir: resolve(env.AUDIT_DIR ?? join(dataDir, 'audit')),
    database,
    queue,
    roles,
    masterKeys: readMasterKeys(env, dataDir, database),
    files: readFiles(env, dataDir),
    platforms: {
      slack: readSlack(env),
      discord: readDiscord(env),
      twilio: readTwilio(env),
      teams: readTeams(env),
    },
    models: {
      openai: readProvider(env, 'OPENAI_API_KEY', 'OPENAI_BASE_URL'),
      anthropic: readProvider(env, 'ANTHROPIC_API_KEY', 'ANTHROPIC_BASE_URL'),
      google: readProvider(env, 'GOOGLE_GENERATIVE_AI_API_KEY', 'GOOGLE_BASE_URL'),
      compatible: readProvider(env, 'COMPATIBLE_API_KEY', 'COMPATIBLE_BASE_URL'),
    },
    logLevel: readLogLevel(env),
    metricsToken: env.METRICS_TOKEN,
    tenantBaseDomain: readBaseDomain(env),
    tenantGraceMs: (readDays(env, 'TENANT_GRACE_DAYS', { min: 0 }) ?? graceDaysDefault) * msPerDay,
    auditRetentionMs: inMs(readDays(env, 'AUDIT_RETENTION_DAYS', { min: auditRetentionDaysMin })),
  });
}

function readDatabase(env: Env, dataDir: string): DatabaseConfig {
  if (!env.DATABASE_URL) {
    if (env.DATABASE_ADMIN_URL) {
      throw new ConfigError('DATABASE_ADMIN_URL', maskUrl(env.DATABASE_ADMIN_URL), 'DATABASE_URL beside it');
    }
    return { kind: 'embedded', directory: resolve(dataDir, 'database') };
  }
  const schemes = ['postgres:', 'postgresql:'];
  const url = readUrl('DATABASE_URL', env.DATABASE_URL, schemes);
  return {
    kind: 'server',
    url,
    adminUrl: env.DATABASE_ADMIN_URL ? readUrl('DATABASE_ADMIN_URL', env.DATABASE_ADMIN_URL, schemes) : url,
  };
}

function readRoles(env: Env): ReadonlySet<Role> {
  if (!env.ROLES || env.ROLES === 'all') return new Set(allRoles);
  const roles = env.ROLES.split(',').map((role) => role.trim());
  const unknown = roles.find((role) => !allRoles.includes(role as Role));
  if (unknown !== undefined) {
    throw new ConfigError('ROLES', `"${env.ROLES}"`, `all, or any of ${allRoles.join(',')}`);
  }
  return new Set(roles as Role[]);
}

function readPort(env: Env): number {
  if (env.PORT === undefined) return 3000;
  const port = Number(env.PORT);
  if (!/^\d+$/.test(env.PORT) || port > 65_535) {
    throw new ConfigError('PORT', `"${env.PORT}"`, 'a number from 0 (any free port) to 65535');
  }
  return port;
}

function readUrl(name: EnvName, text: string, schemes: readonly string[]): string {
  if (!URL.canParse(text) || !schemes.includes(new URL(text).protocol)) {
    throw new ConfigError(
      name,
      `"${maskUrl(text)}"`,
      `a URL that begins with ${schemes.map((scheme) => `${scheme}//`).join(' or ')}`,
    );
  }
  return text;
}

function readTrustedProxies(env: Env): readonly string[] {
  const entries = (env.TRUSTED_PROXIES ?? '').split(',').map((entry) => entry.trim());
  const given = entries.filter((entry) => entry !== '');
  const named = new Set(['loopback', 'linklocal', 'uniquelocal']);
  const bad = given.find((entry) => !named.has(entry) && !isAddressRange(entry));
  if (bad !== undefined) {
    throw new ConfigError(
      'TRUSTED_PROXIES',
      `"${bad}"`,
      'addresses or ranges such as 10.0.0.0/8, or loopback, linklocal, uniquelocal, separated by commas',
    );
  }
  return given;
}

function readPrivateHosts(env: Env): readonly string[] {
  const hosts = (env.PRIVATE_HOSTS ?? '').split(',').map((host) => host.trim().toLowerCase());
  const given = hosts.filter((host) => host !== '');
  const bad = given.find((host) => !URL.canParse(`http://${host}`) || /[/@?#\\]/.test(host));
  if (bad !== undefined)
    throw new ConfigError(
      'PRIVATE_HOSTS',
      `"${bad}"`,
      'hosts such as billing.internal or 127.0.0.1:8080, separated by commas',
    );
  return given;
}

function isAddressRange(text: string): boolean {
  const [address = '', bits, ...rest] = text.split('/');
  const family = isIP(address);
  if (family === 0 || rest.length > 0) return false;
  return bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= (family === 4 ? 32 : 128));
}

function readMasterKeys(env: Env, dataDir: string, database: DatabaseConfig): MasterKeySource {
  if (env.MASTER_KEYS) return { kind: 'given', keys: parseMasterKeys(env.MASTER_KEYS, 'MASTER_KEYS') };
  if (database.kind === 'server') {
    throw new ConfigError(
      'MASTER_KEYS',
      'nothing',
      'id:base64-32-bytes when DATABASE_URL is set (make one: openssl rand -base64 32)',
    );
  }
  return { kind: 'file', path: resolve(dataDir, 'master.key') };
}

function readFiles(env: Env, dataDir: string): FilesConfig {
  if (!env.FILES_URL) return { kind: 'disk', directory: resolve(dataDir, 'files') };
  return readFilesUrl(env.FILES_URL);
}

function readSlack(env: Env): PlatformsConfig['slack'] {
  const apiUrl = readApiUrl(env, 'SLACK_API_URL');
  const { SLACK_APP_ID: appId, SLACK_SIGNING_SECRET: signingSecret } = env;
  const { SLACK_CLIENT_ID: clientId, SLACK_CLIENT_SECRET: clientSecret } = env;
  const group = ['SLACK_APP_ID', 'SLACK_SIGNING_SECRET'] as const;
  if (clientId || clientSecret) requireAll(env, [...group, 'SLACK_CLIENT_ID', 'SLACK_CLIENT_SECRET']);
  else requireAll(env, group);
  if (!appId || !signingSecret) return { app: undefined, apiUrl };
  return {
    app: { appId, signingSecret, ...(clientId && clientSecret && { clientId, clientSecret }) },
    apiUrl,
  };
}

function readDiscord(env: Env): PlatformsConfig['discord'] {
  const apiUrl = readApiUrl(env, 'DISCORD_API_URL');
  const { DISCORD_APPLICATION_ID: applicationId, DISCORD_PUBLIC_KEY: publicKey } = env;
  const { DISCORD_BOT_TOKEN: botToken, DISCORD_CLIENT_SECRET: clientSecret } = env;
  const group = ['DISCORD_APPLICATION_ID', 'DISCORD_PUBLIC_KEY', 'DISCORD_BOT_TOKEN'] as const;
  requireAll(env, clientSecret ? [...group, 'DISCORD_CLIENT_SECRET'] : group);
  if (!applicationId || !publicKey || !botToken) return { app: undefined, apiUrl };
  if (!/^[0-9a-f]{64}$/i.test(publicKey))
    throw new ConfigError(
      'DISCORD_PUBLIC_KEY',
      `${publicKey.length} characters`,
      "64 hexadecimal digits, from the application's General Information",
    );
  const app = { applicationId, publicKey: publicKey.toLowerCase(), botToken };
  return { app: { ...app, ...(clientSecret && { clientSecret }) }, apiUrl };
}

function readTwilio(env: Env): PlatformsConfig['twilio'] {
  const apiUrl = readApiUrl(env, 'TWILIO_API_URL');
  const { TWILIO_ACCOUNT_SID: accountSid, TWILIO_AUTH_TOKEN: authToken } = env;
  requireAll(env, ['TWILIO_ACCOUNT_SID', 'TWILIO_AUTH_TOKEN']);
  return { account: accountSid && authToken ? { accountSid, authToken } : undefined, apiUrl };
}

function readTeams(env: Env): PlatformsConfig['teams'] {
  const addresses = {
    openIdMetadataUrl: readApiUrl(env, 'TEAMS_OPENID_METADATA_URL'),
    loginUrl: readApiUrl(env, 'TEAMS_LOGIN_URL'),
  };
  if (env.TEAMS_APP_TENANT) requireAll(env, ['TEAMS_APP_TENANT', 'TEAMS_APP_ID', 'TEAMS_APP_PASSWORD']);
  else requireAll(env, ['TEAMS_APP_ID', 'TEAMS_APP_PASSWORD']);
  const appId = readGuid(env, 'TEAMS_APP_ID');
  const appTenant = readGuid(env, 'TEAMS_APP_TENANT');
  const { TEAMS_APP_PASSWORD: appPassword } = env;
  if (!appId || !appPassword) return { app: undefined, ...addresses };
  return { app: { appId, appPassword, ...(appTenant && { appTenant }) }, ...addresses };
}

// "common" and names of domains are taken by some of Microsoft's addresses and not by others.
function readGuid(env: Env, name: 'TEAMS_APP_ID' | 'TEAMS_APP_TENANT'): string | undefined {
  const text = env[name]?.toLowerCase();
  if (text === undefined || /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/.test(text)) return text;
  throw new ConfigError(
    name,
    `"${env[name]}"`,
    name === 'TEAMS_APP_ID'
      ? 'the GUID of the bot'
      : 'the GUID of the Entra tenant in which the bot is registered, or nothing for a multi-tenant bot',
  );
}

// Half of an app does nothing, and nobody would see why.
function requireAll(env: Env, names: readonly EnvName[]): void {
  const given = names.find((name) => env[name] !== undefined);
  const missing = names.find((name) => env[name] === undefined);
  if (given !== undefined && missing !== undefined)
    throw new ConfigError(missing, 'nothing', `a value, because ${given} is set`);
}

type ApiUrlName =
  | 'SLACK_API_URL'
  | 'DISCORD_API_URL'
  | 'TWILIO_API_URL'
  | 'TEAMS_OPENID_METADATA_URL'
  | 'TEAMS_LOGIN_URL';

function readApiUrl(env: Env, name: ApiUrlName): string | undefined {
  const url = env[name];
  return url && readUrl(name, url, ['http:', 'https:']);
}

function readProvider(env: Env, keyName: EnvName, urlName: EnvName): ProviderAccess {
  const apiKey = env[keyName];
  const baseUrl = env[urlName];
  return {
    ...(apiKey && { apiKey }),
    ...(baseUrl && { baseUrl: readUrl(urlName, baseUrl, ['http:', 'https:']) }),
  };
}

function readBaseDomain({ TENANT_BASE_DOMAIN: text }: Env): string | undefined {
  const domain = text?.toLowerCase();
  if (domain === undefined || /^(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+[a-z][a-z0-9-]*$/.test(domain))
    return domain;
  throw new ConfigError('TENANT_BASE_DOMAIN', `"${text}"`, 'a domain name such as chat.example.com');
}

const msPerDay = 86_400_000;
const graceDaysDefault = 30;
/** What is younger cannot be removed from a trail: the database refuses it. */
const auditRetentionDaysMin = 30;
/** Longer is for ever, and says so by leaving it out. */
const daysMax = 36_500;

function readDays(
  env: Env,
  name: 'TENANT_GRACE_DAYS' | 'AUDIT_RETENTION_DAYS',
  { min }: { min: number },
): number | undefined {
  const text = env[name];
  if (text === undefined) return undefined;
  const days = Number(text);
  if (!/^\d{1,5}$/.test(text) || days < min || days > daysMax)
    throw new ConfigError(name, `"${text}"`, `a number of days from ${min} to ${daysMax}`);
  return days;
}

function inMs(days: number | undefined): number | undefined {
  return days === undefined ? undefined : days * msPerDay;
}

function readLogLevel(env: Env): LogLevel {
  const level = env.LOG_LEVEL ?? 'info';
  if (!logLevels.includes(level as LogLevel)) {
    throw new ConfigError('LOG_LEVEL', `"${level}"`, `one of ${logLevels.join(', ')}`);
  }
  return level as LogLevel;
}
